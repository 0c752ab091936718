"""Decisions about orders: shipping, arrival, calling off, and money back."""

from datetime import datetime

from domain.errors import FieldProblems
from domain.groupbuy.commands import CancelOrder, DeliverOrder, RecordRefund, RefundOrder, ShipOrder
from domain.groupbuy.decide_payment import reward_of, units_returned
from domain.groupbuy.errors import (
    OrderNotFound,
    OrderNotPaid,
    OrderNotShippable,
    OrderNotShipped,
    OrderOver,
    RefundTooLarge,
    WrongCurrency,
)
from domain.groupbuy.events import (
    Event,
    OrderCancelled,
    OrderDelivered,
    OrderRefunded,
    OrderShipped,
    RefundMade,
)
from domain.groupbuy.order import (
    CARRIER_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    TRACKING_CHARACTERS_MAX,
    Order,
    OrderStatus,
)
from domain.groupbuy.state import State
from domain.groupbuy.text import check_line
from domain.pricing.currency import format_minor
from domain.pricing.shares import fee_on


def ship(state: State, command: ShipOrder, now: datetime) -> tuple[Event, ...]:
    """Hand an order to a carrier, or correct what was said of it while it is on its way."""
    order = _own(state, command)
    problems = FieldProblems()
    check_line(problems, "carrier", command.carrier, 1, CARRIER_CHARACTERS_MAX)
    check_line(problems, "tracking_number", command.tracking_number, 1, TRACKING_CHARACTERS_MAX)
    problems.raise_if_any()
    if order.status not in {OrderStatus.TO_SHIP, OrderStatus.SHIPPED}:
        raise OrderNotShippable(order.status)
    if order.status is OrderStatus.TO_SHIP and not order.kept_minor:
        raise OrderNotPaid
    if (order.carrier, order.tracking_number) == (command.carrier, command.tracking_number):
        return ()
    shipped = OrderShipped(
        deal_id=order.deal_id,
        order_id=order.id,
        shopper_id=order.shopper_id,
        carrier=command.carrier,
        tracking_number=command.tracking_number,
        at=now,
    )
    return (shipped,)


def deliver(state: State, command: DeliverOrder, now: datetime) -> tuple[Event, ...]:
    """The goods are there, says who sent or who got them; said before is no refusal."""
    order = _known(state, command)
    if command.caller_id not in {order.merchant_id, order.shopper_id}:
        raise OrderNotFound(command.order_id)
    match order.status:
        case OrderStatus.DELIVERED:
            return ()
        case OrderStatus.SHIPPED:
            return (OrderDelivered(deal_id=order.deal_id, order_id=order.id, shopper_id=order.shopper_id, at=now),)
        case _:
            raise OrderNotShipped(order.status)


def cancel(state: State, command: CancelOrder, now: datetime) -> tuple[Event, ...]:
    """Call off what is not shipped: units back to stock, money back to the shopper; cancelled already is no refusal."""
    order = _own(state, command)
    _check_reason(command.reason)
    if order.status is OrderStatus.CANCELLED:
        return ()
    if order.status is not OrderStatus.TO_SHIP:
        raise OrderNotShippable(order.status)
    _require_new_id(is_taken=state.refund is not None)
    cancelled = OrderCancelled(deal_id=order.deal_id, order_id=order.id, shopper_id=order.shopper_id, at=now)
    returned = units_returned(state.payments[order.id], now)
    if not order.kept_minor:
        return (cancelled, returned)
    return (cancelled, returned, _refunded(state, order, command, order.kept_minor, now))


def refund(state: State, command: RefundOrder, now: datetime) -> tuple[Event, ...]:
    """Give back a part or all that is left, never more than was captured; the same refund again is done already."""
    order = _own(state, command)
    if state.refund is not None:
        _require_new_id(is_taken=state.refund.order_id != order.id)
        return ()
    _check_reason(command.reason)
    amount_minor = order.kept_minor if command.amount_minor is None else command.amount_minor
    problems = FieldProblems()
    problems.require(command.amount_minor is None or amount_minor >= 1, "amount", "must be at least 1 minor unit")
    problems.raise_if_any()
    if command.currency is not None and command.currency != order.currency:
        raise WrongCurrency(order.currency)
    if command.is_return and order.status in {OrderStatus.CANCELLED, OrderStatus.RETURNED}:
        raise OrderOver(order.status)
    if command.is_return and order.status is OrderStatus.TO_SHIP:
        raise OrderNotShipped(order.status)
    if not 1 <= amount_minor <= order.kept_minor:
        raise RefundTooLarge(format_minor(order.kept_minor, order.currency) if order.kept_minor else None)
    return (_refunded(state, order, command, amount_minor, now),)


def record_refund(state: State, command: RecordRefund, now: datetime) -> tuple[Event, ...]:
    """Book that the gateway gave a refund back; booked already is no refusal."""
    refund = state.refund
    if refund is None or state.order is None:
        raise OrderNotFound(command.order_id)
    if refund.is_made:
        return ()
    made = RefundMade(
        group_id=state.order.group_id,
        deal_id=refund.deal_id,
        order_id=refund.order_id,
        refund_id=refund.id,
        amount_minor=refund.amount_minor,
        currency=state.order.currency,
        at=now,
    )
    return (made,)


def _refunded(
    state: State, order: Order, command: CancelOrder | RefundOrder, amount_minor: int, now: datetime
) -> OrderRefunded:
    kept_minor = order.kept_minor
    group = state.group
    of_group_minor = group.kept_minor if group else 0
    return OrderRefunded(
        group_id=order.group_id,
        deal_id=order.deal_id,
        merchant_id=order.merchant_id,
        shopper_id=order.shopper_id,
        order_id=order.id,
        refund_id=command.refund_id,
        amount_minor=amount_minor,
        currency=order.currency,
        fee_back_minor=fee_on(kept_minor, order.fee_bps) - fee_on(kept_minor - amount_minor, order.fee_bps),
        reward_back_minor=reward_of(group, of_group_minor) - reward_of(group, of_group_minor - amount_minor),
        reason=command.reason,
        is_return=isinstance(command, RefundOrder) and command.is_return,
        at=now,
    )


def _check_reason(reason: str) -> None:
    problems = FieldProblems()
    check_line(problems, "reason", reason, 1, REASON_CHARACTERS_MAX)
    problems.raise_if_any()


def _require_new_id(*, is_taken: bool) -> None:
    problems = FieldProblems()
    problems.require(not is_taken, "refund_id", "must be a new one: there is another refund with this id")
    problems.raise_if_any()


def _own(state: State, command: ShipOrder | CancelOrder | RefundOrder) -> Order:
    order = _known(state, command)
    if order.merchant_id != command.merchant_id:
        raise OrderNotFound(command.order_id)
    return order


def _known(state: State, command: ShipOrder | CancelOrder | RefundOrder | DeliverOrder) -> Order:
    """The order; a payment that never became one is told only to those whose it is."""
    if state.order is not None:
        return state.order
    payment, deal = state.payments.get(command.order_id), state.deal
    if payment is None or deal is None:
        raise OrderNotFound(command.order_id)
    caller_id = command.caller_id if isinstance(command, DeliverOrder) else command.merchant_id
    if caller_id not in {payment.shopper_id, deal.merchant_id}:
        raise OrderNotFound(command.order_id)
    raise OrderNotPaid
