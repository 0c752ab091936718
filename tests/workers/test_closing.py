"""Closing by the clock: what is due closes, once, whoever and whatever else is at work."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from domain.errors import DomainError
from domain.groupbuy.commands import JoinGroup
from domain.groupbuy.deal import Grouping
from domain.pricing.schedule import PriceSchedule, Tier
from infra.ids import new_id
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.reading.shop import Shop
from tests.waiting import eventually
from tests.workers.ground_truth import all_closed, closing_delays_s, closings, number, statuses
from workers import closing
from workers.closing import Closing
from workers.duties import performed
from workers.duty import Context

LATE_S_MAX = 1.0
PAST = timedelta(hours=2)


async def test_due_groups_get_the_fate_of_their_count(context: Context, shop: Shop) -> None:
    """At the deadline a group succeeds from its first tier on and fails below it; others stay open."""
    due = await shop.live()
    tipped, short = await shop.opened(due, 3), await shop.opened(due, 1)
    later = await shop.opened(await shop.live(), 3)
    await shop.let_time_pass(due, PAST)
    await Closing().step(context)
    assert await statuses(shop.engine, [tipped, short, later]) == ["succeeded", "failed", "open"]


async def test_one_bad_group_holds_up_no_other(context: Context, shop: Shop) -> None:
    """A group that PostgreSQL refuses to close stays open alone: the sweep is no single transaction."""
    deal_id = await shop.live()
    groups = [await shop.opened(deal_id) for _ in range(6)]
    bad = groups[0]
    await shop.let_time_pass(deal_id, PAST)
    # Giving back more units than were ever in stock breaks a constraint.
    await shop.make(
        "UPDATE groups SET units_by_variant = (SELECT jsonb_build_object(id, 5000) FROM variants"
        " WHERE deal_id = groups.deal_id) WHERE id = :bad",
        bad=bad,
    )
    await Closing().step(context)
    assert await statuses(shop.engine, groups) == ["open"] + ["failed"] * 5


async def test_more_bad_groups_than_one_look_takes_hold_up_no_other(
    context: Context, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep goes on behind groups it could not close, however many there are."""
    monkeypatch.setattr(closing, "GROUPS_AT_ONCE", 2)
    bad_deal, good_deal = await shop.live(), await shop.live()
    bad = [await shop.opened(bad_deal) for _ in range(5)]
    good = [await shop.opened(good_deal) for _ in range(5)]
    await shop.let_time_pass(bad_deal, PAST + timedelta(hours=1))
    await shop.let_time_pass(good_deal, PAST)
    await shop.make("UPDATE variants SET stock_left = stock WHERE deal_id = :deal", deal=bad_deal)
    await Closing().step(context)
    assert await statuses(shop.engine, bad + good) == ["open"] * 5 + ["failed"] * 5


async def test_two_sweepers_close_each_group_once(context: Context, shop: Shop, settings: Settings) -> None:
    """Two processes sweep the same due groups at once: each group has exactly one closing event (promise 5)."""
    deals = [await shop.live() for _ in range(3)]
    groups = [await shop.opened(deal_id, 2) for deal_id in deals for _ in range(20)]
    for deal_id in deals:
        await shop.let_time_pass(deal_id, PAST)
    async with started(settings, "other") as other:
        await asyncio.gather(
            *(
                Closing().step(Context(runtime, context.by_key))
                for runtime in (context.runtime, other)
                for _ in range(2)
            )
        )
    assert [await closings(shop.engine, group_id) for group_id in groups] == [["GroupSucceeded"]] * len(groups)


