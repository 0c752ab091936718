"""A process at work in the test itself: its runtime, what duties work with, and a shop whose groups they look after."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.embedded.place import Place
from infra.embedded.valkey import EmbeddedValkey
from infra.ids import new_id
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.reading.shop import Shop
from tests.system.programs import Program
from workers import counted
from workers.duty import Context


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with started(settings) as made:
        yield made


@pytest.fixture
async def context(runtime: Runtime) -> AsyncIterator[Context]:
    by_key = make_engine(runtime.settings, "tuan duties", connections_max=4, planner=ALWAYS_BY_INDEX)
    yield Context(runtime, by_key)
    await by_key.dispose()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters are compared at once: for tests where whatever is to be written is, or that show something else."""
    monkeypatch.setattr(counted, "WRITTEN_WITHIN_S", 0)


@pytest.fixture
def shop(runtime: Runtime) -> Shop:
    return Shop(runtime.engine, runtime.batcher, new_id())


@pytest.fixture
def breakable(settings: Settings, own_place: Place, own_valkey: EmbeddedValkey) -> Settings:  # noqa: ARG001 - it runs
    """Settings whose Redis is the one this test may stop."""
    return replace(settings, redis_url=own_place.redis_url)


@pytest.fixture
def worker(breakable: Settings, tmp_path: Path) -> Iterator[Program]:
    """`tuan worker` on this test's servers."""
    with worker_process(breakable, tmp_path / "worker.log") as program:
        yield program


@contextmanager
def worker_process(settings: Settings, log: Path) -> Iterator[Program]:
    """`tuan worker` with these settings."""
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "TUAN_DATA_DIR": str(settings.data_dir),
    }
    program = Program("worker", log, environment)
    program.start()
    try:
        yield program
    finally:
        program.kill()
