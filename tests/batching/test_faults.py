"""Connections that die, callers who go, queues that fill, processes that stop: nothing is lost or done twice."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from domain.groupbuy.commands import JoinGroup
from domain.groupbuy.world import Accepted
from infra.batching import LANES, LOCK_WAIT_MS, Batcher
from infra.database import WRITES, make_engine
from infra.ids import new_id
from infra.lane import Answer, Committed
from infra.settings import Settings
from infra.unavailable import DatabaseUnavailable, Overloaded
from tests.batching.conftest import MakeBatcher
from tests.batching.standing import commits_held, cut, cut_all, deal_locked, groups_locked, standing
from tests.reading.shop import Shop

ANSWER_S_MAX = 20

Asked = asyncio.Task[Answer]


def ask(batcher: Batcher, group_id: UUID, shopper_id: UUID | None = None) -> Asked:
    """Somebody's join on its way."""
    return asyncio.ensure_future(
        batcher.tell(JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=shopper_id or new_id()))
    )


async def answers_to(*asked: Asked) -> list[type]:
    """What becomes of each."""
    async with asyncio.timeout(ANSWER_S_MAX):
        return [type(answer) for answer in await asyncio.gather(*asked, return_exceptions=True)]


async def places(database: asyncpg.Connection, group_id: UUID) -> int:
    """Places taken, by the group's counter, which must be the number of rows."""
    counted, found = await database.fetchrow(
        "SELECT participants, (SELECT count(*) FROM participants WHERE group_id = $1) FROM groups WHERE id = $1",
        group_id,
    )
    assert counted == found
    return int(found)


@pytest.fixture
async def deal_id(shop: Shop) -> UUID:
    return await shop.live(group_size_max=100)


@pytest.fixture
async def group_id(shop: Shop, deal_id: UUID) -> UUID:
    return await shop.opened(deal_id)


async def test_a_connection_cut_before_the_commit_is_replaced(
    deal_id: UUID, group_id: UUID, batcher: Batcher, database: asyncpg.Connection
) -> None:
    """Promise 6: cut down while it waits for the lock, the batch is written once, on another connection."""
    async with deal_locked(database, deal_id):
        asked = [ask(batcher, group_id) for _ in range(5)]
        await cut(database, await standing(database))
        await standing(database)
    assert await answers_to(*asked) == [Accepted] * 5
    assert await places(database, group_id) == 6


async def test_cut_twice_nobody_is_told_a_lie(
    deal_id: UUID, group_id: UUID, batcher: Batcher, database: asyncpg.Connection
) -> None:
    """A batch is tried anew once; after that the callers know that they do not know, and trying again works."""
    shoppers = [new_id() for _ in range(3)]
    async with deal_locked(database, deal_id):
        asked = [ask(batcher, group_id, shopper_id) for shopper_id in shoppers]
        await cut(database, await standing(database))
        await cut(database, await standing(database))
        assert await answers_to(*asked) == [DatabaseUnavailable] * 3
    assert await places(database, group_id) == 1
    assert await answers_to(*(ask(batcher, group_id, shopper_id) for shopper_id in shoppers)) == [Accepted] * 3
    assert await places(database, group_id) == 4


async def test_a_commit_that_may_have_happened_is_not_repeated(
    group_id: UUID, batcher: Batcher, database: asyncpg.Connection, commits: list[Committed]
) -> None:
    """Cut down in its commit, a batch is not tried anew: its callers are told so, and their retries have one effect."""
    shopper_id = new_id()
    commits.clear()
    async with commits_held(database):
        asked = ask(batcher, group_id, shopper_id)
        await cut(database, await standing(database))
        assert await answers_to(asked) == [DatabaseUnavailable]
    assert not commits
    assert await answers_to(ask(batcher, group_id, shopper_id), ask(batcher, group_id, shopper_id)) == [Accepted] * 2
    assert await places(database, group_id) == 2


async def test_connections_that_died_while_idle_are_not_noticed(
    group_id: UUID, batcher: Batcher, database: asyncpg.Connection
) -> None:
    """After a restart of PostgreSQL the first batch finds a dead connection and is written all the same."""
    for number in range(1, 4):
        await cut_all(database)
        assert await answers_to(ask(batcher, group_id)) == [Accepted]
        assert await places(database, group_id) == number + 1


async def test_a_caller_who_goes_disturbs_nobody(
    deal_id: UUID, group_id: UUID, batcher: Batcher, database: asyncpg.Connection
) -> None:
    """Callers who go away before the answer, from a batch at work or from the queue, cost the others nothing."""
    gone = [new_id(), new_id()]
    async with deal_locked(database, deal_id):
        at_work = [ask(batcher, group_id, gone[0]), ask(batcher, group_id)]
        await standing(database)
        queued = [ask(batcher, group_id, gone[1]), ask(batcher, group_id)]
        await asyncio.sleep(0)
        for leaving in (at_work[0], queued[0]):
            leaving.cancel()
    assert await answers_to(*at_work, *queued) == [asyncio.CancelledError, Accepted] * 2
    assert await answers_to(*(ask(batcher, group_id, shopper_id) for shopper_id in gone)) == [Accepted] * 2
    assert await places(database, group_id) == 5


