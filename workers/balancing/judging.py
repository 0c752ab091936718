"""What a gateway and our books say of one payment, judged: pure.

Only what can mean nothing else is repaired: a payment we know nothing of, one that has ended with us and not there, an
approval nobody heard. Where amounts differ somebody's word is wrong, and a person has to say whose.
"""

from datetime import datetime, timedelta

from domain.groupbuy.payment import PaymentStatus
from infra.payments.port import GatewayPayment, GatewayState
from infra.payments.standing import at_gateway
from workers.balancing.difference import Difference, Repair, What
from workers.balancing.ours import Ours
from workers.balancing.wording import said_by_gateway, said_by_us

CONFIRM_AFTER = timedelta(minutes=5)
"""Long enough for the webhook, the app's own call and the sweep that looks payments up to have come first."""
_COMPARE = "compare both records; then refund the surplus at the gateway, or book what is missing"
_GONE = "nothing can be captured: ask the gateway why; where the group has not closed, tell the shopper"
_EXPIRED = "the hold has expired before its group closed: the capture will be refused and the place cancelled"
_NEVER = "the order was recorded as paid and is not: ask the gateway; if the money is gone, cancel the order"


def judge(ours: Ours | None, theirs: GatewayPayment | None, gateway: str, now: datetime) -> Difference | None:
    """The difference between a gateway's word and ours; None where they agree, or somebody is still at work on it.

    A payment of an order that we know under another reference is one nobody asked for: a second one.
    """
    found = _judge(ours, theirs, now)
    if found is None:
        return None
    what, repair, advice = found
    known = ours if ours is not None and not is_another(ours, theirs) else None
    subject = known or theirs
    return Difference(
        what=what,
        gateway=gateway,
        order_id=subject.order_id if subject else None,
        group_id=ours.group_id if ours else None,
        reference=theirs.reference if theirs else None,
        theirs=said_by_gateway(theirs),
        ours=said_by_us(known) if known or ours is None else f"another payment, {ours.reference}",
        advice=advice,
        repair=repair,
    )


def is_another(ours: Ours, theirs: GatewayPayment | None) -> bool:
    """Whether the gateway's payment is not the one we know the order's money by."""
    return theirs is not None and ours.reference is not None and ours.reference != theirs.reference


_Judgement = tuple[What, Repair, str]


def _judge(ours: Ours | None, theirs: GatewayPayment | None, now: datetime) -> _Judgement | None:
    if ours is None or is_another(ours, theirs):
        return (What.UNKNOWN, Repair.END, "") if _is_alive(theirs) else None
    match ours.status:
        case PaymentStatus.LAPSED | PaymentStatus.RELEASED:
            return _judge_ended(ours, theirs)
        case _ if _has_money(theirs) and not _is_of_same_amount(ours, theirs):
            return What.AMOUNT, Repair.NONE, _COMPARE
        case PaymentStatus.AWAITING:
            is_late = now >= ours.created_at + CONFIRM_AFTER
            return (What.UNCONFIRMED, Repair.CONFIRM, "") if is_late and _has_money(theirs) else None
        case PaymentStatus.HELD:
            return _judge_held(ours, theirs, now)
        case PaymentStatus.CAPTURED:
            return _judge_captured(ours, theirs)


def _judge_held(ours: Ours, theirs: GatewayPayment | None, now: datetime) -> _Judgement | None:
    if ours.settlement is not None:  # it is being carried out
        return None
    if theirs is None or not _has_money(theirs):
        expires_at = theirs.hold_expires_at if theirs else None
        return What.GONE, Repair.NONE, _EXPIRED if expires_at is not None and expires_at <= now else _GONE
    if theirs.state is GatewayState.PAID and _kept(theirs) != ours.hold_minor:
        return What.AMOUNT, Repair.NONE, _COMPARE
    return None


def _judge_captured(ours: Ours, theirs: GatewayPayment | None) -> _Judgement | None:
    """A refund that is decided may have been made already, so there is a least and a most that may be kept."""
    if theirs is None or theirs.state is not GatewayState.PAID:
        return What.GONE, Repair.NONE, _NEVER
    most_minor = (ours.order_captured_minor or 0) - ours.refunds_made_minor
    if most_minor - ours.refunds_due_minor <= _kept(theirs) <= most_minor:
        return None
    return What.AMOUNT, Repair.NONE, _COMPARE


def _judge_ended(ours: Ours, theirs: GatewayPayment | None) -> _Judgement | None:
    if not ours.is_settled or not _is_alive(theirs):
        return None
    never_came = ours.status is PaymentStatus.LAPSED and ours.late_at is None
    is_unheard = never_came and _has_money(theirs) and _is_of_same_amount(ours, theirs)
    return What.UNRELEASED, Repair.CONFIRM if is_unheard else Repair.END, ""


def _is_of_same_amount(ours: Ours, theirs: GatewayPayment | None) -> bool:
    return theirs is not None and (theirs.amount_minor, theirs.currency) == (ours.hold_minor, ours.currency)


def _is_alive(theirs: GatewayPayment | None) -> bool:
    """Whether there is money at the gateway, or could still be."""
    return _has_money(theirs) or at_gateway(theirs).is_cancellable


def _has_money(theirs: GatewayPayment | None) -> bool:
    there = at_gateway(theirs)
    return there.held_minor > 0 or there.kept_minor > 0


def _kept(theirs: GatewayPayment) -> int:
    return at_gateway(theirs).kept_minor
