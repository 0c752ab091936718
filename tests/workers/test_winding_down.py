"""Suspension: nothing new begins, what goes on is ended, and everybody's money goes back, whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.groupbuy.commands import BuyAlone, EndDeal, OpenGroup, PauseDeal, ResumeDeal
from domain.groupbuy.deal import Grouping
from domain.groupbuy.errors import DealPausedNow, GroupClosed
from domain.identity.permissions import Standing
from infra.identity.merchants import set_standing
from infra.ids import new_id
from infra.payments.checkout import PaymentTooLate
from infra.payments.port import GatewayState
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.money_shop import CARD, Purchase
from tests.money_truth import come_to_rest, money_is_true
from tests.waiting import eventually
from tests.workers.conftest import worker_process
from tests.workers.ground_truth import all_closed, closings, number, statuses
from tests.workers.paying_shop import PayingShop, carry_out
from workers import winding_down
from workers.duty import Context
from workers.winding_down import WindingDown

OPEN = "SELECT count(*) FROM groups WHERE status = 'open'"
CANCELLED = "SELECT count(*) FROM groups WHERE status = 'cancelled'"
LIFECYCLES = text("SELECT id, lifecycle FROM deals")
LOG = text("SELECT action, thing_id, actor_kind, after FROM audit ORDER BY id")


@pytest.fixture(params=["hold_and_capture", "pay_and_refund"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Every test of this module, with either kind of gateway."""
    return replace(settings, sandbox_strategy=request.param)


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with started(settings) as made:
        yield made


@pytest.fixture
async def shop(runtime: Runtime) -> PayingShop:
    return await _approved_shop(runtime)


async def test_everybody_gets_the_money_back(context: Context, shop: PayingShop) -> None:
    """Paid, still paying, in a group of a paused deal or of an ended one: nobody pays, and the books are even."""
    live, paused, ended = await shop.live(), await shop.live(), await shop.live()
    bought = [
        *await shop.paid_group(live, None, None, None, quantity=2),
        *await shop.paid_group(paused, None, None),
        *await shop.paid_group(ended, None),
    ]
    await shop.reserve(bought[0])
    unheard = await shop.reserve(bought[0])
    await shop.authorise(unheard)
    await shop.tell(PauseDeal(deal_id=paused, merchant_id=shop.merchant_id))
    await shop.tell(EndDeal(deal_id=ended, merchant_id=shop.merchant_id))
    await _stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    assert await _lifecycles(shop) == {live: "paused", paused: "paused", ended: "ended"}
    assert set(await statuses(shop.engine, _groups(bought))) == {"cancelled"}
    await carry_out(context)
    for purchase in bought:
        payment = await shop.at_gateway(purchase)
        assert payment.captured_minor == payment.refunded_minor
        assert payment.state is (GatewayState.PAID if payment.captured_minor else GatewayState.CANCELLED)
        assert await shop.payment_status(purchase) == "released"
    await come_to_rest(context)
    unheard_payment = await shop.at_gateway(unheard)
    assert unheard_payment.captured_minor == unheard_payment.refunded_minor
    assert await number(shop.engine, "SELECT count(*) FROM orders") == 0
    await shop.books_are_closed()
    await money_is_true(shop.engine)


async def test_what_was_sold_before_is_still_owed(context: Context, shop: PayingShop) -> None:
    """A group that succeeded before the suspension is settled as it was decided, and drafts stay drafts."""
    succeeded = await shop.paid_group(await shop.live(), None, None)
    await shop.close(succeeded[0])
    draft = await shop.draft()
    await _stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    await carry_out(context)
    assert await statuses(shop.engine, _groups(succeeded)) == ["succeeded"]
    assert [await shop.payment_status(purchase) for purchase in succeeded] == ["captured", "captured"]
    assert (await _lifecycles(shop))[draft] == "draft"


async def test_others_are_left_alone(context: Context, shop: PayingShop) -> None:
    """Only the suspended merchant's deals and groups are ended."""
    other = await _approved_shop(shop.runtime)
    (mine,) = await shop.paid_group(await shop.live(), None)
    (theirs,) = await other.paid_group(await other.live(), None)
    await _stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    assert await statuses(shop.engine, _groups([mine, theirs])) == ["cancelled", "open"]
    assert (await _lifecycles(shop))[theirs.deal_id] == "published"


