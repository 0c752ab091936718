"""What runs beside each other around the world, each a generator that stops between any two of its steps.

Whoever drives them may let others run in between, or never go on: that is a crash.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.groupbuy.commands import (
    BuyAlone,
    ConfirmPayment,
    JoinGroup,
    LapsePayment,
    OpenGroup,
    RecordRefund,
    RecordSettlement,
)
from domain.groupbuy.payment import LapsedBecause, Payment, PaymentStatus
from domain.groupbuy.world import Refused
from domain.pricing.steps import AtGateway, Due, Step, Strategy, next_step
from tests.domain.money.bank import Account, Card, ClearNoError, NoAnswerError, stand_of
from tests.domain.money.shop import STRATEGIES, Shop, is_awaiting, is_pending

Process = Iterator[None]
CALLS_MAX = 4


def buying(shop: Shop, command: OpenGroup | JoinGroup | BuyAlone, card: Card) -> Process:
    """Reserve, ask the gateway, hear its answer; asked again while awaiting, it is the same payment."""
    outcome = shop.tell(command)
    if isinstance(outcome, Refused):
        return
    payment = outcome.state.payments.get(command.order_id) or outcome.state.awaited
    if payment is None or not is_awaiting(payment):
        return
    yield
    try:
        found = shop.bank.authorise(payment, STRATEGIES[payment.terms.gateway], card)
    except NoAnswerError:
        return
    yield
    _hear(shop, payment, found, LapsedBecause.DECLINED)


def looking(shop: Shop, order_id: UUID) -> Process:
    """A webhook came, or the app asks: look the payment up and hear what it says."""
    payment = shop.payment(order_id)
    yield
    try:
        found = shop.bank.look_up(order_id)
    except NoAnswerError:
        return
    yield
    if found is not None:
        _hear(shop, payment, found, LapsedBecause.DECLINED)


def sweeping(shop: Shop, order_id: UUID) -> Process:
    """A reservation's time is over: confirm it where the money came after all, else free the place."""
    payment = shop.payment(order_id)
    group = shop.world.groups.get(payment.group_id) if payment.group_id else None
    is_due = shop.now >= payment.pay_by or (group is not None and not group.is_open)
    if not is_awaiting(payment) or not is_due:
        return
    yield
    try:
        found = shop.bank.look_up(order_id)
    except NoAnswerError:
        found = None
    yield
    if found is not None and found.is_approved:
        _hear(shop, payment, found, LapsedBecause.DEADLINE)
    else:
        _lapse(shop, payment, LapsedBecause.DEADLINE)


def executing(shop: Shop, order_id: UUID) -> Process:
    """Carry a settlement out, step by step from where the gateway stands, and record the end.

    The first attempt on a payment known to be held begins with the step itself; every other one looks first.
    """
    payment = shop.payment(order_id)
    if not is_pending(payment):
        return
    errand = Errand(payment, shop.now)
    shop.attempts[order_id] += 1
    known = _as_held(payment) if shop.attempts[order_id] == 1 and payment.status is PaymentStatus.HELD else None
    for _ in range(CALLS_MAX):
        yield
        try:
            at = known or stand_of(shop.bank.look_up(order_id))
        except NoAnswerError:
            return
        known = None
        yield
        if _is_over(shop, errand, at):
            return


def refunding(shop: Shop, refund_id: UUID) -> Process:
    """Carry a refund out; those of one order go one after the other."""
    refund = shop.world.refunds[refund_id]
    of_order = [other for other in shop.world.refunds.values() if other.order_id == refund.order_id]
    if refund.is_made or any(not other.is_made and other.id < refund.id for other in of_order):
        return
    order = shop.world.orders[refund.order_id]
    made_minor = sum(other.amount_minor for other in of_order if other.is_made)
    keep_minor = order.captured_minor - made_minor - refund.amount_minor
    for _ in range(CALLS_MAX):
        yield
        try:
            found = shop.bank.look_up(order.id)
        except NoAnswerError:
            return
        yield
        due = next_step(stand_of(found), keep_minor)
        if due.step is Step.NOTHING:
            record = RecordRefund(
                deal_id=order.deal_id, group_id=order.group_id, order_id=order.id, refund_id=refund_id
            )
            shop.tell(record)
            return
        if due.step is Step.IMPOSSIBLE:
            return
        try:
            shop.bank.carry_out(order.id, due, str(refund_id))
        except NoAnswerError:
            return


def deciding(shop: Shop, group_id: UUID) -> Process:
    """Write a closed group's settlements, one place at a time."""
    while shop.decide_settlements(shop.world.groups[group_id], places_max=1):
        yield


@dataclass(slots=True)
class Errand:
    """A settlement taken up: the payment as it was then, and whether the gateway has refused its capture since."""

    payment: Payment
    as_of: datetime
    refused_because: str | None = None

    @property
    def keep_minor(self) -> int:
        assert self.payment.settlement is not None
        return 0 if self.refused_because else self.payment.settlement.capture_minor


def _is_over(shop: Shop, errand: Errand, at: AtGateway) -> bool:
    """Make the next step; whether there is none after it, or none that can be made now."""
    payment = errand.payment
    if payment.status is PaymentStatus.LAPSED and payment.late_at is None and (at.held_minor or at.kept_minor):
        shop.tell(ConfirmPayment(**_key(payment), reference=f"at-{payment.order_id}"))
        return True
    if at.captured_minor:
        errand.refused_because = None  # whoever else was at it has captured it after all
    due = next_step(at, errand.keep_minor)
    match due.step:
        case Step.NOTHING:
            record = RecordSettlement(**_key(payment), refused_because=errand.refused_because, as_of=errand.as_of)
            shop.tell(record)
            return True
        case Step.IMPOSSIBLE:
            errand.refused_because = "hold_expired"
            return bool(at.captured_minor)  # it was settled long ago, and given back since
        case _:
            return not _goes_on(shop, errand, due)


def _goes_on(shop: Shop, errand: Errand, due: Due) -> bool:
    order_id = errand.payment.order_id
    try:
        shop.bank.carry_out(order_id, due, f"{order_id}:{due.step}")
    except NoAnswerError:
        return False
    except ClearNoError as clear_no:
        errand.refused_because = str(clear_no)
        return due.step is Step.CAPTURE
    return True


def _as_held(payment: Payment) -> AtGateway:
    """Where a payment stands that was approved and not touched since."""
    if STRATEGIES[payment.terms.gateway] is Strategy.HOLD_AND_CAPTURE:
        return AtGateway(held_minor=payment.hold_minor)
    return AtGateway(captured_minor=payment.hold_minor)


def _hear(shop: Shop, payment: Payment, found: Account, because: LapsedBecause) -> None:
    if found.is_approved:
        shop.tell(ConfirmPayment(**_key(payment), reference=f"at-{payment.order_id}"))
    elif not found.is_pending and payment.status is PaymentStatus.AWAITING:
        _lapse(shop, payment, because)


def _lapse(shop: Shop, payment: Payment, because: LapsedBecause) -> None:
    shop.tell(LapsePayment(**_key(payment), because=because))


def _key(payment: Payment) -> dict[str, Any]:
    """Whose payment a command is about."""
    return {name: getattr(payment, name) for name in ("deal_id", "group_id", "shopper_id", "order_id")}
