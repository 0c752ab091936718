"""Two processes' worth of Tuan on one database: they share nothing but PostgreSQL, Valkey and the gateway's books."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.ids import new_id
from infra.runtime import started
from infra.settings import Settings
from tests.races.house import House
from workers.duty import Context


@pytest.fixture
async def houses(settings: Settings) -> AsyncIterator[tuple[House, House]]:
    """One merchant's shop as two processes see it."""
    merchant_id = new_id()
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            runtime = await stack.enter_async_context(started(settings))
            by_key = make_engine(settings, "tuan duties", connections_max=4, planner=ALWAYS_BY_INDEX)
            stack.push_async_callback(by_key.dispose)
            made.append(House(runtime.engine, runtime.batcher, merchant_id, runtime, Context(runtime, by_key)))
        yield made[0], made[1]