async def test_joins_against_the_deadline(context: Context, shop: Shop) -> None:
    """Whoever got a place came before the deadline and counts; whoever came after was refused; it closes once."""
    deal_id = await shop.live(
        group_lifetime_s=1, group_size_max=5_000, schedule=PriceSchedule(2_000, (Tier(2, 1_800), Tier(400, 1_500)))
    )
    await shop.make("UPDATE variants SET stock = 9000, stock_left = 9000 WHERE deal_id = :deal", deal=deal_id)
    group_id = await shop.opened(deal_id, 2)
    accepted = refused = 0
    async with performed(context.runtime, is_worker=True):
        while refused < 50:
            outcomes = await asyncio.gather(*(_try_to_join(context.runtime, group_id) for _ in range(25)))
            accepted += sum(outcomes)
            refused += len(outcomes) - sum(outcomes)
        await eventually(lambda: all_closed(shop.engine, [group_id]), "the closing")
    assert await closings(shop.engine, group_id) == ["GroupSucceeded"]
    counted = "SELECT count(*) FROM participants p JOIN groups g ON g.id = group_id WHERE g.id = :id"
    assert await number(shop.engine, counted, id=group_id) == accepted + 2
    assert await number(shop.engine, f"{counted} AND joined_at >= expires_at", id=group_id) == 0
    assert await number(shop.engine, "SELECT participants FROM groups WHERE id = :id", id=group_id) == accepted + 2


async def test_a_group_closes_within_a_second_of_its_deadline(runtime: Runtime, shop: Shop) -> None:
    """Deadlines that come one after the other are each met by themselves, not by the next look a second later."""
    deal_id = await shop.live(group_lifetime_s=1)
    async with performed(runtime, is_worker=True):
        groups = []
        for _ in range(10):
            groups.append(await shop.opened(deal_id))
            await asyncio.sleep(0.05)  # deadlines some way apart are the point here
        await eventually(lambda: all_closed(shop.engine, groups), "all closings")
    delays = await closing_delays_s(shop.engine, groups)
    assert min(delays) >= 0
    assert max(delays) < LATE_S_MAX


async def test_a_locked_deal_holds_up_no_other(runtime: Runtime, shop: Shop) -> None:
    """Promise 5 while somebody keeps deals locked whose groups are due: all others close within the second."""
    stuck = [await shop.live(group_lifetime_s=1) for _ in range(3)]
    held_up = [await shop.opened(deal_id) for deal_id in stuck]
    others = [await shop.live(group_lifetime_s=1) for _ in range(10)]
    async with performed(runtime, is_worker=True), shop.engine.begin() as locking:
        await locking.execute(text("SELECT FROM deals WHERE id = ANY(:ids) FOR UPDATE"), {"ids": stuck})
        groups = []
        for deal_id in others:
            groups.append(await shop.opened(deal_id))
            await asyncio.sleep(0.1)  # so that some fall due before, some after the lock is found out
        await eventually(lambda: all_closed(shop.engine, groups), "the others' closings")
        assert not await all_closed(shop.engine, held_up)
        await locking.rollback()
        await eventually(lambda: all_closed(shop.engine, held_up), "the closings that were held up")
    assert max(await closing_delays_s(shop.engine, groups)) < LATE_S_MAX


async def test_a_waiting_crowd_is_started_once(context: Context, shop: Shop, settings: Settings) -> None:
    """A crowd deal published for later gets its one group when it goes live, though two look at once."""
    starts_at = datetime.now(UTC) + timedelta(hours=1)
    deal_id = await shop.live(grouping=Grouping.CROWD, starts_at=starts_at, ends_at=starts_at + timedelta(days=2))
    await Closing().step(context)
    opened = "SELECT count(*) FROM groups WHERE deal_id = :deal"
    assert await number(shop.engine, opened, deal=deal_id) == 0
    await shop.let_time_pass(deal_id, timedelta(hours=1))
    async with started(settings, "other") as other:
        await asyncio.gather(*(Closing().step(Context(one, context.by_key)) for one in (context.runtime, other)))
    assert await number(shop.engine, opened, deal=deal_id) == 1


async def _try_to_join(runtime: Runtime, group_id: UUID) -> bool:
    try:
        await runtime.tell(JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=new_id()))
    except DomainError:
        return False
    return True
