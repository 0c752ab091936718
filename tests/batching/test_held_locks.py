"""Deals whose lock somebody keeps for too long: they cost their own callers, and nobody else."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from msgspec import DecodeError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from domain.groupbuy.world import Accepted
from infra import common_lane
from infra.batching import Batcher
from infra.common_lane import LOCK_WAIT_MS
from infra.database import WRITES, make_engine
from infra.settings import Settings
from infra.side_lanes import SIDE_LANES
from infra.statement import Statement
from infra.unavailable import Overloaded
from tests.batching.asking import ANSWER_S_MAX, answers_to, ask, places
from tests.batching.conftest import MakeBatcher
from tests.batching.standing import deal_locked, standing
from tests.reading.shop import Shop
from tests.waiting import eventually


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, lock_timeout_ms=300)


async def test_it_costs_its_own_callers_only(shop: Shop, database: asyncpg.Connection) -> None:
    """All its callers in a batch give up together, not one after the other; those of other deals are served."""
    deal_ids = [await shop.live(group_size_max=100) for _ in range(2)]
    group_ids = [await shop.opened(deal_id) for deal_id in deal_ids]
    began = asyncio.get_running_loop().time()
    async with deal_locked(database, deal_ids[0]):
        asked = [ask(shop.batcher, group_id) for _ in range(20) for group_id in group_ids]
        answers = await answers_to(*asked)
    assert answers == [Overloaded, Accepted] * 20
    assert asyncio.get_running_loop().time() - began < 20 * 0.3, "each waited for itself"
    assert await answers_to(ask(shop.batcher, group_ids[0])) == [Accepted]
    assert [await places(database, group_id) for group_id in group_ids] == [2, 21]


async def test_it_slows_nobody_else(shop: Shop, database: asyncpg.Connection) -> None:
    """Once known, a locked deal takes nothing of the others' time, however often its own callers come again."""
    locked = [await shop.live(group_size_max=100) for _ in range(3)]
    groups_in_locked = [await shop.opened(deal_id) for deal_id in locked]
    free = await shop.opened(await shop.live(group_size_max=100))
    async with AsyncExitStack() as locks:
        for deal_id in locked:
            await locks.enter_async_context(deal_locked(database, deal_id))
        waiting = [asyncio.ensure_future(answers_to(*(ask(shop.batcher, each) for each in groups_in_locked)))]
        assert await answers_to(ask(shop.batcher, free)) == [Accepted]  # behind them, and finds out
        async with asyncio.timeout(20 * LOCK_WAIT_MS / 1000):  # each behind a lock would take longer
            for _ in range(20):
                waiting.append(
                    asyncio.ensure_future(answers_to(*(ask(shop.batcher, each) for each in groups_in_locked)))
                )
                assert await answers_to(ask(shop.batcher, free)) == [Accepted]
        assert shop.batcher.is_held_up(locked[0])
    assert await answers_to(*(ask(shop.batcher, each) for each in groups_in_locked)) == [Accepted] * 3
    await asyncio.gather(*waiting)
    assert not any(shop.batcher.is_held_up(deal_id) for deal_id in locked)


async def test_beyond_its_share_callers_are_sent_away(
    shop: Shop, make_batcher: MakeBatcher, database: asyncpg.Connection
) -> None:
    """Those who wait for locked deals are together no more than a queue: each side lane takes its share of it."""
    deal_id = await shop.live(group_size_max=100)
    group_id = await shop.opened(deal_id)
    batcher = make_batcher(queue_commands_max=2 * SIDE_LANES)
    batcher.remember(group_id, deal_id)
    async with deal_locked(database, deal_id):
        at_work = ask(batcher, group_id)
        await eventually(_held_up(batcher, deal_id), "the lock is found out")
        await standing(database)
        queued = [ask(batcher, group_id) for _ in range(5)]
        assert await answers_to(*queued[2:]) == [Overloaded] * 3
        assert not queued[1].done()
    await answers_to(at_work, *queued)
    assert await answers_to(ask(batcher, group_id)) == [Accepted]


async def test_a_side_lane_gives_its_connection_back(
    shop: Shop, batcher: Batcher, engine: AsyncEngine, database: asyncpg.Connection
) -> None:
    """One that has nothing more to do keeps no connection, and a stop waits until that is closed."""
    deal_id = await shop.live()
    group_id = await shop.opened(deal_id)

    async def only_the_common_lane_has_one() -> bool:
        return _taken_connections(engine) == 1

    for stopping in (False, True):
        async with deal_locked(database, deal_id):
            asked = ask(batcher, group_id)
            await eventually(_held_up(batcher, deal_id), "the lock is found out")
        assert await answers_to(asked) == [Accepted]
        if stopping:
            await batcher._side_lanes.drained()
            assert await only_the_common_lane_has_one()
        await eventually(only_the_common_lane_has_one, "the side lane gives back its own")


async def test_who_is_behind_it_in_the_queue_waits_apart_too(
    shop: Shop, make_batcher: MakeBatcher, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock holds up the others once, though more of its callers are in the queue when it is found out."""
    monkeypatch.setattr(common_lane, "LOCK_WAIT_MS", 5 * LOCK_WAIT_MS)
    batcher = make_batcher()
    deal_id, free = await shop.live(), await shop.opened(await shop.live())
    group_id = await shop.opened(deal_id)
    async with deal_locked(database, deal_id):
        asked = [ask(batcher, group_id)]
        await standing(database)
        asked += [ask(batcher, group_id), ask(batcher, group_id)]
        async with asyncio.timeout(2 * 5 * LOCK_WAIT_MS / 1000):
            assert await answers_to(ask(batcher, free)) == [Accepted]
    await answers_to(*asked)


async def test_a_frozen_process_keeps_it_for_seconds_only(shop: Shop, settings: Settings) -> None:
    """A batch whose process stops in the middle is ended by PostgreSQL, and its deal can be joined again."""
    group_id = await shop.opened(await shop.live(group_size_max=100))
    frozen = make_engine(settings, "a frozen lane", connections_max=1, planner=WRITES)
    async with frozen.connect() as connection:
        await connection.execute(text("SELECT FROM deals FOR UPDATE"))
        async with asyncio.timeout(ANSWER_S_MAX):
            while await answers_to(ask(shop.batcher, group_id)) != [Accepted]:
                continue
        await connection.invalidate()
    await frozen.dispose()


async def test_not_knowing_what_is_locked(
    shop: Shop, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the question which deals are locked fails, whatever the reason, nobody is left without an answer."""
    deal_id = await shop.live()
    group_id = await shop.opened(deal_id)
    monkeypatch.setattr(common_lane, "_FREE", Statement("SELECT 'nobody knows'"))
    async with deal_locked(database, deal_id):
        assert await answers_to(ask(shop.batcher, group_id), ask(shop.batcher, group_id)) == [DecodeError] * 2
    assert await answers_to(ask(shop.batcher, group_id)) == [Accepted]


def _held_up(batcher: Batcher, deal_id: UUID) -> Callable[[], Awaitable[bool]]:
    async def is_held_up() -> bool:
        return batcher.is_held_up(deal_id)

    return is_held_up


def _taken_connections(engine: AsyncEngine) -> int:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()
