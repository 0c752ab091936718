"""Batchers on a database of the test's own, as one process has them."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import tests.domain.conftest  # noqa: F401 - Hypothesis looks for counterexamples as it does there
from infra.batching import Batcher
from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.ids import new_id
from infra.lane import Committed
from infra.settings import Settings
from tests.reading.shop import Shop

APPLICATION = "tuan batching"
"""What pg_stat_activity calls the connections of the batchers here."""

MakeBatcher = Callable[..., Batcher]


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = make_engine(settings, APPLICATION, planner=ALWAYS_BY_INDEX)
    yield made
    await made.dispose()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside those of the batchers."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def commits() -> list[Committed]:
    """Every commit of every batcher."""
    return []


@pytest.fixture
async def make_batcher(engine: AsyncEngine, commits: list[Committed]) -> AsyncIterator[MakeBatcher]:
    """Batchers that share nothing but the database, as those of several processes."""
    made: list[Batcher] = []

    def make(
        queue_commands_max: int = 4_096,
        on_commit: Callable[[Committed], None] = commits.append,
        suspended: Callable[[], frozenset[UUID]] = frozenset,
        on: AsyncEngine = engine,
    ) -> Batcher:
        batcher = Batcher(
            on, batch_commands_max=256, queue_commands_max=queue_commands_max, on_commit=on_commit, suspended=suspended
        )
        made.append(batcher)
        return batcher

    yield make
    for batcher in made:
        await batcher.stop()


@pytest.fixture
def batcher(make_batcher: MakeBatcher) -> Batcher:
    return make_batcher()


@pytest.fixture
def shop(engine: AsyncEngine, batcher: Batcher) -> Shop:
    return Shop(engine, batcher, new_id())


@pytest.fixture
async def deal_id(shop: Shop) -> UUID:
    return await shop.live(group_size_max=100)


@pytest.fixture
async def group_id(shop: Shop, deal_id: UUID) -> UUID:
    return await shop.opened(deal_id)