async def test_beyond_the_queue_callers_are_sent_away(
    deal_id: UUID, group_id: UUID, make_batcher: MakeBatcher, database: asyncpg.Connection
) -> None:
    """A full queue refuses at once, what waits in it is answered, and then there is room again."""
    batcher = make_batcher(queue_commands_max=2 * LANES)
    batcher.remember(group_id, deal_id)
    async with deal_locked(database, deal_id):
        at_work = ask(batcher, group_id)
        await standing(database)
        queued = [ask(batcher, group_id) for _ in range(5)]
        assert await answers_to(*queued[2:]) == [Overloaded] * 3
    assert await answers_to(at_work, *queued[:2]) == [Accepted] * 3
    assert await answers_to(ask(batcher, group_id)) == [Accepted]
    assert await places(database, group_id) == 5


async def test_stopping_answers_who_waits(
    deal_id: UUID, group_id: UUID, batcher: Batcher, database: asyncpg.Connection
) -> None:
    """A process that stops takes nobody more, and answers the batch at work and the queue behind it."""
    async with deal_locked(database, deal_id):
        at_work = ask(batcher, group_id)
        await standing(database)
        queued = ask(batcher, group_id)
        await asyncio.sleep(0)
        stopping = asyncio.ensure_future(batcher.stop())
        await asyncio.sleep(0)
        assert await answers_to(ask(batcher, group_id)) == [Overloaded]
        assert not stopping.done()
    await stopping
    assert (at_work.done(), queued.done()) == (True, True)
    assert await answers_to(at_work, queued) == [Accepted] * 2
    assert await places(database, group_id) == 3


async def test_stopping_takes_nothing_that_still_looks_for_its_deal(
    group_id: UUID, make_batcher: MakeBatcher, database: asyncpg.Connection
) -> None:
    """A command whose deal is being looked up when the process stops is sent away, not queued behind the end."""
    batcher = make_batcher()
    async with groups_locked(database):
        looking = ask(batcher, group_id)
        await standing(database)
        await batcher.stop()
    assert await answers_to(looking) == [Overloaded]
    assert await places(database, group_id) == 1


async def test_a_listener_that_fails_stops_nothing(
    deal_id: UUID, group_id: UUID, make_batcher: MakeBatcher, database: asyncpg.Connection
) -> None:
    """Who listens to commits may fail; the batches behind are written and answered."""

    def fails(_: Committed) -> None:
        raise ZeroDivisionError

    batcher = make_batcher(on_commit=fails)
    batcher.remember(group_id, deal_id)
    async with deal_locked(database, deal_id):
        at_work = ask(batcher, group_id)
        await standing(database)
        queued = ask(batcher, group_id)
        await asyncio.sleep(0)
    assert await answers_to(at_work, queued) == [Accepted] * 2
    assert await places(database, group_id) == 3


class TestAHeldLock:
    """A deal whose lock somebody keeps for too long."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, lock_timeout_ms=300)

    async def test_it_costs_its_own_callers_only(self, shop: Shop, database: asyncpg.Connection) -> None:
        """All its callers in a batch give up together, not one after the other; those of other deals are served."""
        deal_ids = [await shop.live(group_size_max=100) for _ in range(2 * LANES)]
        group_ids = [await shop.opened(deal_id) for deal_id in deal_ids]
        began = asyncio.get_running_loop().time()
        async with deal_locked(database, deal_ids[0]):
            asked = [ask(shop.batcher, group_id) for _ in range(20) for group_id in group_ids]
            answers = await answers_to(*asked)
        assert answers == ([Overloaded] + [Accepted] * (len(deal_ids) - 1)) * 20
        assert asyncio.get_running_loop().time() - began < 20 * 0.3, "each waited for itself"
        assert await answers_to(ask(shop.batcher, group_ids[0])) == [Accepted]
        assert [await places(database, group_id) for group_id in group_ids] == [2] + [21] * (len(deal_ids) - 1)

    async def test_it_slows_nobody_else(self, shop: Shop, database: asyncpg.Connection) -> None:
        """Once known, a locked deal takes nothing of the others' time, however often its own callers come again."""
        locked = [await shop.live(group_size_max=100) for _ in range(3)]
        groups_in_locked = [await shop.opened(deal_id) for deal_id in locked]
        free = await shop.opened(await shop.live(group_size_max=100))
        async with AsyncExitStack() as locks:
            for deal_id in locked:
                await locks.enter_async_context(deal_locked(database, deal_id))
            waiting = [asyncio.ensure_future(answers_to(*(ask(shop.batcher, each) for each in groups_in_locked)))]
            assert await answers_to(ask(shop.batcher, free)) == [Accepted]  # behind them, and finds out
            for _ in range(20):
                waiting.append(
                    asyncio.ensure_future(answers_to(*(ask(shop.batcher, each) for each in groups_in_locked)))
                )
                async with asyncio.timeout(LOCK_WAIT_MS / 1000):
                    assert await answers_to(ask(shop.batcher, free)) == [Accepted]
            assert shop.batcher.is_held_up(locked[0])
        assert await answers_to(*(ask(shop.batcher, each) for each in groups_in_locked)) == [Accepted] * 3
        await asyncio.gather(*waiting)
        assert not any(shop.batcher.is_held_up(deal_id) for deal_id in locked)

    async def test_a_frozen_process_keeps_it_for_seconds_only(self, shop: Shop, settings: Settings) -> None:
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