async def test_nothing_new_begins_before_any_worker_comes(shop: PayingShop, settings: Settings) -> None:
    """Within a second no process opens a group of theirs or sells alone; nobody has paused the deals yet."""
    deal_id = await shop.live()
    async with started(settings, "other") as other:
        await _stands(shop, Standing.SUSPENDED)

        async def is_known() -> bool:
            return shop.merchant_id in other.suspensions.merchant_ids

        await eventually(is_known, "the other process to hear of it", 1.0)
        for begin in (_open(deal_id), BuyAlone(deal_id=deal_id, shopper_id=new_id(), order_id=new_id())):
            with pytest.raises(DealPausedNow):
                await other.tell(begin)
        assert (await _lifecycles(shop))[deal_id] == "published"
        await _stands(shop, Standing.APPROVED)
        await other.suspensions.look()
        await other.tell(_open(deal_id))


async def test_joins_race_with_the_suspension(context: Context, shop: PayingShop) -> None:
    """People open, join and pay while it happens: whoever got in before it gets everything back, nobody after it."""
    deal_id = await shop.live(group_size_max=200)
    first, *_ = await shop.paid_group(deal_id, None)
    begun = asyncio.Event()
    paid: list[Purchase] = []

    async def joining(number_of: int) -> None:
        try:
            bought = await (shop.reserve(first) if number_of % 3 else shop.reserve_first(deal_id))
            if number_of == 10:
                begun.set()
            paid.append(await shop.pay(bought))
        except (GroupClosed, DealPausedNow, PaymentTooLate):
            return

    async def suspending() -> None:
        await begun.wait()
        await _stands(shop, Standing.SUSPENDED)
        await WindingDown().step(context)

    await asyncio.gather(suspending(), *(joining(number_of) for number_of in range(60)))
    await WindingDown().step(context)
    assert await number(shop.engine, OPEN) == 0
    with pytest.raises(DealPausedNow):
        await shop.tell(_open(deal_id))
    await come_to_rest(context)
    assert paid
    for purchase in paid:
        payment = await shop.at_gateway(purchase)
        assert payment.captured_minor == payment.refunded_minor
    await shop.books_are_closed()
    await money_is_true(shop.engine)


async def test_two_workers_end_each_group_once(context: Context, shop: PayingShop, settings: Settings) -> None:
    """Doing it twice, or twice at once, cancels each group once and pauses each deal once."""
    deals = [await shop.live() for _ in range(3)]
    groups = _groups([(await shop.paid_group(deal_id, None))[0] for deal_id in deals for _ in range(5)])
    await _stands(shop, Standing.SUSPENDED)
    async with started(settings, "other") as other:
        contexts = (context, Context(other, context.by_key))
        await asyncio.gather(*(WindingDown().step(one) for one in contexts for _ in range(2)))
    assert [await closings(shop.engine, group_id) for group_id in groups] == [["GroupCancelled"]] * len(groups)
    assert await number(shop.engine, "SELECT count(*) FROM events WHERE type = 'DealPaused'") == len(deals)
    assert len(await _log(shop)) == len(deals) + len(groups)


async def test_it_is_in_the_log(context: Context, shop: PayingShop) -> None:
    """Its merchant reads that the worker paused the deal and cancelled the group, and why."""
    (bought,) = await shop.paid_group(await shop.live(), None)
    await _stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    paused, cancelled = await _log(shop)
    because = {"reason": "The merchant was suspended."}
    assert paused == ("deal.pause", bought.deal_id, "worker", {"lifecycle": "paused"} | because)
    told = {"status": "cancelled", "closed_by": "platform"} | because
    assert cancelled == ("group.cancel", bought.group_id, "worker", told)


async def test_it_is_over_when_nothing_is_left_and_everybody_knows(context: Context, shop: PayingShop) -> None:
    """The note goes only once nothing is published or open and what was let through before has surely ended."""
    await shop.paid_group(await shop.live(), None)
    await _stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    assert await _is_winding_down(shop)
    await shop.make("UPDATE merchants SET decided_at = decided_at - interval '1 minute'")
    late = await shop.draft()
    await shop.publish(late)  # let through before anybody knew
    await WindingDown().step(context)
    assert (await _lifecycles(shop))[late] == "paused"
    assert not await _is_winding_down(shop)


async def test_a_group_whose_deadline_has_come_is_the_clocks(context: Context, shop: PayingShop) -> None:
    """It closes as its count says, and winding down waits for that."""
    bought = await shop.paid_group(await shop.live(), None, None)
    await shop.let_time_pass(bought[0].deal_id, timedelta(hours=2))
    await _stands(shop, Standing.SUSPENDED)
    await shop.make("UPDATE merchants SET decided_at = decided_at - interval '1 minute'")
    await WindingDown().step(context)
    assert await statuses(shop.engine, _groups(bought)) == ["open"]
    assert await _is_winding_down(shop)


