"""`tuan worker` as a process: it outlives its servers and ends when it is told to."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from infra import migrate
from infra.embedded.place import Place
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedValkey
from infra.ids import new_id
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.reading.shop import Shop
from tests.system.programs import Program
from tests.waiting import eventually, until
from tests.workers.conftest import worker_process
from tests.workers.ground_truth import all_closed

START_LIMIT_S = 30


@pytest.fixture
def own_postgres(own_place: Place) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this test alone, to stop and start."""
    postgres = EmbeddedPostgres(own_place, connections_max=50, durable=False)
    postgres.start()
    migrate.upgrade(own_place.database_url)
    yield postgres
    postgres.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_when_told(worker: Program, number: signal.Signals) -> None:
    """Either signal ends it with exit status 0 and without a stack trace."""
    until(lambda: "worker_started" in worker.log.read_text(), "the start", START_LIMIT_S)
    assert worker._process is not None
    worker._process.send_signal(number)
    assert worker.exit_status() == 0
    assert "Traceback" not in worker.log.read_text()


async def test_a_worker_outlives_redis(breakable: Settings, worker: Program, own_valkey: EmbeddedValkey) -> None:
    """Groups close with Redis away, the outage is one line per part, and afterwards everything is relayed."""
    async with started(breakable) as runtime:
        shop = Shop(runtime.engine, runtime.batcher, new_id())
        deal_id = await shop.live(group_lifetime_s=1)
        own_valkey.stop()
        group_id = await shop.opened(deal_id, 2)
        await eventually(lambda: all_closed(runtime.engine, [group_id]), "the closing without Redis")
        own_valkey.start()
        await eventually(partial(_is_counted, runtime, group_id), "the counters")
        until(lambda: "queue_is_back" in worker.log.read_text(), "the queue")
    assert worker.is_alive
    log = worker.log.read_text()
    assert log.count("queue_away") == 1
    assert log.count("duty_waits") == 1
    assert "Traceback" not in log


async def test_a_worker_outlives_postgresql(
    breakable: Settings, own_postgres: EmbeddedPostgres, own_place: Place, tmp_path: Path
) -> None:
    """With PostgreSQL away it waits and says so; back again, groups close as before."""
    settings = replace(breakable, database_url=own_place.database_url)
    with worker_process(settings, tmp_path / "worker.log") as worker:
        until(lambda: "worker_started" in worker.log.read_text(), "the start", START_LIMIT_S)
        own_postgres.stop()
        until(lambda: "duty_waits" in worker.log.read_text(), "the outage to be noticed")
        own_postgres.start()
        async with started(settings) as runtime:
            shop = Shop(runtime.engine, runtime.batcher, new_id())
            group_id = await shop.opened(await shop.live(group_lifetime_s=1))
            await eventually(lambda: all_closed(runtime.engine, [group_id]), "the closing")
        assert worker.is_alive
        assert "Traceback" not in worker.log.read_text()


async def _is_counted(runtime: Runtime, group_id: UUID) -> bool:
    return group_id in (await runtime.counters.look([group_id])).views
