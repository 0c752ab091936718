"""Who does the duties: a worker if there is one, else an API process; and nobody for whom nothing is heard."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import psutil
import pytest

from infra.embedded.valkey import EmbeddedValkey
from infra.ids import new_id
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.reading.shop import Shop
from tests.system.programs import Program
from tests.waiting import eventually
from tests.workers.ground_truth import all_closed, closing_delays_s, closings, number
from workers.duties import ALL_DUTIES
from workers.leadership import LOOK_EVERY_S, SILENT_FOR_S_MAX, Leadership
from workers.standby import standing_by

LATE_S_MAX = 1.0
START_LIMIT_S = 30
WORKER, API = "tuan worker leading", "tuan api standing by"
LEADING = """
  SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE datname = current_database() AND locktype = 'advisory' AND granted AND objid > 0 AND application_name = :name"""


@pytest.fixture
async def api(breakable: Settings) -> AsyncIterator[Runtime]:
    """What an API process has beside its routes."""
    async with started(breakable, "tuan api") as runtime:
        yield runtime


async def test_groups_close_in_time_when_the_worker_is_killed(api: Runtime, worker: Program) -> None:
    """Promise 5: killed right before deadlines, the worker is replaced by an API process that still meets them."""
    await eventually(lambda: _leads(api, WORKER), "the worker to lead", START_LIMIT_S)
    async with standing_by(api):
        groups = await _groups_about_to_close(api)
        worker.kill()
        await eventually(lambda: all_closed(api.engine, groups), "the closings")
    assert max(await closing_delays_s(api.engine, groups)) < LATE_S_MAX
    assert [await closings(api.engine, group_id) for group_id in groups] == [["GroupSucceeded"]] * len(groups)


async def test_groups_close_in_time_with_the_worker_and_redis_gone(
    api: Runtime, worker: Program, own_valkey: EmbeddedValkey
) -> None:
    """Promise 5 again, with the queue and the counters gone as well; when Redis is back it is told everything."""
    await eventually(lambda: _leads(api, WORKER), "the worker to lead", START_LIMIT_S)
    async with standing_by(api):
        groups = await _groups_about_to_close(api)
        own_valkey.stop()
        worker.kill()
        await eventually(lambda: all_closed(api.engine, groups), "the closings")
        own_valkey.start()
        await eventually(lambda: _all_counted_closed(api, groups), "the counters")
    assert max(await closing_delays_s(api.engine, groups)) < LATE_S_MAX


async def test_an_api_process_gives_the_duties_back(api: Runtime, worker: Program) -> None:
    """A worker that comes back gets every duty from the API process that stood in for it."""
    worker.kill()
    async with standing_by(api):
        await eventually(lambda: _leads(api, API), "the API process to stand in", START_LIMIT_S)
        worker.start()
        await eventually(lambda: _leads(api, WORKER), "the worker to lead again", START_LIMIT_S)


async def test_a_frozen_worker_is_cut_off(api: Runtime, worker: Program) -> None:
    """A worker that holds its locks and does nothing keeps nobody from its work; awake again it steps back in."""
    await eventually(lambda: _leads(api, WORKER), "the worker to lead", START_LIMIT_S)
    async with standing_by(api):
        assert worker._process is not None
        frozen = psutil.Process(worker._process.pid)
        frozen.suspend()
        try:
            await eventually(lambda: _leads(api, API), "the API process to stand in", SILENT_FOR_S_MAX + 5)
        finally:
            frozen.resume()
        await eventually(lambda: _leads(api, WORKER), "the worker to lead again", START_LIMIT_S)


async def test_of_two_workers_each_duty_has_one(settings: Settings) -> None:
    """Two workers share the duties without doing any of them twice, and the second takes over what the first leaves."""
    numbers = [duty.number for duty in ALL_DUTIES]
    first, second = (Leadership(settings, numbers, is_worker=True) for _ in range(2))
    leading = asyncio.create_task(first.run())
    await asyncio.gather(*map(first.led, numbers))
    following = asyncio.create_task(second.run())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3 * LOOK_EVERY_S):
            await second.led(numbers[0])
    leading.cancel()
    async with asyncio.timeout(START_LIMIT_S):
        await asyncio.gather(*map(second.led, numbers))
    following.cancel()
    await asyncio.wait([leading, following])


async def _leads(runtime: Runtime, application: str) -> bool:
    return await number(runtime.engine, LEADING, name=application) == len(ALL_DUTIES)


async def _groups_about_to_close(runtime: Runtime) -> list[UUID]:
    shop = Shop(runtime.engine, runtime.batcher, new_id())
    deal_id = await shop.live(group_lifetime_s=1)
    groups = [await shop.opened(deal_id, 2) for _ in range(5)]
    await eventually(lambda: _is_near_deadline(runtime, groups[0]), "the last moment before a deadline")
    assert not await all_closed(runtime.engine, groups[:1])
    return groups


async def _is_near_deadline(runtime: Runtime, group_id: UUID) -> bool:
    near = "SELECT (expires_at - clock_timestamp() < interval '0.1 s')::int FROM groups WHERE id = :id"
    return bool(await number(runtime.engine, near, id=group_id))


async def _all_counted_closed(runtime: Runtime, group_ids: list[UUID]) -> bool:
    counted = (await runtime.counters.look(group_ids)).views
    return len(counted) == len(group_ids) and all(view.is_closed for view in counted.values())