async def test_the_reinstated_merchant_resumes_what_is_wanted(context: Context, shop: PayingShop) -> None:
    """Deals stay paused, a crowd's group stays cancelled; what the merchant resumes opens groups and is left alone."""
    team, crowd = await shop.live(), await shop.live(grouping=Grouping.CROWD)
    await _stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    await _stands(shop, Standing.APPROVED)
    assert await _lifecycles(shop) == {team: "paused", crowd: "paused"}
    resume = ResumeDeal(deal_id=team, merchant_id=shop.merchant_id, crowd_group_id=new_id(), payment=CARD)
    await shop.tell(resume)
    await shop.runtime.suspensions.look()
    (bought,) = await shop.paid_group(team, None)
    await WindingDown().step(context)
    assert await statuses(shop.engine, _groups([bought])) == ["open"]
    assert (await _lifecycles(shop))[team] == "published"


async def test_a_group_that_cannot_be_cancelled_holds_up_no_other(
    context: Context, shop: PayingShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL refuses some groups: the others behind them are cancelled all the same."""
    monkeypatch.setattr(winding_down, "ROWS_AT_ONCE", 2)
    bad_deal = await shop.live()
    bad = [(await shop.paid_group(bad_deal, None))[0] for _ in range(3)]
    good_deal = await shop.live()
    good = [(await shop.paid_group(good_deal, None))[0] for _ in range(3)]
    await shop.make("UPDATE variants SET stock_left = stock WHERE deal_id = :deal", deal=bad_deal)
    await _stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    assert await statuses(shop.engine, _groups(bad + good)) == ["open"] * 3 + ["cancelled"] * 3


async def test_the_worker_is_killed_in_the_middle(
    shop: PayingShop, context: Context, settings: Settings, tmp_path: Path
) -> None:
    """Kill -9 while groups are being cancelled: the next worker goes on, and everybody has the money back once."""
    deals = [await shop.live() for _ in range(4)]
    bought = await asyncio.gather(*(shop.paid_group(deal_id, None, None) for deal_id in deals for _ in range(60)))
    purchases = [purchase for group in bought for purchase in group]

    async def some_are_cancelled() -> bool:
        return await number(shop.engine, CANCELLED) > 0

    with worker_process(settings, tmp_path / "killed.log") as worker:
        await _stands(shop, Standing.SUSPENDED)
        await eventually(some_are_cancelled, "the first cancelled group", 30)
        worker.kill()
    with worker_process(settings, tmp_path / "second.log"):
        await eventually(lambda: all_closed(shop.engine, _groups(purchases)), "every group cancelled", 30)
    await come_to_rest(context)
    assert await number(shop.engine, CANCELLED) == len(bought)
    assert await number(shop.engine, "SELECT count(*) FROM payments WHERE status <> 'released'") == 0
    await shop.books_are_closed()
    await money_is_true(shop.engine)


async def _approved_shop(runtime: Runtime) -> PayingShop:
    shop = PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)
    await shop.make(
        "INSERT INTO merchants (id, name, contact, status) VALUES (:id, 'Tea', 'tea@example.com', 'approved')",
        id=shop.merchant_id,
    )
    return shop


async def _stands(shop: PayingShop, standing: Standing) -> None:
    async with shop.engine.begin() as connection:
        await set_standing(connection, shop.merchant_id, standing, "Counterfeit goods.")


async def _lifecycles(shop: PayingShop) -> dict[UUID, str]:
    async with shop.engine.connect() as connection:
        return {row.id: row.lifecycle for row in await connection.execute(LIFECYCLES)}


async def _log(shop: PayingShop) -> list[tuple[object, ...]]:
    async with shop.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(LOG)]


async def _is_winding_down(shop: PayingShop) -> bool:
    return bool(await number(shop.engine, "SELECT count(*) FROM merchants WHERE winding_down"))


def _groups(bought: list[Purchase]) -> list[UUID]:
    return list(dict.fromkeys(purchase.group_id for purchase in bought if purchase.group_id is not None))


def _open(deal_id: UUID) -> OpenGroup:
    return OpenGroup(deal_id=deal_id, group_id=new_id(), shopper_id=new_id(), order_id=new_id())
