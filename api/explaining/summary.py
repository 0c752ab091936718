"""A shopper's money in one or two sentences: what is paid, what goes back, and why."""

from typing import Final

from api.explaining.because import NothingPaid, because_of
from api.explaining.case import Case, people, total, when
from domain.groupbuy.group import ClosedBy

_OWN_CAUSES: Final = {
    NothingPaid.PAYMENT_TIME_OVER: "The payment was not finished in time, so the place was free again.",
    NothingPaid.PAYMENT_NOT_APPROVED: "The payment was declined or given up, so the place was free again.",
    NothingPaid.CLOSED_BEFORE_PAYMENT: "The group closed before the payment was finished.",
    NothingPaid.PAYMENT_TOO_LATE: "The payment came when the place was gone already.",
    NothingPaid.LEFT: "You gave the place up.",
    NothingPaid.ORDER_CANCELLED: "The merchant called the order off.",
}


def summary_of(case: Case) -> str:
    """The story in short."""
    because = because_of(case)
    if because is not None:
        return f"{_why_nothing(case, because)} {_what_goes_back(case)}"
    if case.is_awaiting:
        return _awaiting(case)
    return _so_far(case) if case.group.is_open else _paid(case)


def _paid(case: Case) -> str:
    group = case.group
    price = case.money(group.unit_price)
    fell = "fell to" if group.unit_price < group.ceiling_price else "is"
    head = f"{people(group.participants)} joined, so the price {fell} {price}"
    due = f"{case.money(case.due_minor)} for {case.quantity}"
    if case.facts.payment is None:
        return f"{head}: {due} are due. No money was taken here."
    rest_minor = case.hold_minor - case.due_minor
    if not rest_minor:
        return f"{head}: you pay {due}, all of what was held.{_refunds(case)}"
    went = f"went back at {when(case.released[0].at)}" if case.released else "go back"
    held = case.money(case.hold_minor)
    return f"{head}: you pay {due}; {case.money(rest_minor)} of the {held} held {went}.{_refunds(case)}"


def _so_far(case: Case) -> str:
    group, until = case.group, when(case.group.expires_at)
    takes_money = case.facts.payment is not None
    if not group.is_tipped:
        needed = f"{people(group.participants)} joined and {group.terms.schedule.tips_at} are needed by {until}"
        otherwise = f"nothing, and the {case.money(case.hold_minor)} held go back" if takes_money else "nothing"
        return (
            f"{needed}. Then you pay at most {case.money(case.due_minor)} for {case.quantity}, otherwise {otherwise}."
        )
    now = f"{people(group.participants)} joined, so the price is {case.money(group.unit_price)} now"
    most = f"at most {case.money(case.due_minor)} for {case.quantity}"
    rest = f"; the rest of the {case.money(case.hold_minor)} held goes back" if takes_money else ""
    return f"{now}. When the group closes, at {until} at the latest, you pay the price of then, {most}{rest}."


def _awaiting(case: Case) -> str:
    payment = case.facts.payment
    assert payment is not None
    return (
        f"A place is kept for you until {when(payment.pay_by)}: finish the payment by then. At most"
        f" {case.money(case.hold_minor)} for {case.quantity} are held, and nothing is taken before the group closes."
    )


def _why_nothing(case: Case, because: NothingPaid) -> str:
    group = case.group
    if because is NothingPaid.GROUP_FAILED:
        needed = group.terms.schedule.tips_at
        return f"{people(group.participants)} joined and {needed} were needed, so nobody pays."
    if because is NothingPaid.GROUP_CANCELLED:
        by_merchant = " by the merchant" if group.closed_by is ClosedBy.MERCHANT else ""
        return f"The group was called off{by_merchant}, so nobody pays."
    if because is NothingPaid.CAPTURE_REFUSED:
        return f"The group succeeded, but your {case.money(case.due_minor)} could not be taken: the place was lost."
    return _OWN_CAUSES[because]


def _what_goes_back(case: Case) -> str:
    if case.captured:
        return f"The {case.money(case.refunded_minor)} you paid {'went' if _are_made(case) else 'go'} back."
    held = total(case.held)
    if not held:
        return "Nothing was taken."
    if total(case.released) == held:
        return f"All {case.money(held)} held went back at {when(case.released[-1].at)}."
    return f"All {case.money(held)} held go back."


def _refunds(case: Case) -> str:
    if not case.refunded_minor:
        return ""
    return f" {case.money(case.refunded_minor)} of it {'went' if _are_made(case) else 'go'} back as refunds."


def _are_made(case: Case) -> bool:
    return all(row.made_at for row in case.facts.refunds or ())
