"""Connections that die, callers who go, queues that fill, processes that stop: nothing is lost or done twice."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from domain.groupbuy.world import Accepted
from infra.batching import Batcher
from infra.database import WRITES, make_engine
from infra.ids import new_id
from infra.lane import Committed
from infra.settings import Settings
from infra.unavailable import DatabaseUnavailable, Overloaded
from tests.batching.asking import answers_to, ask, places
from tests.batching.conftest import MakeBatcher
from tests.batching.standing import commits_held, cut, cut_all, deal_locked, groups_locked, standing


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
    batcher = make_batcher(queue_commands_max=2)
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


async def test_whatever_fails_every_caller_gets_an_answer(group_id: UUID, make_batcher: MakeBatcher) -> None:
    """A fault of ours before a batch is written leaves nobody waiting, and the batches behind are written."""
    faults = [ZeroDivisionError] * 3

    def suspended() -> frozenset[UUID]:
        if faults:
            raise faults.pop()
        return frozenset()

    batcher = make_batcher(suspended=suspended)
    assert await answers_to(ask(batcher, group_id), ask(batcher, group_id)) == [ZeroDivisionError] * 2
    assert await answers_to(ask(batcher, group_id)) == [Accepted]


async def test_without_a_connection_callers_are_sent_away(
    deal_id: UUID, group_id: UUID, make_batcher: MakeBatcher, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane that gets no connection says so to all who wait, and goes on once it gets one."""
    monkeypatch.setattr("infra.database.POOL_WAIT_S", 0.1)
    narrow = make_engine(settings, connections_max=1, planner=WRITES)
    batcher = make_batcher(on=narrow)
    batcher.remember(group_id, deal_id)
    async with narrow.connect():
        assert await answers_to(ask(batcher, group_id), ask(batcher, group_id)) == [Overloaded] * 2
    assert await answers_to(ask(batcher, group_id)) == [Accepted]
    await batcher.stop()
    await narrow.dispose()
