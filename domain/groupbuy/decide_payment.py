"""Decisions about payments: buying alone, approval, lapsing, and what the gateway made of a settlement."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import FieldProblems
from domain.groupbuy.commands import BuyAlone, ConfirmPayment, LapsePayment, RecordSettlement
from domain.groupbuy.deal import QUANTITY_MAX, Deal, DealStatus
from domain.groupbuy.decide_group import (
    address_for,
    joined,
    lapse,
    require_known,
    require_live,
    require_units,
    variant_of,
)
from domain.groupbuy.errors import DealNotFound, DealTakesNoPayments, OrderNotFound
from domain.groupbuy.events import (
    BoughtAlone,
    Event,
    PaymentCameLate,
    PaymentSettled,
    PlaceReserved,
    UnitsReturned,
)
from domain.groupbuy.evolve_payment import is_leader_refused
from domain.groupbuy.group import Group
from domain.groupbuy.payment import LapsedBecause, Payment, PaymentStatus, Settlement, SettlementStatus
from domain.groupbuy.state import State
from domain.pricing.settlement import hold_for
from domain.pricing.shares import fee_on, full_reward, reward_on


def buy_alone(state: State, command: BuyAlone, now: datetime) -> tuple[Event, ...]:
    """Reserve units at the solo price; asked again for the same order it is done already."""
    if command.order_id in state.payments:
        return ()
    deal = state.deal
    if deal is None or deal.status_at(now) is DealStatus.DRAFT:
        raise DealNotFound(command.deal_id)
    require_live(deal, now)
    if deal.payment is None:
        raise DealTakesNoPayments
    problems = FieldProblems()
    problems.require(1 <= command.quantity <= QUANTITY_MAX, "quantity", f"must be from 1 to {QUANTITY_MAX} units")
    problems.raise_if_any()
    variant_id = variant_of(deal, command.variant_id)
    require_known(command, guests_may_buy=deal.offer.guests_may_buy)
    require_units(state, deal.offer.units_per_shopper_max, variant_id, command)
    reserved = PlaceReserved(
        group_id=None,
        deal_id=deal.id,
        shopper_id=command.shopper_id,
        order_id=command.order_id,
        variant_id=variant_id,
        quantity=command.quantity,
        hold_minor=hold_for(deal.offer.schedule.solo_price, command.quantity),
        currency=deal.offer.currency,
        payment=deal.payment,
        pay_by=now + timedelta(seconds=command.pay_within_s),
        invite_code=None,
        display_name=None,
        address=address_for(deal.offer.needs_shipping, command.address),
        at=now,
    )
    return (reserved,)


def confirm(state: State, command: ConfirmPayment, now: datetime) -> tuple[Event, ...]:
    """The money is there: the reservation counts from now on, or, where it is gone, the money goes back.

    A hold that ends before its group does could not be captured, so it is none.
    """
    payment = _known(state.payments, command.order_id)
    match payment.status:
        case PaymentStatus.AWAITING if payment.group_id is None:
            return (_bought_alone(payment, command.reference, now),)
        case PaymentStatus.AWAITING:
            group = _group(state, command.order_id)
            if group.is_open and now < group.expires_at:
                if command.hold_expires_at is not None and command.hold_expires_at <= group.expires_at:
                    return lapse(group, payment, LapsedBecause.HOLD_TOO_SHORT, now)
                return joined(group, payment, command.reference, now)
            return (*lapse(group, payment, LapsedBecause.TOO_LATE, now), _came_late(payment, now))
        case PaymentStatus.LAPSED if payment.late_at is None:
            return (_came_late(payment, now),)
        case _:
            return ()


def lapse_payment(state: State, command: LapsePayment, now: datetime) -> tuple[Event, ...]:
    """Free the place of a declined or overdue payment; the clock is heard only when the deadline has come."""
    payment = _known(state.payments, command.order_id)
    if payment.status is not PaymentStatus.AWAITING:
        return ()
    is_closed = state.group is not None and not state.group.is_open
    if command.because is LapsedBecause.DEADLINE and now < payment.pay_by and not is_closed:
        return ()
    because = LapsedBecause.GROUP_CLOSED if is_closed else command.because
    return lapse(state.group, payment, because, now)


def record_settlement(state: State, command: RecordSettlement, now: datetime) -> tuple[Event, ...]:
    """Book what the gateway has done; a capture it refuses costs that shopper the place and re-prices nobody.

    A refusal to give money back is no end: nothing is booked, it stays to be done.
    """
    payment = _known(state.payments, command.order_id)
    settlement = payment.settlement
    if settlement is None or settlement.status in {SettlementStatus.DONE, SettlementStatus.FAILED}:
        return ()
    if command.as_of is not None and payment.late_at is not None and command.as_of < payment.late_at:
        return ()
    settled = _settled(state, payment, settlement, command.refused_because, now)
    if command.refused_because is None:
        return (settled,)
    return (settled, units_returned(payment, now)) if settlement.capture_minor else ()


def units_returned(payment: Payment, now: datetime) -> UnitsReturned:
    """The units of a payment that came to nothing after all, or of its order."""
    return UnitsReturned(
        group_id=payment.group_id,
        deal_id=payment.deal_id,
        shopper_id=payment.shopper_id,
        order_id=payment.order_id,
        variant_id=payment.variant_id,
        quantity=payment.quantity,
        at=now,
    )


def reward_of(group: Group | None, kept_minor: int) -> int:
    """The leader's reward while so much of the group's money is kept, minor units."""
    if group is None or not group.leader_is_in or group.terms.payment is None:
        return 0
    full = full_reward(group.terms.reward, group.asked_minor, group.unit_price, group.terms.payment.fee_bps)
    return reward_on(kept_minor, group.asked_minor, full)


def _settled(
    state: State, payment: Payment, settlement: Settlement, refused_because: str | None, now: datetime
) -> PaymentSettled:
    captured_minor = 0 if refused_because is not None else settlement.capture_minor
    group = state.group
    kept_minor = group.kept_minor if group else 0
    after = group
    if group is not None and is_leader_refused(group, payment.shopper_id, refused_because):
        after = replace(group, leader_is_in=False)  # what was rewarded so far goes back to the merchant
    was_held = payment.status is PaymentStatus.HELD or payment.late_at is not None
    deal = _deal(state, payment.order_id)
    return PaymentSettled(
        group_id=payment.group_id,
        deal_id=payment.deal_id,
        merchant_id=deal.merchant_id,
        shopper_id=payment.shopper_id,
        order_id=payment.order_id,
        variant_id=payment.variant_id,
        quantity=payment.quantity,
        unit_price=settlement.unit_price,
        currency=payment.currency,
        captured_minor=captured_minor,
        released_minor=payment.hold_minor - captured_minor if was_held else 0,
        fee_minor=fee_on(captured_minor, payment.terms.fee_bps),
        reward_minor=reward_of(after, kept_minor + captured_minor) - reward_of(group, kept_minor),
        needs_shipping=payment.address is not None,
        refused_because=refused_because,
        at=now,
    )


def _bought_alone(payment: Payment, reference: str | None, now: datetime) -> BoughtAlone:
    return BoughtAlone(
        deal_id=payment.deal_id,
        shopper_id=payment.shopper_id,
        order_id=payment.order_id,
        quantity=payment.quantity,
        hold_minor=payment.hold_minor,
        unit_price=payment.hold_minor // payment.quantity,
        currency=payment.currency,
        reference=reference,
        at=now,
    )


def _came_late(payment: Payment, now: datetime) -> PaymentCameLate:
    return PaymentCameLate(
        group_id=payment.group_id,
        deal_id=payment.deal_id,
        shopper_id=payment.shopper_id,
        order_id=payment.order_id,
        amount_minor=payment.hold_minor,
        currency=payment.currency,
        at=now,
    )


def _known(payments: Mapping[UUID, Payment], order_id: UUID) -> Payment:
    payment = payments.get(order_id)
    if payment is None:
        raise OrderNotFound(order_id)
    return payment


def _group(state: State, order_id: UUID) -> Group:
    if state.group is None:
        raise OrderNotFound(order_id)
    return state.group


def _deal(state: State, order_id: UUID) -> Deal:
    if state.deal is None:
        raise OrderNotFound(order_id)
    return state.deal
