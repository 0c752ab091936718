"""Once each: whatever dies, and whoever does it beside us."""

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import CloseGroup
from domain.notices.kinds import Kind
from domain.pricing.schedule import PriceSchedule, Tier
from infra.notices.inbox import mark_read
from infra.notices.outbox import read_outbox
from infra.notices.telling import postpone_first, tell_chunk
from infra.runtime import Runtime
from tests.notices.square import BY_AND_BY_S, Square
from workers.duty import Context
from workers.noticing import Noticing

MEMBERS = 23
ROUNDS = 4
FAR = PriceSchedule(2_000, (Tier(9_999, 1_000),))


async def succeeded(square: Square, count: int = MEMBERS) -> list[UUID]:
    """A group of so many that has just succeeded."""
    people = await square.people(count)
    await square.full_group(*people)
    return people


async def notices_each(square: Square) -> Any:
    """How many notices each who has any has, where that is the same for all."""
    return await square.value("SELECT max(n) FROM (SELECT count(*) AS n FROM notices GROUP BY account_id) AS each")


# each of these fails a statement of a step, after others of it have been done
_BREAKS = {
    "what is to be told": "INSERT ON tellings",
    "how far the outbox is read": "UPDATE ON outbox_readings",
    "the notices": "INSERT ON notices",
    "the deliveries": "INSERT ON deliveries",
    "how far it is told": "UPDATE ON tellings",
}


@pytest.mark.parametrize("broken", _BREAKS)
async def test_a_step_that_dies_is_done_again_as_a_whole(square: Square, broken: str) -> None:
    """Wherever it breaks off, nothing of it stays, and repeating it tells everybody once."""
    people = await succeeded(square)
    await square.shop.make("CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''broken''; END'")
    await square.shop.make(f"CREATE TRIGGER broken AFTER {_BREAKS[broken]} FOR EACH STATEMENT EXECUTE FUNCTION break()")
    with pytest.raises(DBAPIError, match="broken"):
        await square.tell(places_max=10)
    await square.shop.make(f"DROP TRIGGER broken ON {_BREAKS[broken].split()[-1]}")
    await square.tell(places_max=10)
    assert await square.value("SELECT count(*) FROM notices") == len(people)
    assert await notices_each(square) == 1
    assert await square.value("SELECT count(*) FROM deliveries") == len(people)


async def test_duties_at_once_tell_everybody_once(square: Square, engine: AsyncEngine) -> None:
    """Four of them, each with its own connections' locks, share the work, double nothing and count nobody twice."""
    people = [*await succeeded(square), *await succeeded(square)]
    joined = await square.people(MEMBERS)
    await square.group(*joined, schedule=FAR, group_size_max=10_000)
    await square.tell()
    await square.shop.make("UPDATE tellings SET told_through = 0, passed = 0, done_at = NULL, begun_at = NULL")
    await square.shop.make("DELETE FROM notices")
    await square.wait(BY_AND_BY_S)

    async def work() -> None:
        for _ in range(40):
            await read_outbox(engine)
            await tell_chunk(engine, places_max=7)

    await asyncio.gather(*(work() for _ in range(4)))
    await square.tell()
    assert await square.value("SELECT count(*) FROM notices") == len(people) + len(joined) - 1
    assert await notices_each(square) == 1
    assert await square.value("SELECT max(updates) FROM notices") == 0
    counts = "SELECT array_agg(n ORDER BY n) FROM (SELECT (facts ->> 'joined')::int FROM notices) AS counted (n)"
    assert (await square.value(counts))[: MEMBERS - 1] == list(range(1, MEMBERS))


async def test_a_huge_group_holds_up_no_other(square: Square) -> None:
    """Those of a small group are told after the first step, while the big one is not half told."""
    big = await succeeded(square, 60)
    small = await succeeded(square, 3)
    while await read_outbox(square.shop.engine):
        pass
    await tell_chunk(square.shop.engine, places_max=20)
    assert [await square.told(person) for person in small] == [[Kind.SUCCEEDED]] * 3
    assert 3 < await square.value("SELECT count(*) FROM notices") <= 20 < len(big)


async def test_one_that_cannot_be_told_holds_up_no_other(square: Square, engine: AsyncEngine) -> None:
    """Its rows break a promise: it is said, it waits, and the others are told."""
    await succeeded(square, 3)
    good = await succeeded(square, 3)
    first = await square.value("SELECT id::text FROM groups ORDER BY id LIMIT 1")
    await square.shop.make(f"ALTER TABLE notices ADD CONSTRAINT spoilt CHECK (about <> '{first}')")

    noticing = Noticing()
    context = Context(cast("Runtime", None), engine)  # it asks nothing of the process's other parts
    for _ in range(4):
        await noticing.step(context)
    assert [await square.told(person) for person in good] == [[Kind.SUCCEEDED]] * 3
    assert await square.value("SELECT count(*) FROM notices") == 3
    assert await postpone_first(engine) is None


