"""What an inbox and a duty read goes along indexes, however much else there is."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.notices.kinds import Channel, Kind
from infra.notices import inbox, leasing, reminding
from infra.notices.keeping import (
    _FORGET_OLD,
    _FORGET_TOLD,
    _TRIM,
    NOTICES_PER_ACCOUNT_MAX,
    forget_old_notices,
    trim_inboxes,
)
from infra.notices.members import _CHUNK
from infra.statement import json_text
from tests.notices.square import Square
from tests.reading.plans import plan_of

OTHERS = 8_000
BLOCKS_MAX = 500
LARGE = {
    *("notices", "deliveries", "tellings", "accounts", "devices", "payments", "settlements"),
    "participants",
    "groups",
}

_TOLD = """
  INSERT INTO notices (id, account_id, about, kind, stage, deal_id, group_id, facts, at, created_at)
  SELECT gen_random_uuid(), id, gen_random_uuid(), 'succeeded', 0, gen_random_uuid(), gen_random_uuid(), '{}',
    now() - number * interval '1 minute', now()
  FROM accounts, generate_series(1, 3) AS number"""

_TO_BE_SENT = """
  INSERT INTO deliveries (notice_id, channel, target, due_at)
  SELECT n.id, 'push', d.id, now() + interval '1 hour' FROM notices n JOIN devices d USING (account_id)"""
_MANY_OF_ONE = """
  INSERT INTO notices (id, account_id, about, kind, stage, deal_id, facts, at, created_at, read_at)
  SELECT gen_random_uuid(), :id, gen_random_uuid(), 'failed', 0, gen_random_uuid(), '{}', now(), now(), now()
  FROM generate_series(1, 197)"""
_DONE = """
  INSERT INTO tellings (about, kind, stage, deal_id, due_at, done_at)
  SELECT id, 'failed', 0, id, now(), now() FROM accounts"""


@pytest.fixture
async def account(square: Square) -> UUID:
    """One of thousands, all of whom were told and sent something; this one as much as is kept."""
    people = await square.people(OTHERS)
    await square.shop.make(_MANY_OF_ONE, id=people[0])
    for statement in (
        _TOLD,
        _TO_BE_SENT,
        "UPDATE deliveries SET due_at = now() WHERE notice_id IN (SELECT id FROM notices LIMIT 10)",
        _DONE,
        "ANALYZE accounts, devices, notices, deliveries, tellings",
    ):
        await square.shop.make(statement)
    return people[0]


async def test_reading_goes_along_indexes(account: UUID, engine: AsyncEngine) -> None:
    """An inbox, its count (most are read: it looks at each once), a claim, a chunk of members, and tidying up."""
    claimed = {
        "id": 1,
        "kind": "joined",
        "about": account,
        "deal_id": account,
        "group_id": account,
        "order_id": None,
        "numbers_max": 5,
        "told_through": 0,
        "passed": 0,
        "places_max": 10,
    }
    page = {"after_at": "2026-01-01", "after_id": account}
    cases: list[tuple[TextClause, dict[str, Any]]] = [
        (inbox._page(is_first=True), {"shopper_id": account, "rows_max": 21}),
        (inbox._page(is_first=False), {"shopper_id": account, "rows_max": 21, **page}),
        (inbox._COUNT, {"shopper_id": account}),
        (inbox._READ_UP_TO, {"shopper_id": account, "id": account, "shown_at": "2026-01-01"}),
        (
            leasing._CLAIM,
            {"channel": Channel.PUSH, "targets_max": 10, "notices_max": 20, "ahead_s": 10.0, "lease_s": 60.0},
        ),
        (_CHUNK, {"claimed": json_text([claimed])}),
        (reminding._REMIND, {"kind": Kind.PAYMENT_NEEDED, "left_s": 30.0, "after_s": 90.0, "rows_max": 500}),
        (_FORGET_OLD, {"days": 90, "rows_max": 1_000}),
        (_FORGET_TOLD, {"days": 30, "rows_max": 1_000}),
        (_TRIM, {"after": account, "accounts_max": 10, "notices_max": 200}),
    ]
    for statement, asked in cases:
        async with engine.connect() as connection:
            plan, blocks = await plan_of(connection, statement, **asked)
        for table in LARGE:
            assert f'"Relation Name": "{table}"' not in "".join(_scanned(plan)), plan
        assert blocks < (NOTICES_PER_ACCOUNT_MAX + 20 if statement is inbox._COUNT else BLOCKS_MAX), plan


def _scanned(plan: str) -> list[str]:
    """The lines after each scan of a whole table."""
    lines = plan.splitlines()
    return [line for at, found in enumerate(lines) if '"Seq Scan"' in found for line in lines[at : at + 8]]


async def test_an_inbox_keeps_the_newest(square: Square, engine: AsyncEngine) -> None:
    """Two hundred of each, none older than ninety days; deliveries go with them, whoever is next is looked at too."""
    ann, ben = await square.person(), await square.person()
    await square.shop.make(_TOLD.replace("generate_series(1, 3)", "generate_series(1, 230)"))
    await square.shop.make(
        "UPDATE notices SET at = at - interval '91 days' WHERE account_id = :id AND at > now() - interval '21 minutes'",
        id=ben,
    )
    await square.shop.make(
        "INSERT INTO deliveries (notice_id, channel, target, due_at) SELECT id, 'push', id, now() FROM notices"
    )
    assert await forget_old_notices(engine, rows_max=15)
    assert not await forget_old_notices(engine, rows_max=15)
    assert await trim_inboxes(engine, UUID(int=0)) is None
    kept = "SELECT count(*) FROM notices WHERE account_id = :id"
    assert [await square.value(kept, id=one) for one in (ann, ben)] == [NOTICES_PER_ACCOUNT_MAX] * 2
    oldest = "SELECT min(at) > now() - interval '201 minutes' FROM notices WHERE account_id = :id"
    assert await square.value(oldest, id=ann)
    assert await square.value("SELECT count(*) FROM deliveries") == 2 * NOTICES_PER_ACCOUNT_MAX


async def test_tellings_are_forgotten_after_a_month(square: Square, engine: AsyncEngine) -> None:
    """They say that something was told; by then nothing of it comes again."""
    await square.shop.make(
        "INSERT INTO tellings (about, kind, stage, deal_id, due_at, done_at)"
        " SELECT gen_random_uuid(), 'failed', 0, gen_random_uuid(), now(), now() - days * interval '1 day'"
        " FROM generate_series(0, 40) AS days"
    )
    assert not await forget_old_notices(engine)
    assert await square.value("SELECT count(*) FROM tellings") == 31
