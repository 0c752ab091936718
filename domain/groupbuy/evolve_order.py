"""The state after an event of an order: where its goods are, and what of its money goes back."""

from dataclasses import replace

from domain.groupbuy.events import (
    OrderCancelled,
    OrderDelivered,
    OrderEvent,
    OrderRefunded,
    OrderShipped,
    RefundMade,
)
from domain.groupbuy.order import Order, OrderStatus, Refund
from domain.groupbuy.state import State


def order_changed(state: State, event: OrderEvent) -> State:
    """The state after an event of an order."""
    match event:
        case OrderShipped():
            return _with(
                state,
                replace(
                    _order(state),
                    status=OrderStatus.SHIPPED,
                    carrier=event.carrier,
                    tracking_number=event.tracking_number,
                    shipped_at=event.at,
                ),
            )
        case OrderDelivered():
            return _with(state, replace(_order(state), status=OrderStatus.DELIVERED, delivered_at=event.at))
        case OrderCancelled():
            return _with(state, replace(_order(state), status=OrderStatus.CANCELLED, cancelled_at=event.at))
        case OrderRefunded():
            return _refunded(state, event)
        case RefundMade():
            assert state.refund is not None
            group = state.group
            if group is not None:
                group = replace(group, version=group.version + 1)
            return replace(state, group=group, refund=replace(state.refund, is_made=True))


def _refunded(state: State, event: OrderRefunded) -> State:
    order = _order(state)
    order = replace(order, refunded_minor=order.refunded_minor + event.amount_minor)
    if event.is_return:
        order = replace(order, status=OrderStatus.RETURNED, returned_at=event.at)
    refund = Refund(
        id=event.refund_id,
        order_id=event.order_id,
        deal_id=event.deal_id,
        amount_minor=event.amount_minor,
        reason=event.reason,
        is_made=False,
        created_at=event.at,
    )
    group = state.group
    if group is not None:
        group = replace(group, version=group.version + 1, refunded_minor=group.refunded_minor + event.amount_minor)
    return replace(_with(state, order), group=group, refund=refund)


def _with(state: State, order: Order) -> State:
    return replace(state, order=replace(order, version=order.version + 1))


def _order(state: State) -> Order:
    if state.order is None:
        message = "an order event needs an order"
        raise ValueError(message)
    return state.order
