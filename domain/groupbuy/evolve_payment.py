"""The state after an event of a payment: reservations, money that is held, and how it ended."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.groupbuy.events import (
    BoughtAlone,
    PaymentCameLate,
    PaymentEvent,
    PaymentSettled,
    PlaceReserved,
    ReservationLapsed,
    UnitsReturned,
)
from domain.groupbuy.group import Group, Place
from domain.groupbuy.order import Order, OrderStatus
from domain.groupbuy.payment import Payment, PaymentStatus, Settlement, SettlementStatus
from domain.groupbuy.state import State

_ALL_GOES_BACK = Settlement(capture_minor=0, unit_price=None)


def payment_changed(state: State, event: PaymentEvent) -> State:
    """The state after an event of a payment."""
    match event:
        case PlaceReserved():
            return reserved(state, event)
        case ReservationLapsed():
            return _lapsed(state, event)
        case PaymentCameLate():
            late = replace(state.payments[event.order_id], late_at=event.at, settlement=_ALL_GOES_BACK)
            return _with(state, late, group=_next(state.group))
        case BoughtAlone():
            paid = replace(
                state.payments[event.order_id],
                status=PaymentStatus.HELD,
                held_at=event.at,
                reference=event.reference,
                settlement=Settlement(capture_minor=event.hold_minor, unit_price=event.unit_price),
            )
            return _with(state, paid)
        case PaymentSettled():
            return _settled(state, event)
        case UnitsReturned():
            return _units_returned(state, event)


def reserved(state: State, event: PlaceReserved) -> State:
    """The state after a reservation; every join that is paid goes through here."""
    payment = Payment(
        order_id=event.order_id,
        deal_id=event.deal_id,
        group_id=event.group_id,
        shopper_id=event.shopper_id,
        variant_id=event.variant_id,
        quantity=event.quantity,
        hold_minor=event.hold_minor,
        currency=event.currency,
        terms=event.payment,
        status=PaymentStatus.AWAITING,
        holds_units=True,
        pay_by=event.pay_by,
        created_at=event.at,
        invite_code=event.invite_code,
        display_name=event.display_name,
        address=event.address,
    )
    group = state.group
    if group is not None:
        group = replace(group, version=group.version + 1, awaiting=group.awaiting + 1)
    return State(
        deal=state.deal,
        group=group,
        stock_left=plus(state.stock_left, event.variant_id, -event.quantity),
        places=state.places,
        payments={**state.payments, event.order_id: payment},
        invite=state.invite,
    )


def held(payment: Payment, reference: str | None, at: datetime) -> Payment:
    """A payment whose money is held and whose units a place has taken over."""
    return replace(payment, status=PaymentStatus.HELD, holds_units=False, held_at=at, reference=reference)


def left(payment: Payment, at: datetime) -> Payment:
    """A payment whose shopper gave the place up: all of it goes back."""
    return replace(payment, left_at=at, settlement=_ALL_GOES_BACK)


def is_leader_refused(group: Group, shopper_id: UUID, refused_because: str | None) -> bool:
    """Whether it is the leader whose payment came to nothing after the group succeeded."""
    return refused_because is not None and shopper_id == group.leader_id


def plus(units: Mapping[UUID, int], variant_id: UUID, change: int) -> Mapping[UUID, int]:
    """Units by variant after a change."""
    return {**units, variant_id: units.get(variant_id, 0) + change}


def _lapsed(state: State, event: ReservationLapsed) -> State:
    payment = state.payments[event.order_id]
    lapsed = replace(payment, status=PaymentStatus.LAPSED, holds_units=False, settlement=_ALL_GOES_BACK)
    group = state.group
    if group is not None:
        group = replace(group, version=group.version + 1, awaiting=group.awaiting - 1)
    freed = plus(state.stock_left, event.variant_id, event.quantity)
    return replace(_with(state, lapsed, group=group), stock_left=freed)


def _settled(state: State, event: PaymentSettled) -> State:
    payment = state.payments[event.order_id]
    decided = payment.settlement
    assert decided is not None
    status = SettlementStatus.DONE if event.refused_because is None else SettlementStatus.FAILED
    if payment.status is PaymentStatus.HELD:
        ended = PaymentStatus.CAPTURED if event.captured_minor else PaymentStatus.RELEASED
        payment = replace(payment, status=ended)
    payment = replace(payment, settlement=replace(decided, status=status))
    group = state.group
    if group is not None:
        group = replace(
            group,
            version=group.version + 1,
            settled=group.settled + _counts_as_settled(group, payment),
            captured_minor=group.captured_minor + event.captured_minor,
            leader_is_in=group.leader_is_in and not is_leader_refused(group, event.shopper_id, event.refused_because),
        )
    order = _order(event, payment) if event.captured_minor else state.order
    return replace(_with(state, payment, group=group), order=order)


def _counts_as_settled(group: Group, payment: Payment) -> bool:
    """Whether it was a participant's: those who left or never got in are none of the group's progress."""
    return not group.is_open and payment.held_at is not None and payment.left_at is None


def _units_returned(state: State, event: UnitsReturned) -> State:
    payment = replace(state.payments[event.order_id], holds_units=False)
    group = state.group
    places = state.places
    if group is not None:
        group = replace(group, version=group.version + 1)
        places = {**places, group.id: _dropped(places[group.id], event.at)}
    freed = plus(state.stock_left, event.variant_id, event.quantity)
    return replace(_with(state, payment, group=group), stock_left=freed, places=places)


def _dropped(place: Place, at: datetime) -> Place:
    return replace(place, dropped_at=at)


def _order(event: PaymentSettled, payment: Payment) -> Order:
    assert event.unit_price is not None
    return Order(
        id=event.order_id,
        deal_id=event.deal_id,
        group_id=event.group_id,
        merchant_id=event.merchant_id,
        shopper_id=event.shopper_id,
        variant_id=event.variant_id,
        quantity=event.quantity,
        unit_price=event.unit_price,
        currency=event.currency,
        captured_minor=event.captured_minor,
        refunded_minor=0,
        fee_bps=payment.terms.fee_bps,
        status=OrderStatus.TO_SHIP if event.needs_shipping else OrderStatus.DELIVERED,
        version=1,
        placed_at=event.at,
        delivered_at=None if event.needs_shipping else event.at,
    )


def _with(state: State, payment: Payment, group: Group | None = None) -> State:
    return replace(
        state, group=state.group if group is None else group, payments={**state.payments, payment.order_id: payment}
    )


def _next(group: Group | None) -> Group | None:
    return None if group is None else replace(group, version=group.version + 1)
