"""A shop of its own for every test."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.batching import Batcher
from infra.ids import new_id
from infra.settings import Settings
from tests.reading.shop import Shop

FILLING_MS_MAX = 60_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Tables filled with a hundred thousand rows take their time on a busy machine."""
    return replace(settings, statement_timeout_ms=FILLING_MS_MAX)


@pytest.fixture
async def shop(engine: AsyncEngine) -> AsyncIterator[Shop]:
    batcher = Batcher(engine, batch_commands_max=256, queue_commands_max=4_096)
    yield Shop(engine, batcher, new_id())
    await batcher.stop()


@pytest.fixture
async def connection(shop: Shop) -> AsyncIterator[AsyncConnection]:
    async with shop.engine.connect() as plain:
        yield await plain.execution_options(isolation_level="AUTOCOMMIT")
