"""Suspension: nothing new begins, what goes on is ended, and everybody's money goes back."""

from datetime import timedelta

import pytest

from domain.groupbuy.commands import EndDeal, PauseDeal, ResumeDeal
from domain.groupbuy.deal import Grouping
from domain.identity.permissions import Standing
from infra.ids import new_id
from infra.payments.port import GatewayState
from tests.money_shop import CARD
from tests.money_truth import come_to_rest, money_is_true
from tests.workers.ground_truth import number, statuses
from tests.workers.paying_shop import PayingShop, carry_out
from tests.workers.winding_down.suspended import approved_shop, groups_of, is_winding_down, lifecycles, log, stands
from workers import winding_down
from workers.duty import Context
from workers.winding_down import WindingDown

OPEN = "SELECT count(*) FROM groups WHERE status = 'open'"
CANCELLED = "SELECT count(*) FROM groups WHERE status = 'cancelled'"


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
    await stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    assert await lifecycles(shop) == {live: "paused", paused: "paused", ended: "ended"}
    assert set(await statuses(shop.engine, groups_of(bought))) == {"cancelled"}
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
    await stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    await carry_out(context)
    assert await statuses(shop.engine, groups_of(succeeded)) == ["succeeded"]
    assert [await shop.payment_status(purchase) for purchase in succeeded] == ["captured", "captured"]
    assert (await lifecycles(shop))[draft] == "draft"


async def test_others_are_left_alone(context: Context, shop: PayingShop) -> None:
    """Only the suspended merchant's deals and groups are ended."""
    other = await approved_shop(shop.runtime)
    (mine,) = await shop.paid_group(await shop.live(), None)
    (theirs,) = await other.paid_group(await other.live(), None)
    await stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    assert await statuses(shop.engine, groups_of([mine, theirs])) == ["cancelled", "open"]
    assert (await lifecycles(shop))[theirs.deal_id] == "published"


async def test_it_is_in_the_log(context: Context, shop: PayingShop) -> None:
    """Its merchant reads that the worker paused the deal and cancelled the group, and why."""
    (bought,) = await shop.paid_group(await shop.live(), None)
    await stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    paused, cancelled = await log(shop)
    because = {"reason": "The merchant was suspended."}
    assert paused == ("deal.pause", bought.deal_id, "worker", {"lifecycle": "paused"} | because)
    told = {"status": "cancelled", "closed_by": "platform"} | because
    assert cancelled == ("group.cancel", bought.group_id, "worker", told)


async def test_it_is_over_when_nothing_is_left_and_everybody_knows(context: Context, shop: PayingShop) -> None:
    """The note goes only once nothing is published or open and what was let through before has surely ended."""
    await shop.paid_group(await shop.live(), None)
    await stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    assert await is_winding_down(shop)
    await shop.make("UPDATE merchants SET decided_at = decided_at - interval '1 minute'")
    late = await shop.draft()
    await shop.publish(late)  # let through before anybody knew
    await WindingDown().step(context)
    assert (await lifecycles(shop))[late] == "paused"
    assert not await is_winding_down(shop)


async def test_a_group_whose_deadline_has_come_is_the_clocks(context: Context, shop: PayingShop) -> None:
    """It closes as its count says, and winding down waits for that."""
    bought = await shop.paid_group(await shop.live(), None, None)
    await shop.let_time_pass(bought[0].deal_id, timedelta(hours=2))
    await stands(shop, Standing.SUSPENDED)
    await shop.make("UPDATE merchants SET decided_at = decided_at - interval '1 minute'")
    await WindingDown().step(context)
    assert await statuses(shop.engine, groups_of(bought)) == ["open"]
    assert await is_winding_down(shop)


async def test_the_reinstated_merchant_resumes_what_is_wanted(context: Context, shop: PayingShop) -> None:
    """Deals stay paused, a crowd's group stays cancelled; what the merchant resumes opens groups and is left alone."""
    team, crowd = await shop.live(), await shop.live(grouping=Grouping.CROWD)
    await stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    await stands(shop, Standing.APPROVED)
    assert await lifecycles(shop) == {team: "paused", crowd: "paused"}
    resume = ResumeDeal(deal_id=team, merchant_id=shop.merchant_id, crowd_group_id=new_id(), payment=CARD)
    await shop.tell(resume)
    await shop.runtime.suspensions.look()
    (bought,) = await shop.paid_group(team, None)
    await WindingDown().step(context)
    assert await statuses(shop.engine, groups_of([bought])) == ["open"]
    assert (await lifecycles(shop))[team] == "published"


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
    await stands(shop, Standing.SUSPENDED)
    await WindingDown().step(context)
    assert await statuses(shop.engine, groups_of(bad + good)) == ["open"] * 3 + ["cancelled"] * 3