async def test_five_hundred_joins_are_one_notice_and_few_pushes(square: Square) -> None:
    """A hot group: everybody has one unread notice that counts all who came after them, and three pushes at most."""
    people = await square.people(500)
    group_id = await square.group(people[0], schedule=FAR, group_size_max=10_000)
    pushes: list[str] = []
    for start in range(1, 500, 100):
        await asyncio.gather(*(square.shop.joined(group_id, person) for person in people[start : start + 100]))
        await square.tell_by_and_by(places_max=70)
        await square.wait(60)
        pushes += [parcel.account_id.hex for parcel in await square.sent()]
    assert await notices_each(square) == 1
    joined = "SELECT (facts ->> 'joined')::int FROM notices WHERE account_id = :account"
    assert await square.value(joined, account=people[0]) == 499
    counts = "SELECT array_agg((facts ->> 'joined')::int ORDER BY (facts ->> 'joined')::int) FROM notices"
    assert await square.value(counts) == list(range(1, 500))
    assert max(pushes.count(person.hex) for person in people) == 3


async def test_what_was_held_up_takes_no_notice_back(square: Square) -> None:
    """An older telling that is told after a newer one changes nothing, for who has read that and for who has not."""
    ann, ben, cat = [await square.person() for _ in range(3)]
    group_id = await square.group(ann, ben, cat, schedule=FAR, group_size_max=10_000)
    await square.tell_by_and_by()
    await square.shop.joined(group_id)
    await square.tell_by_and_by()
    await square.read_all(ann)
    before = [(await square.inbox(person), await square.due()) for person in (ann, ben)]
    held_up = "UPDATE tellings SET told_through = 0, passed = 0, done_at = NULL WHERE stage = 1 AND kind = 'joined'"
    await square.shop.make(held_up)
    await square.tell()
    assert [(await square.inbox(person), await square.due()) for person in (ann, ben)] == before
    assert [notices[0].joined for notices, _ in before] == [3, 2]


async def test_time_between_two_tellings_of_a_hot_group_grows(square: Square) -> None:
    """Joined every ten seconds for three hours, its leader is told nine times at most."""
    ann = await square.person(phones=0)
    group_id = await square.group(ann, schedule=FAR, group_lifetime_s=86_400, group_size_max=10_000)
    begun = "SELECT count(*) FROM tellings WHERE begun_at IS NOT NULL AND kind = 'joined'"
    for _ in range(60):
        await square.shop.joined(group_id)
        await square.tell()
        await square.wait(180)
    assert await square.value(begun) <= 9
    await square.wait(14_400)
    await square.tell()
    (notice,) = await square.inbox(ann)
    assert notice.joined == 60


async def test_a_closed_group_ends_what_was_gathered(square: Square) -> None:
    """Its fate is all that is told of it then."""
    ann, ben = await square.person(), await square.person()
    group_id = await square.group(ann, ben)
    await square.tell()
    await square.let_live(group_id, 7_200)
    await square.shop.tell(CloseGroup(group_id=group_id))
    await square.tell_by_and_by()
    assert await square.told(ann) == await square.told(ben) == [Kind.SUCCEEDED]
    async with square.shop.engine.connect() as connection:
        open_ones = await connection.execute(text("SELECT kind FROM tellings WHERE done_at IS NULL"))
        assert open_ones.scalars().all() == []


async def test_reading_and_bringing_up_to_date_do_not_wait_for_each_other(square: Square, engine: AsyncEngine) -> None:
    """Somebody in twenty hot groups reads with two phones while all of them go on: no call fails, everybody counts."""
    ann = await square.person()
    groups = [await square.group(ann, await square.person(), schedule=FAR, group_size_max=10_000) for _ in range(20)]

    async def read(order: int) -> None:
        ids = [notice.id for notice in await square.inbox(ann)]
        for _ in range(3):
            async with engine.begin() as connection:
                await mark_read(connection, ann, ids[::order])

    await square.tell_by_and_by()
    for _ in range(ROUNDS):
        for group_id in groups:
            await square.shop.joined(group_id)
        await asyncio.gather(square.tell_by_and_by(), read(1), read(-1))
    notices = [notice for notice in await square.inbox(ann) if notice.kind is Kind.JOINED]
    for group_id in groups:
        assert sum(notice.joined or 0 for notice in notices if notice.group_id == group_id) == 1 + ROUNDS
