"""What a gateway and a network may do to us: every payment ends as it was decided, once."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from structlog.testing import capture_logs

from domain.groupbuy.commands import LapsePayment
from domain.groupbuy.payment import LapsedBecause
from domain.pricing.steps import Strategy
from infra.payments.port import GatewayRefused, GatewayState
from tests.money_shop import Purchase
from tests.workers.ground_truth import number
from tests.workers.hostile_gateway import HostileGateway, Trouble
from tests.workers.paying.outcomes import carry_out_in_time, hostile, kept, refund, succeeded
from tests.workers.paying_shop import PayingShop, carry_out
from workers.carrying_out import NEVER_HEARD_AFTER_S
from workers.duty import Context
from workers.paying import ATTEMPTS_MAX, BACKOFF_MAX_S
from workers.settling import settle_chunk

WITH_BOTH = pytest.mark.parametrize("strategy", list(Strategy))
BROKE = GatewayRefused("card_declined", "The card's bank declined.")
LOCKED_OUT = GatewayRefused("gateway_credentials", "The key is not accepted.")


@WITH_BOTH
@pytest.mark.parametrize("trouble", list(Trouble))
async def test_an_unanswered_step_has_one_effect(
    context: Context, shop: PayingShop, strategy: Strategy, trouble: Trouble
) -> None:
    """A settlement whose call got no answer, done or not, is done once in the end, by a gateway that keeps no keys."""
    gateway = hostile(shop.runtime, strategy)
    bought = await shop.paid_group(await shop.live(), None, None, None, None)
    await shop.close(bought[0])
    step = "capture" if strategy is Strategy.HOLD_AND_CAPTURE else "refund"
    gateway.will(step, trouble, trouble)
    await carry_out_in_time(context, shop)
    for purchase in bought:
        assert kept(gateway, purchase) == 1_500
        assert gateway.done[(step, purchase.order_id)] == 1
        assert gateway.keys[(step, purchase.order_id)] == {f"{purchase.order_id}:{step}"}
        assert await shop.payment_status(purchase) == "captured"
    await shop.books_are_closed()


@WITH_BOTH
@pytest.mark.parametrize(("friends", "kept_minor"), [(0, 0), (1, 1_800), (3, 1_500)])
async def test_a_gateway_that_takes_money_another_way_now_settles_what_it_took_before(
    context: Context, shop: PayingShop, strategy: Strategy, friends: int, kept_minor: int
) -> None:
    """Taken the one way, settled when the gateway works the other: what is decided is kept, nothing, all or a part."""
    gateway = hostile(shop.runtime, strategy)
    bought = await shop.paid_group(await shop.live(), *[None] * (friends + 1))
    (gateway.strategy,) = set(Strategy) - {strategy}
    await shop.close(bought[0])
    await carry_out_in_time(context, shop)
    for purchase in bought:
        assert kept(gateway, purchase) == kept_minor
        assert gateway.payments[purchase.order_id].state is not GatewayState.HELD
        assert (await shop.settlement(purchase))["status"] == "done"
    await shop.books_are_closed()


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_an_unanswered_release_has_one_effect(
    context: Context, shop: PayingShop, gateway: HostileGateway, trouble: Trouble
) -> None:
    """The same for a hold that is released."""
    (bought,) = await shop.paid_group(await shop.live(), None)
    await shop.close(bought)
    gateway.will("cancel", trouble)
    await carry_out_in_time(context, shop)
    assert gateway.payments[bought.order_id].state is GatewayState.CANCELLED
    assert await shop.payment_status(bought) == "released"
    await shop.books_are_closed()


@WITH_BOTH
async def test_unanswered_refunds_of_the_same_amount_are_told_apart(
    context: Context, shop: PayingShop, strategy: Strategy
) -> None:
    """Two refunds of 300: one was made and its answer lost, one was never made; both are made once in the end."""
    gateway = hostile(shop.runtime, strategy)
    bought, *_ = await succeeded(shop)
    await carry_out(context)
    kept_before = kept(gateway, bought)
    gateway.will("refund", Trouble.ANSWER_LOST, Trouble.NO_ANSWER)
    for _ in range(2):
        await shop.tell(refund(shop, bought, 300))
    await carry_out_in_time(context, shop)
    assert kept_before - kept(gateway, bought) == 600
    assert await number(shop.engine, "SELECT count(*) FROM refunds WHERE is_made") == 2


async def test_a_refused_capture_costs_nobody_else_anything(
    context: Context, shop: PayingShop, gateway: HostileGateway
) -> None:
    """The others pay the same price; units go back to stock, the place is dropped, and no hold is left behind."""
    deal_id = await shop.live()
    bought = await shop.paid_group(deal_id, None, None, None, None)
    await shop.close(bought[0])
    gateway.will("capture", BROKE)
    await carry_out(context)
    paid = [gateway.payments[purchase.order_id].captured_minor for purchase in bought]
    assert sorted(paid) == [0, 1_500, 1_500, 1_500]
    refused = bought[paid.index(0)]
    assert gateway.payments[refused.order_id].state is GatewayState.CANCELLED
    assert (await shop.settlement(refused))["status"] == "failed"
    dropped = "SELECT count(*) FROM participants WHERE dropped_at IS NOT NULL AND order_id = :id"
    assert await number(shop.engine, dropped, id=refused.order_id) == 1
    assert await shop.stock_left(deal_id) == 997
    assert await _refused_because(shop, refused) == "card_declined"
    await shop.books_are_closed()


async def test_a_hold_that_has_expired_is_a_refused_capture(
    context: Context, shop: PayingShop, gateway: HostileGateway
) -> None:
    """The money is not there any more, whether the gateway says so at the capture or at a look."""
    first, second, third = await shop.paid_group(await shop.live(), None, None, None)
    await shop.close(first)
    for purchase in (first, second):
        payment = gateway.payments[purchase.order_id]
        gateway.payments[purchase.order_id] = msgspec.structs.replace(
            payment, state=GatewayState.CANCELLED, hold_expires_at=datetime.now(UTC) - timedelta(seconds=1)
        )
    while await settle_chunk(context.by_key):
        pass
    await shop.make("UPDATE settlements SET attempts = 1 WHERE order_id = :id", id=second.order_id)
    await carry_out(context)
    for purchase in (first, second):
        assert await _refused_because(shop, purchase) == "hold_expired"
    assert gateway.payments[third.order_id].captured_minor == 1_800
    await shop.books_are_closed()


async def test_a_fault_of_ours_takes_nobodys_place(context: Context, shop: PayingShop, gateway: HostileGateway) -> None:
    """A gateway that does not accept our key says nothing about the shopper: it is tried again, and then it is done."""
    bought = await succeeded(shop)
    gateway.will("capture", *[LOCKED_OUT] * len(bought))
    await carry_out(context)
    for purchase in bought:
        settlement = await shop.settlement(purchase)
        assert (settlement["status"], settlement["last_error"]) == ("pending", "The key is not accepted.")
    await carry_out_in_time(context, shop)
    assert [await shop.payment_status(purchase) for purchase in bought] == ["captured"] * len(bought)


async def test_a_gateway_that_is_away_is_asked_more_and_more_rarely_and_then_no_more(
    context: Context, shop: PayingShop, gateway: HostileGateway
) -> None:
    """Rests double up to an hour; after the last attempt it waits for a person, who is told once what to do."""
    (bought,) = await shop.paid_group(await shop.live(), None)
    await shop.close(bought)
    gateway.will("cancel", *[Trouble.NO_ANSWER] * ATTEMPTS_MAX)
    rests_s: list[float] = []
    rest = "SELECT extract(epoch FROM next_attempt_at - clock_timestamp())::float AS rest_s FROM settlements"
    with capture_logs() as logs:
        for _ in range(ATTEMPTS_MAX):
            await carry_out(context)
            rests_s.append((await shop.row(rest))["rest_s"])
            await shop.let_leases_pass()
        await carry_out(context)
    assert all(before < 1.01 * after for before, after in pairwise(rests_s[:11]))
    assert all(rest_s <= BACKOFF_MAX_S for rest_s in rests_s)
    settlement = await shop.settlement(bought)
    assert (settlement["status"], settlement["attempts"]) == ("dead", ATTEMPTS_MAX)
    assert settlement["last_error"] == "The gateway said nothing."
    assert [log["order_id"] for log in logs if log["event"] == "payment_dead"] == [str(bought.order_id)]
    assert gateway.payments[bought.order_id].state is GatewayState.HELD


async def test_a_payment_nobody_heard_of_is_over_only_when_it_cannot_come_any_more(
    context: Context, shop: PayingShop, gateway: HostileGateway
) -> None:
    """The call that makes a payment may still be under way when its place lapses; what it brings goes back then."""
    bought = await shop.reserve_first(await shop.live())
    await shop.tell(LapsePayment(**bought.names, because=LapsedBecause.DECLINED))
    await carry_out_in_time(context, shop)
    assert (await shop.settlement(bought))["status"] == "pending"
    await shop.authorise(bought)
    await carry_out_in_time(context, shop)
    assert gateway.payments[bought.order_id].state is GatewayState.CANCELLED
    other = await shop.reserve_first(await shop.live())
    await shop.tell(LapsePayment(**other.names, because=LapsedBecause.DECLINED))
    await shop.let_time_pass_since_decision(timedelta(seconds=NEVER_HEARD_AFTER_S))
    await carry_out(context)
    assert (await shop.settlement(other))["status"] == "done"


async def test_a_held_payment_the_gateway_does_not_know_is_no_refusal(
    context: Context, shop: PayingShop, gateway: HostileGateway
) -> None:
    """Asking the wrong account takes nobody's place: it waits for somebody who puts that right."""
    bought = await succeeded(shop)
    known, gateway.payments = gateway.payments, {}
    await carry_out(context)
    await shop.let_time_pass_since_decision(timedelta(seconds=NEVER_HEARD_AFTER_S))
    await carry_out_in_time(context, shop)
    assert {(await shop.settlement(purchase))["status"] for purchase in bought} == {"pending"}
    gateway.payments = known
    await carry_out_in_time(context, shop)
    assert {(await shop.settlement(purchase))["status"] for purchase in bought} == {"done"}


async def _refused_because(shop: PayingShop, bought: Purchase) -> str:
    """What was told of how the payment ended."""
    told = await shop.row(
        "SELECT payload ->> 'refused_because' AS why FROM events"
        " WHERE type = 'PaymentSettled' AND payload ->> 'order_id' = :id",
        id=str(bought.order_id),
    )
    return str(told["why"])
