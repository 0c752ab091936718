"""Settlements and refunds at the sandbox: what was decided is what the gateway has in the end, once."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.groupbuy.commands import CancelGroup, CancelOrder, LapsePayment, LeaveGroup, RefundOrder
from domain.groupbuy.payment import LapsedBecause
from infra.ids import new_id
from infra.payments.checkout import PaymentLapsed
from infra.payments.port import GatewayState
from infra.settings import Settings
from tests.money_shop import Purchase
from tests.workers.ground_truth import number
from tests.workers.paying_shop import PayingShop, carry_out
from workers.duty import Context

EVENTS = "SELECT count(*) FROM events WHERE type = :type AND payload ->> 'order_id' = :order"


@pytest.fixture(params=["hold_and_capture", "pay_and_refund"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Every test of this module, with either kind of gateway."""
    return replace(settings, sandbox_strategy=request.param)


async def test_a_succeeded_group_pays_its_price(context: Context, shop: PayingShop) -> None:
    """Promise 3: of each participant exactly the final price is kept, the rest is back; each is an order then."""
    bought = await shop.paid_group(await shop.live(), None, None, None, None, quantity=2)
    await shop.close(bought[0])
    await carry_out(context)
    for purchase in bought:
        payment = await shop.at_gateway(purchase)
        assert payment.state is GatewayState.PAID
        assert payment.captured_minor - payment.refunded_minor == 3_000
        assert await shop.payment_status(purchase) == "captured"
    group = await shop.row("SELECT * FROM groups WHERE id = :id", id=bought[0].group_id)
    assert (group["settled"], group["captured_minor"]) == (4, 12_000)
    assert await number(shop.engine, "SELECT count(*) FROM orders") == 4
    await shop.books_are_closed()


async def test_a_purchase_alone_is_captured_whole(context: Context, shop: PayingShop) -> None:
    """The solo price is due at once: no group has to succeed."""
    bought = await shop.pay(await shop.reserve_alone(await shop.live()))
    await carry_out(context)
    payment = await shop.at_gateway(bought)
    assert (payment.captured_minor, payment.refunded_minor) == (2_000, 0)
    assert await shop.payment_status(bought) == "captured"
    await shop.books_are_closed()


async def _fails(shop: PayingShop, bought: Purchase) -> None:
    await shop.close(bought)


async def _is_called_off(shop: PayingShop, bought: Purchase) -> None:
    assert bought.group_id is not None
    await shop.tell(CancelGroup(group_id=bought.group_id, merchant_id=shop.merchant_id))


async def _is_called_off_by_the_platform(shop: PayingShop, bought: Purchase) -> None:
    assert bought.group_id is not None
    await shop.tell(CancelGroup(group_id=bought.group_id, merchant_id=None))


async def _is_left(shop: PayingShop, bought: Purchase) -> None:
    assert bought.group_id is not None
    await shop.tell(LeaveGroup(group_id=bought.group_id, shopper_id=bought.shopper_id))


@pytest.mark.parametrize("ending", [_fails, _is_called_off, _is_called_off_by_the_platform, _is_left])
async def test_whoever_gets_nothing_gets_the_money_back(context: Context, shop: PayingShop, ending: object) -> None:
    """Promise 3: failed, called off by merchant or platform, or left: everything goes back without anybody asking."""
    (bought,) = await shop.paid_group(await shop.live(), None)
    await ending(shop, bought)  # type: ignore[operator]  # one of the four above
    await carry_out(context)
    payment = await shop.at_gateway(bought)
    assert payment.captured_minor == payment.refunded_minor
    assert payment.state is (GatewayState.PAID if payment.captured_minor else GatewayState.CANCELLED)
    assert await shop.payment_status(bought) == "released"
    assert await number(shop.engine, "SELECT count(*) FROM orders") == 0
    await shop.books_are_closed()


async def test_money_that_came_after_the_lapse_goes_back(context: Context, shop: PayingShop) -> None:
    """Promise 8: nobody told us that the gateway has the money; the executor finds it, says so, and gives it back."""
    bought = await shop.reserve_first(await shop.live())
    await shop.authorise(bought)
    await shop.tell(LapsePayment(**bought.names, because=LapsedBecause.DECLINED))
    await carry_out(context)
    payment = await shop.at_gateway(bought)
    assert payment.captured_minor == payment.refunded_minor
    assert payment.state is not GatewayState.HELD
    assert await number(shop.engine, EVENTS, type="PaymentCameLate", order=str(bought.order_id)) == 1
    assert (await shop.settlement(bought))["status"] == "done"
    await shop.books_are_closed()


async def test_a_step_nobody_took_can_be_taken_no_more(context: Context, shop: PayingShop) -> None:
    """A lapsed payment that waits for its shopper is ended at the gateway; it says that it lapsed, not declined."""
    bought = await shop.reserve_first(await shop.live())
    await shop.authorise(bought, "sandbox_step")
    await shop.tell(LapsePayment(**bought.names, because=LapsedBecause.DECLINED))
    await carry_out(context)
    assert (await shop.at_gateway(bought)).state is GatewayState.CANCELLED
    row = await shop.runtime.payments.find(bought.order_id)
    assert row is not None
    with pytest.raises(PaymentLapsed):
        await shop.runtime.checkout.look(row)
    assert (await shop.settlement(bought))["status"] == "done"
    assert await number(shop.engine, "SELECT count(*) FROM ledger") == 0


async def test_refunds_of_an_order_are_made_one_by_one(context: Context, shop: PayingShop) -> None:
    """Each refund of an order is made once, whatever was given back when the group was settled."""
    bought, *_ = await shop.paid_group(await shop.live(), None, None)
    await shop.close(bought)
    await carry_out(context)
    kept_before = await _kept(shop, bought)
    for amount_minor in (300, 300, 200):
        await shop.tell(_refund(shop, bought, amount_minor))
    await carry_out(context)
    assert kept_before - await _kept(shop, bought) == 800
    await shop.tell(_refund(shop, bought, None))
    await carry_out(context)
    assert await _kept(shop, bought) == 0
    assert await number(shop.engine, "SELECT count(*) FROM refunds WHERE NOT is_made") == 0
    entries = "SELECT sum(amount_minor) FROM ledger_entries WHERE order_id = :id AND account <> 'gateway_clearing'"
    assert await number(shop.engine, entries, id=bought.order_id) == 0


async def test_a_called_off_order_is_refunded(context: Context, shop: PayingShop) -> None:
    """All the money of an order the merchant calls off goes back."""
    bought, *_ = await shop.paid_group(await shop.live(needs_shipping=True), None, None)
    await shop.close(bought)
    await carry_out(context)
    await shop.tell(CancelOrder(**bought.names, merchant_id=shop.merchant_id, refund_id=new_id(), reason="Sold out"))
    await carry_out(context)
    assert await _kept(shop, bought) == 0


async def _kept(shop: PayingShop, bought: Purchase) -> int:
    payment = await shop.at_gateway(bought)
    return payment.captured_minor - payment.refunded_minor


def _refund(shop: PayingShop, bought: Purchase, amount_minor: int | None, refund_id: UUID | None = None) -> RefundOrder:
    return RefundOrder(
        deal_id=bought.deal_id,
        group_id=bought.group_id,
        order_id=bought.order_id,
        merchant_id=shop.merchant_id,
        refund_id=refund_id or new_id(),
        amount_minor=amount_minor,
        currency=None,
        reason="Scratched",
        is_return=False,
    )
