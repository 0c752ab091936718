"""Why a shopper pays nothing, or gets everything back."""

from enum import StrEnum

from api.explaining.case import Case
from domain.groupbuy.group import Group, GroupStatus
from domain.groupbuy.order import OrderStatus
from domain.groupbuy.payment import PaymentStatus
from infra.reading.explain import SettlementRow
from infra.rows_money import PaymentRow


class NothingPaid(StrEnum):
    """Why nothing is paid."""

    PAYMENT_TIME_OVER = "payment_time_over"
    PAYMENT_NOT_APPROVED = "payment_not_approved"
    CLOSED_BEFORE_PAYMENT = "closed_before_payment"
    PAYMENT_TOO_LATE = "payment_too_late"
    LEFT = "left"
    GROUP_FAILED = "group_failed"
    GROUP_CANCELLED = "group_cancelled"
    CAPTURE_REFUSED = "capture_refused"
    ORDER_CANCELLED = "order_cancelled"


_FATES = {GroupStatus.FAILED: NothingPaid.GROUP_FAILED, GroupStatus.CANCELLED: NothingPaid.GROUP_CANCELLED}


def because_of(case: Case) -> NothingPaid | None:
    """Why nothing is paid; None where something is, or may still be. A shopper's own cause comes before the group's."""
    payment, settlement, order = case.facts.payment, case.facts.settlement, case.facts.order
    if order is not None:
        return NothingPaid.ORDER_CANCELLED if order.status is OrderStatus.CANCELLED else None
    own = _because_of_payment(payment, settlement, case.group) if payment is not None else None
    return own or _FATES.get(case.group.status)


def _because_of_payment(payment: PaymentRow, settlement: SettlementRow | None, group: Group) -> NothingPaid | None:
    if payment.left_at is not None:
        return NothingPaid.LEFT
    if payment.late_at is not None:
        return NothingPaid.PAYMENT_TOO_LATE
    match payment.status:
        case PaymentStatus.LAPSED if settlement is not None:
            return _because_of_lapse(payment, settlement, group)
        case PaymentStatus.AWAITING if not group.is_open:
            return NothingPaid.CLOSED_BEFORE_PAYMENT
        case PaymentStatus.RELEASED if settlement is not None and settlement.capture_minor:
            return NothingPaid.CAPTURE_REFUSED
        case _:
            return None


def _because_of_lapse(payment: PaymentRow, settlement: SettlementRow, group: Group) -> NothingPaid:
    """The rows keep when a place was freed: before its time was over it was declined, or given up."""
    if group.closed_at is not None and settlement.created_at >= group.closed_at:
        return NothingPaid.CLOSED_BEFORE_PAYMENT
    if settlement.created_at >= payment.pay_by:
        return NothingPaid.PAYMENT_TIME_OVER
    return NothingPaid.PAYMENT_NOT_APPROVED
