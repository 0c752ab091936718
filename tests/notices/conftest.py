"""A square of its own for every test."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.batching import Batcher
from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.ids import new_id
from infra.settings import Settings
from tests.money_shop import MoneyShop
from tests.notices.square import Square
from tests.reading.shop import Shop


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """As duties have it."""
    made = make_engine(settings, "tuan duties", connections_max=6, planner=ALWAYS_BY_INDEX)
    yield made
    await made.dispose()


@pytest.fixture
async def square(engine: AsyncEngine) -> AsyncIterator[Square]:
    batcher = Batcher(engine, batch_commands_max=256, queue_commands_max=4_096)
    merchant_id = new_id()
    yield Square(Shop(engine, batcher, merchant_id), MoneyShop(engine, batcher, merchant_id))
    await batcher.stop()
