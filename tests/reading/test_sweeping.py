"""What the clock has to do, and that finding it out costs nothing beside a hundred thousand groups."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.groupbuy.commands import CloseGroup, PauseDeal, StartCrowd
from domain.groupbuy.deal import Grouping
from infra.ids import new_id
from infra.reading.sweeping import (
    BEGINNING,
    DUE_GROUPS,
    SECONDS_TO_FIRST_DEADLINE,
    WAITING_CROWDS,
    due_groups,
    next_deadline,
    sweep_lag_s,
    waiting_crowds,
)
from tests.reading.plans import plan_of
from tests.reading.shop import KETTLE, Shop

GROUPS = 100_000
DUE = 500
CROWDS = 20_000
LIFETIME_S = KETTLE.group_lifetime_s

# A group a second: the first ones open, half a thousand of those due, and the others closed long ago.
_MANY_GROUPS = """
INSERT INTO groups (deal_id, id, leader_id, terms, group_size_max, status, participants, units_by_variant,
                    next_tier_at, version, opened_at, expires_at, closed_at, closed_by)
SELECT deal_id, gen_random_uuid(), leader_id, terms, group_size_max, fate, participants, units_by_variant,
       next_tier_at, version, deadline - interval '1 hour', deadline,
       CASE fate WHEN 'failed' THEN deadline END, CASE fate WHEN 'failed' THEN 'deadline' END
FROM groups, generate_series(1, CAST(:groups AS int)) AS number,
     LATERAL (SELECT CASE WHEN number <= CAST(:open AS int) THEN 'open' ELSE 'failed' END AS fate) AS fates,
     LATERAL (SELECT now() + (number - CAST(:due AS int)) * interval '1 s'
                     - CASE fate WHEN 'failed' THEN interval '300 days' ELSE interval '0' END AS deadline) AS deadlines
WHERE id = :id
"""

# A thousandth waits for its start; the others have their group.
_MANY_CROWDS = """
INSERT INTO deals
SELECT (jsonb_populate_record(deals, jsonb_build_object(
  'id', gen_random_uuid(), 'starts_at', now() + interval '1 day',
  'crowd_group_id', CASE WHEN number % 1000 > 0 THEN gen_random_uuid() END))).*
FROM deals, generate_series(1, CAST(:deals AS int)) AS number WHERE id = :id
"""


async def test_nothing_is_due_where_nothing_is_open(connection: AsyncConnection) -> None:
    """An empty house has no deadline and no lag."""
    assert await due_groups(connection, 10) == []
    assert await waiting_crowds(connection, 10) == []
    assert await next_deadline(connection) is None
    assert await sweep_lag_s(connection) == 0


async def test_due_groups_are_the_open_ones_past_their_deadline(shop: Shop, connection: AsyncConnection) -> None:
    """The oldest first, no more than asked for, and none that is closed or has time left."""
    deals = [await shop.live() for _ in range(3)]
    younger, older, running = [await shop.opened(deal_id) for deal_id in deals]
    closed = await shop.opened(deals[1])
    await shop.let_time_pass(deals[0], timedelta(seconds=LIFETIME_S + 60))
    await shop.let_time_pass(deals[1], timedelta(seconds=LIFETIME_S + 120))
    await shop.tell(CloseGroup(group_id=closed))
    first, second = await due_groups(connection, 10)
    assert (first.id, second.id) == (older, younger)
    assert await due_groups(connection, 1) == [first]
    assert await due_groups(connection, 10, first) == [second]
    assert await next_deadline(connection) == 0
    assert 120 <= await sweep_lag_s(connection) < 150
    for group_id in (older, younger):
        await shop.tell(CloseGroup(group_id=group_id))
    assert await due_groups(connection, 10) == []
    assert await sweep_lag_s(connection) == 0
    seconds = await next_deadline(connection)
    assert seconds is not None
    assert LIFETIME_S - 30 < seconds <= LIFETIME_S
    assert running not in {due.id for due in await due_groups(connection, 10)}


async def test_crowds_wait_once_their_start_has_come(shop: Shop, connection: AsyncConnection) -> None:
    """Live crowd deals without a group, the first to begin in front; none that is over, paused, a team or open."""
    soon, late = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) + timedelta(hours=9)
    crowd = Grouping.CROWD
    second = await shop.live(grouping=crowd, starts_at=soon, ends_at=late)
    first = await shop.live(grouping=crowd, starts_at=soon, ends_at=late)
    paused = await shop.live(grouping=crowd, starts_at=soon, ends_at=late)
    over = await shop.live(grouping=crowd, starts_at=soon, ends_at=late)
    team = await shop.live(starts_at=soon, ends_at=late)
    await shop.live(grouping=crowd)
    await shop.draft(grouping=crowd)
    assert await waiting_crowds(connection, 10) == []
    await shop.tell(PauseDeal(deal_id=paused, merchant_id=shop.merchant_id))
    for deal_id, hours in ((second, 2), (first, 3), (paused, 2), (team, 2), (over, 24)):
        await shop.let_time_pass(deal_id, timedelta(hours=hours))
    assert await waiting_crowds(connection, 10) == [first, second]
    assert await waiting_crowds(connection, 1) == [first]
    for deal_id in (first, second):
        await shop.tell(StartCrowd(deal_id=deal_id, group_id=new_id()))
    assert await waiting_crowds(connection, 10) == []


@pytest.mark.parametrize("open_groups", [1_000, GROUPS - 1_000])
async def test_a_sweep_walks_the_partial_index(shop: Shop, connection: AsyncConnection, open_groups: int) -> None:
    """Beside 100,000 groups, most of them closed or most of them open, a sweep touches only the rows it wants."""
    group_id = await shop.opened(await shop.live())
    await shop.make(_MANY_GROUPS, groups=GROUPS, open=open_groups, due=DUE, id=group_id)
    await shop.make("ANALYZE groups")
    assert DUE <= len(await due_groups(connection, 1_000)) < DUE + 60  # one more falls due each second
    assert await next_deadline(connection) == 0
    assert DUE - 1 <= await sweep_lag_s(connection) < DUE + 60
    for statement in (DUE_GROUPS, SECONDS_TO_FIRST_DEADLINE):
        plan, blocks = await plan_of(
            connection, statement, limit=1_000, after=BEGINNING.expires_at, after_id=BEGINNING.id
        )
        assert "groups_due_index" in plan, plan
        assert blocks < 2 * DUE, plan


async def test_looking_for_crowds_walks_the_partial_index(shop: Shop, connection: AsyncConnection) -> None:
    """Beside 20,000 crowds that have their group, only those without one are looked at."""
    deal_id = await shop.live(grouping=Grouping.CROWD)
    await shop.make(_MANY_CROWDS, deals=CROWDS, id=deal_id)
    await shop.make("ANALYZE deals")
    plan, blocks = await plan_of(connection, WAITING_CROWDS, limit=1_000)
    assert "deals_crowd_waiting_index" in plan, plan
    assert blocks < 50, plan
