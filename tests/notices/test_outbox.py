"""Reading the real outbox: rows that are committed late, rows that never come, and a hundred thousand of them."""

import asyncio
import time
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.notices.kinds import Kind
from infra.notices.outbox import _IS_ANYTHING, _LOOK, READER, ROWS_AT_ONCE, RUNS_MAX, read_outbox
from infra.notices.telling import _CLAIM
from infra.settings import Settings
from tests.notices.square import Square
from tests.reading.plans import plan_of

ROWS = 100_000
BLOCKS_MAX = 150

_LATE_ROW = """
  INSERT INTO outbox (deal_id, group_id, version, events, at)
  SELECT deal_id, id, version, '[{"type":"GroupSucceeded"}]', now() FROM groups WHERE id = $1"""

_OTHER_ROWS = """
  INSERT INTO outbox (deal_id, group_id, version, events, at)
  SELECT gen_random_uuid(), gen_random_uuid(), 1, '[]', now() FROM generate_series(1, $1::int)"""


async def test_rows_committed_late_are_read(square: Square, settings: Settings) -> None:
    """One with a lower id comes when higher ones have long been read; one that is rolled back is waited for no more."""
    ann, ben = await square.person(), await square.person()
    slow, lost = [await asyncpg.connect(settings.database_url) for _ in range(2)]
    group_id = await square.full_group(ann, ben)
    await square.shop.make("DELETE FROM outbox")  # its story is told by the slow one
    begun = [connection.transaction() for connection in (slow, lost)]
    for transaction, connection in zip(begun, (slow, lost), strict=True):
        await transaction.start()
        await connection.execute("SELECT FROM deals FOR KEY SHARE")
        await connection.execute(_LATE_ROW, group_id)
    await square.full_group(*[await square.person() for _ in range(2)])
    await square.tell()
    assert await square.told(ann) == []
    missing = """
      SELECT coalesce(sum((run ->> 1)::int - (run ->> 0)::int + 1), 0)
      FROM outbox_readings, jsonb_array_elements(missing) AS run"""
    assert await square.value(missing) >= 2
    await begun[0].commit()
    await square.tell()
    assert await square.told(ann) == await square.told(ben) == [Kind.SUCCEEDED]
    await begun[1].rollback()
    await square.tell()
    assert await square.value(missing) == 0
    await asyncio.gather(slow.close(), lost.close())


async def test_more_rows_than_are_looked_for_at_once_may_come_late(square: Square, settings: Settings) -> None:
    """A big transaction that takes long: the last of its rows is read, too."""
    ann, ben = await square.person(), await square.person()
    group_id = await square.full_group(ann, ben)
    await square.shop.make("DELETE FROM outbox")
    slow = await asyncpg.connect(settings.database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("SELECT FROM deals FOR KEY SHARE")
    await slow.execute(_OTHER_ROWS, ROWS_AT_ONCE + 100)
    await slow.execute(_LATE_ROW, group_id)
    await square.full_group(*[await square.person() for _ in range(2)])
    await square.tell()
    await transaction.commit()
    await square.tell()
    assert await square.told(ann) == await square.told(ben) == [Kind.SUCCEEDED]
    await slow.close()


async def test_with_too_much_missing_nothing_further_is_read(square: Square, engine: AsyncEngine) -> None:
    """Late, but nothing is lost: it goes on when some of it is over."""
    await square.full_group(*await square.people(2))
    runs = ",".join(f"[{-2 * number},{-2 * number},null]" for number in range(1, RUNS_MAX + 1))
    await square.shop.make("UPDATE outbox_readings SET missing = CAST(:runs AS jsonb)", runs=f"[{runs}]")
    before = await square.value("SELECT through FROM outbox_readings")
    await read_outbox(engine)
    assert await square.value("SELECT through FROM outbox_readings") == before
    await square.tell()
    assert await square.value("SELECT count(*) FROM notices") == 2


@pytest.fixture
async def long_outbox(square: Square) -> UUID:
    """A hundred thousand rows that have been read, of as many groups; and one whose group has just succeeded."""
    await square.shop.make(
        "INSERT INTO outbox (deal_id, group_id, version, events, at)"
        """ SELECT gen_random_uuid(), gen_random_uuid(), 1, '[{"type":"ParticipantJoined"}]', now()"""
        " FROM generate_series(1, :rows)",
        rows=ROWS,
    )
    await square.shop.make(
        "INSERT INTO tellings (about, kind, stage, deal_id, group_id, due_at, begun_at, done_at)"
        " SELECT group_id, 'joined', 1, deal_id, group_id, now(), now(), now() FROM outbox"
    )
    await square.shop.make("UPDATE outbox_readings SET through = (SELECT max(id) FROM outbox)")
    people = await square.people(2)
    await square.full_group(*people)
    await square.shop.make("ANALYZE outbox, tellings, outbox_readings")
    return people[0]


async def test_a_long_outbox_slows_nothing(square: Square, long_outbox: UUID, engine: AsyncEngine) -> None:
    """What is new is found along the ids, whatever lies below."""
    asked = {"firsts": [], "lasts": [], "through": ROWS, "rows_max": 1_000, "fresh_max": 1_000}
    async with engine.connect() as connection:
        for statement, parameters in (
            (_IS_ANYTHING, {"reader": READER}),
            (text(str(_LOOK).replace(":firsts", "'{}'").replace(":lasts", "'{}'")), {**asked}),
            (_CLAIM, {"tellings_max": 200}),
        ):
            wanted = {name: value for name, value in parameters.items() if f":{name}" in str(statement)}
            plan, blocks = await plan_of(connection, statement, **wanted)
            assert blocks < BLOCKS_MAX, plan
    began_at = time.monotonic()
    await square.tell()
    assert await square.told(long_outbox) == [Kind.SUCCEEDED]
    assert time.monotonic() - began_at < 2


async def test_a_backlog_is_caught_up_with(square: Square, engine: AsyncEngine) -> None:
    """Ten thousand rows nobody has read yet, in steps of a thousand at most; each step does its part."""
    await square.shop.make(
        "INSERT INTO outbox (deal_id, group_id, version, events, at)"
        """ SELECT gen_random_uuid(), gen_random_uuid(), 1, '[{"type":"ParticipantJoined"}]', now()"""
        " FROM generate_series(1, 10000)"
    )
    steps = 0
    while await read_outbox(engine):
        steps += 1
    assert 10 <= steps <= 11
    assert await square.value("SELECT through - (SELECT max(id) FROM outbox) FROM outbox_readings") == 0
