"""A shop of its own for every test, and the API where a test asks for it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.batching import Batcher
from infra.ids import new_id
from tests.api.conftest import app, client, runtime, town
from tests.api.people import Town
from tests.reading.shop import Shop

__all__ = ["app", "client", "runtime", "town"]


@pytest.fixture
async def shop(engine: AsyncEngine) -> AsyncIterator[Shop]:
    batcher = Batcher(engine, batch_commands_max=256, queue_commands_max=4_096)
    yield Shop(engine, batcher, new_id())
    await batcher.stop()


@pytest.fixture
def browser(town: Town) -> httpx.AsyncClient:
    """Somebody's browser."""
    return town.client


@pytest.fixture
async def connection(shop: Shop) -> AsyncIterator[AsyncConnection]:
    async with shop.engine.connect() as plain:
        yield await plain.execution_options(isolation_level="AUTOCOMMIT")
