"""The story of a shopper's money line by line, each with its moment and its amount."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from api.explaining.because import because_of
from api.explaining.case import Case, people, when
from domain.groupbuy.group import ClosedBy, GroupStatus
from domain.groupbuy.payment import PaymentStatus, SettlementStatus
from domain.pricing.ledger import Cause


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, or (`expected`) is to come; `amount` is minor units, null where no money moved."""

    kind: str
    at: datetime
    amount: int | None
    sentence: str


def lines_of(case: Case) -> list[Line]:
    """All lines in the order of time."""
    lines = [*_asked(case), *_held(case), *_given_up(case), *_closed(case), *_settled(case), *_refunded(case)]
    return [*sorted(lines, key=lambda line: line.at), *_expected(case)]


def _asked(case: Case) -> Iterator[Line]:
    payment, place = case.facts.payment, case.facts.place
    if payment is not None:
        ceiling = case.money(case.group.ceiling_price)
        sentence = f"You asked for {case.quantity}, for at most {case.money(payment.hold_minor)}: {ceiling} for one."
        yield Line(kind="asked", at=payment.created_at, amount=None, sentence=sentence)
    elif place is not None:
        yield Line(kind="joined", at=place.joined_at, amount=None, sentence=f"You joined with {case.quantity}.")


def _held(case: Case) -> Iterator[Line]:
    payment = case.facts.payment
    for row in case.held:
        amount = case.money(row.amount_minor)
        if payment is not None and payment.late_at is not None:
            sentence = f"{amount} came when the place was gone."
        else:
            sentence = f"You paid and joined: {amount} were held, the most it can cost."
        yield Line(kind="held", at=row.at, amount=row.amount_minor, sentence=sentence)


def _given_up(case: Case) -> Iterator[Line]:
    payment, settlement = case.facts.payment, case.facts.settlement
    if payment is None or settlement is None:
        return
    if payment.left_at is not None:
        yield Line(kind="left", at=payment.left_at, amount=None, sentence="You gave the place up.")
    elif payment.status is PaymentStatus.LAPSED:
        sentence = "The place was free again: it had not been paid."
        yield Line(kind="lapsed", at=settlement.created_at, amount=None, sentence=sentence)


def _closed(case: Case) -> Iterator[Line]:
    group, tier = case.group, case.tier
    if group.closed_at is None:
        return
    if group.status is GroupStatus.SUCCEEDED and tier is not None:
        full = ", as it was full" if group.closed_by is ClosedBy.FULL else ""
        price = case.money(tier.unit_price)
        sentence = (
            f"The group closed{full}: {people(group.participants)}; from {tier.participants} on one costs {price}."
        )
    elif group.status is GroupStatus.FAILED:
        needed = group.terms.schedule.tips_at
        sentence = f"The group closed with {people(group.participants)} and needed {needed}: nobody pays."
    else:
        sentence = f"{_who_cancelled(group.closed_by)}: nobody pays."
    yield Line(kind="closed", at=group.closed_at, amount=None, sentence=sentence)


def _settled(case: Case) -> Iterator[Line]:
    settlement = case.facts.settlement
    for row in case.captured:
        sentence = f"{case.money(row.amount_minor)} were taken: {case.quantity} x {case.money(case.group.unit_price)}."
        yield Line(kind="captured", at=row.at, amount=row.amount_minor, sentence=sentence)
    for row in case.released:
        sentence = f"{case.money(row.amount_minor)} of the hold went back."
        yield Line(kind="released", at=row.at, amount=row.amount_minor, sentence=sentence)
    if settlement is None or not settlement.capture_minor:
        return
    taken = case.money(settlement.capture_minor)
    if settlement.status is SettlementStatus.FAILED and settlement.done_at is not None:
        sentence = f"{taken} could not be taken, so the place was lost."
        yield Line(kind="refused", at=settlement.done_at, amount=None, sentence=sentence)
    elif settlement.status is not SettlementStatus.DONE:
        sentence = f"{taken} are to be taken and {case.money(settlement.release_minor)} given back."
        yield Line(kind="settling", at=settlement.created_at, amount=None, sentence=sentence)


def _refunded(case: Case) -> Iterator[Line]:
    for refund in case.facts.refunds or ():
        sentence = f"The merchant gives {case.money(refund.amount_minor)} back: {refund.reason}"
        yield Line(kind="refund", at=refund.created_at, amount=None, sentence=sentence)
    for row in case.facts.movements or ():
        if row.cause is Cause.REFUND_MADE:
            sentence = f"{case.money(row.amount_minor)} were given back."
            yield Line(kind="refunded", at=row.at, amount=row.amount_minor, sentence=sentence)


def _expected(case: Case) -> Iterator[Line]:
    group = case.group
    if not group.is_open or because_of(case) is not None:
        return
    coming = group.terms.schedule.next_tier(group.participants)
    if coming is None:
        sentence = f"The group closes at {when(group.expires_at)} at the latest; the price cannot fall any more."
    else:
        needed, price = coming.participants - group.participants, case.money(coming.unit_price)
        then = f"with {needed} more one costs {price}"
        sentence = f"The group closes at {when(group.expires_at)} at the latest; {then}."
    yield Line(kind="expected", at=group.expires_at, amount=None, sentence=sentence)


def _who_cancelled(closed_by: ClosedBy | None) -> str:
    match closed_by:
        case ClosedBy.MERCHANT:
            return "The merchant called the group off"
        case ClosedBy.EVERYONE_LEFT:
            return "Everybody had left the group"
        case _:
            return "The group was called off"
