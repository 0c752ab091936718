"""What our own books say of one order, compared with each other: pure.

The ledger, the payment, the settlement, the order and its refunds tell the same story five times; each is written in
the transaction that changed the others, so any difference is a fault, and for a person.
"""

from collections.abc import Iterator

from domain.groupbuy.payment import PaymentStatus, SettlementStatus
from domain.pricing.shares import fee_on
from workers.balancing.difference import Difference, What
from workers.balancing.ours import Ours
from workers.balancing.wording import money, said_by_us

_COMPARE = "a fault of Tuan: compare the order's rows in `ledger`, `settlements`, `orders` and `refunds`"
_SETTLEMENT = "see `tuan settlements`; put right what is in the way, then `tuan settlements retry` it"
_UNDECIDED = "a fault of Tuan: its group is settled without it; see `settlements` and `participants`"

_Found = tuple[What, str, str, str]
"""What, counted, kept, advice."""


def judge_books(ours: Ours) -> Iterator[Difference]:
    """Every difference within our books on one order."""
    for what, counted, kept, advice in (*_given_up(ours), *_undecided(ours), *_sums(ours)):
        yield Difference(
            what=what,
            theirs=counted,
            ours=kept,
            advice=advice,
            gateway=ours.gateway,
            order_id=ours.order_id,
            group_id=ours.group_id,
            reference=ours.reference,
        )


def _given_up(ours: Ours) -> Iterator[_Found]:
    why = ours.last_error or "no reason noted"
    if ours.settlement is SettlementStatus.DEAD:
        yield What.GIVEN_UP, why, f"settlement of {said_by_us(ours)}", _SETTLEMENT
    if ours.refunds_dead:
        due = money(ours.refunds_due_minor, ours.currency)
        yield What.GIVEN_UP, "no answer or a refusal, see `refunds`", f"refund of {due}", _SETTLEMENT


def _undecided(ours: Ours) -> Iterator[_Found]:
    is_over = ours.status not in {PaymentStatus.AWAITING, PaymentStatus.HELD} or ours.left_at is not None
    if ours.settlement is None and (is_over or (ours.status is PaymentStatus.HELD and ours.is_group_settled)):
        yield What.UNDECIDED, "no settlement", said_by_us(ours), _UNDECIDED


def _sums(ours: Ours) -> Iterator[_Found]:
    """Each balance of the ledger, and each sum of the order, beside what the other rows make of it."""
    for name, counted_minor, kept_minor in (
        ("held in the ledger", ours.booked_hold_minor, _held_minor(ours)),
        ("at the gateway by the ledger", -ours.booked_clearing_minor, _held_minor(ours) + _still_there_minor(ours)),
        ("on its way back by the ledger", ours.booked_refunds_minor, ours.refunds_due_minor),
        ("platform's fee in the ledger", ours.booked_fee_minor, fee_on(_kept_minor(ours), ours.fee_bps)),
        ("captured by the order", ours.order_captured_minor or 0, _captured_minor(ours)),
        ("refunded by the refunds", ours.refunds_made_minor + ours.refunds_due_minor, ours.order_refunded_minor or 0),
    ):
        if counted_minor != kept_minor:
            counted = f"{money(counted_minor, ours.currency)} {name}"
            yield What.LEDGER, counted, f"{money(kept_minor, ours.currency)} ({said_by_us(ours)})", _COMPARE
    if ours.other_currencies:
        yield What.LEDGER, f"movements in {', '.join(ours.other_currencies)}", f"held in {ours.currency}", _COMPARE


def _held_minor(ours: Ours) -> int:
    """Held until the settlement is carried out; a late payment too, and that alone of those that lapsed."""
    if ours.status is PaymentStatus.HELD:
        return ours.hold_minor
    is_late = ours.status is PaymentStatus.LAPSED and ours.late_at is not None
    return ours.hold_minor if is_late and not ours.is_settled else 0


def _captured_minor(ours: Ours) -> int:
    return ours.capture_minor or 0 if ours.status is PaymentStatus.CAPTURED else 0


def _kept_minor(ours: Ours) -> int:
    return (ours.order_captured_minor or 0) - (ours.order_refunded_minor or 0)


def _still_there_minor(ours: Ours) -> int:
    """Captured, and not recorded as given back."""
    return (ours.order_captured_minor or 0) - ours.refunds_made_minor
