"""Orders: shipped when paid, delivered when shipped, called off before that, and each refusal of anything else."""

from uuid import UUID

import pytest

from domain.errors import DomainError, InvalidInput
from domain.groupbuy.commands import CancelOrder, DeliverOrder, ShipOrder
from domain.groupbuy.errors import OrderNotFound, OrderNotPaid, OrderNotShippable, OrderNotShipped, UnitsLimitReached
from domain.groupbuy.events import OrderRefunded, UnitsReturned
from domain.groupbuy.order import OrderStatus
from tests.domain.catalogue import ANN, BEN, CAT, EVE, MERCHANT, OTHER_MERCHANT, names, only, wrong_fields
from tests.domain.money.orders import cancelling, delivering, refunding, shipping
from tests.domain.money.till import a_paid_group, a_settled_group, opening, order_of

Handling = ShipOrder | DeliverOrder | CancelOrder


def test_an_order_is_shipped_then_delivered() -> None:
    """Each once; said again with the same words nothing happens, with others it is corrected."""
    till = a_settled_group(ANN, BEN)
    assert till.order(order_of(ANN)).status is OrderStatus.TO_SHIP
    assert names(till.does(shipping(ANN))) == ["OrderShipped"]
    assert till.does(shipping(ANN)) == ()
    assert names(till.does(shipping(ANN, tracking_number="T2"))) == ["OrderShipped"]
    assert names(till.does(delivering(ANN))) == ["OrderDelivered"]
    assert till.does(delivering(ANN, caller_id=MERCHANT)) == ()
    order = till.order(order_of(ANN))
    assert (order.status, order.carrier, order.tracking_number) == (OrderStatus.DELIVERED, "Post", "T2")
    assert (order.version, order.shipped_at, order.delivered_at) == (4, till.now, till.now)


def test_digital_goods_are_delivered_with_the_payment() -> None:
    """There is nothing to ship, and nothing to call off."""
    till = a_settled_group(ANN, BEN, needs_shipping=False)
    assert till.order(order_of(ANN)).delivered_at == till.now
    till.refuses(shipping(ANN), OrderNotShippable)
    till.refuses(cancelling(ANN), OrderNotShippable)


@pytest.mark.parametrize("command", [shipping(ANN), cancelling(ANN), delivering(ANN), refunding(ANN)])
def test_nothing_is_shipped_before_its_group_has_succeeded(command: Handling) -> None:
    """Held money is no order; also not while the capture is under way."""
    till = a_paid_group(ANN, BEN, CAT)
    till.refuses(command, OrderNotPaid)
    till.joins(EVE)
    till.decides(order_of(ANN))
    till.refuses(command, OrderNotPaid)


@pytest.mark.parametrize(
    "command",
    [
        shipping(ANN, merchant_id=OTHER_MERCHANT),
        cancelling(ANN, merchant_id=OTHER_MERCHANT),
        refunding(ANN, merchant_id=OTHER_MERCHANT),
        delivering(ANN, caller_id=BEN),
        shipping(EVE),
        delivering(EVE),
        refunding(EVE),
    ],
)
def test_a_foreign_order_is_not_found(command: Handling) -> None:
    """Neither another merchant, nor another shopper, nor anybody for an order that is none; paid or not."""
    till = a_settled_group(ANN, BEN)
    till.refuses(command, OrderNotFound)
    if command.order_id == order_of(ANN):
        a_paid_group(ANN, BEN).refuses(command, OrderNotFound)


def test_what_is_not_on_its_way_cannot_arrive() -> None:
    """Before shipping, and after calling off."""
    till = a_settled_group(ANN, BEN)
    till.refuses(delivering(ANN), OrderNotShipped)
    till.does(cancelling(ANN))
    till.refuses(delivering(ANN), OrderNotShipped)


def test_a_cancelled_order_gives_units_and_money_back() -> None:
    """All of the 1800, with the platform's part; one place is lost, the others pay what they paid; once."""
    till = a_settled_group(ANN, BEN)
    events = till.does(cancelling(ANN))
    assert names(events) == ["OrderCancelled", "UnitsReturned", "OrderRefunded"]
    refunded = only(OrderRefunded, events)
    assert (refunded.amount_minor, refunded.fee_back_minor, refunded.is_return) == (1_800, 45, False)
    assert only(UnitsReturned, events).quantity == 1
    assert till.stock_left() == 9
    assert till.does(cancelling(ANN, refund_id=UUID(int=2))) == ()
    assert (till.order(order_of(ANN)).kept_minor, till.order(order_of(BEN)).kept_minor) == (0, 1_800)
    assert till.group().final_unit_price == 1_800


def test_a_refunded_order_is_cancelled_without_more_money() -> None:
    """What was given back before goes back no second time."""
    till = a_settled_group(ANN, BEN)
    till.does(refunding(ANN, amount_minor=800))
    assert only(OrderRefunded, till.does(cancelling(ANN, refund_id=UUID(int=2)))).amount_minor == 1_000
    till.does(refunding(BEN, refund_id=UUID(int=3)))
    assert names(till.does(cancelling(BEN, refund_id=UUID(int=4)))) == ["OrderCancelled", "UnitsReturned"]


def test_what_was_refunded_whole_is_not_shipped() -> None:
    """Goods go to whoever has paid for them: with all the money back, calling off is what is left."""
    till = a_settled_group(ANN, BEN)
    till.does(refunding(ANN))
    till.refuses(shipping(ANN), OrderNotPaid)
    till.does(cancelling(ANN, refund_id=UUID(int=2)))


def test_cancelled_units_may_be_bought_again() -> None:
    """Promise 1 counts what a shopper has, not what he once had."""
    till = a_settled_group(ANN, BEN, units_per_shopper_max=1)
    again = opening(ANN, group_id=UUID(int=0xE9), order_id=order_of(ANN, 2))
    till.refuses(again, UnitsLimitReached)
    till.does(cancelling(ANN))
    assert till.does(again)


@pytest.mark.parametrize(
    ("done", "command", "refusal"),
    [
        ([shipping(ANN)], cancelling(ANN), OrderNotShippable),
        ([shipping(ANN), delivering(ANN)], cancelling(ANN), OrderNotShippable),
        ([shipping(ANN), delivering(ANN)], shipping(ANN, tracking_number="T9"), OrderNotShippable),
        ([cancelling(ANN)], shipping(ANN), OrderNotShippable),
    ],
)
def test_there_is_no_way_back(done: list[Handling], command: Handling, refusal: type[DomainError]) -> None:
    """Shipped goods are not called off, and what is over is not shipped."""
    till = a_settled_group(ANN, BEN)
    for before in done:
        till.does(before)
    till.refuses(command, refusal)


def test_words_are_bounded_and_of_one_line() -> None:
    """Carrier, tracking number and reason go into labels and messages."""
    till = a_settled_group(ANN, BEN)
    assert wrong_fields(till.refuses(shipping(ANN, carrier="", tracking_number="x" * 101), InvalidInput)) == [
        "carrier",
        "tracking_number",
    ]
    assert wrong_fields(till.refuses(cancelling(ANN, reason="two\nlines"), InvalidInput)) == ["reason"]
    assert wrong_fields(till.refuses(refunding(ANN, reason="x" * 501), InvalidInput)) == ["reason"]


def test_a_deal_that_is_unknown_has_no_orders() -> None:
    """An order looked for under a foreign deal is none."""
    till = a_paid_group(ANN)
    till.refuses(shipping(ANN, deal_id=UUID(int=0xD9)), OrderNotFound)
