"""What the sandbox decides about a request: pure, and as strict as a provider."""

from datetime import datetime
from uuid import UUID

import msgspec

from infra.payments.port import GatewayRefused, GatewayState
from infra.payments.sandbox.booked import STATES, Booked, Status, approved, as_of
from infra.payments.sandbox.methods import METHODS

REFUNDS_MAX = 100
"""Of one payment: its row names each."""


_NO_CAPTURE = {
    Status.PENDING: ("not_approved", "The shopper has not approved this payment yet."),
    Status.PAID: ("already_captured", "This payment was captured; a hold is captured once."),
    Status.DECLINED: ("payment_declined", "This payment was declined; nothing is held."),
    Status.CANCELLED: ("payment_cancelled", "This payment was cancelled; nothing is held."),
    Status.EXPIRED: ("hold_expired", "The hold has expired; nothing is held."),
}


class Capture(msgspec.Struct, frozen=True):
    """Take so much of a hold, release the rest."""

    order_id: UUID
    key: str
    amount_minor: int


class Cancel(msgspec.Struct, frozen=True):
    """Release a hold, or stop waiting for the shopper."""

    order_id: UUID
    key: str


class Refund(msgspec.Struct, frozen=True):
    """Give back so much of what was taken."""

    order_id: UUID
    key: str
    amount_minor: int


class TakeStep(msgspec.Struct, frozen=True):
    """The shopper took the step, or failed it; approved money is held for so long, or taken at once (None)."""

    order_id: UUID
    approve: bool
    hold_lifetime_s: int | None


Change = Capture | Cancel | Refund | TakeStep


class Happened(msgspec.Struct, frozen=True):
    """One event of a payment, as the books keep it for the webhooks."""

    order_id: UUID
    kind: str
    status: Status


def changed(payment: Booked, change: Change, now: datetime) -> tuple[Booked, list[Happened]]:
    """The payment after a change, and what happened; nothing did where the change was made before.

    Raises GatewayRefused.
    """
    current = as_of(payment, now)
    expired = [Happened(payment.order_id, "payment.expired", current.status)] if current is not payment else []
    if _is_done(current, change):
        return current, expired
    after, kind = _after(current, change, now)
    return after, [*expired, Happened(payment.order_id, kind, after.status)]


def _after(payment: Booked, change: Change, now: datetime) -> tuple[Booked, str]:
    """The changed payment, and the kind of event that this is."""
    match change:
        case Capture():
            return _captured(payment, change), "payment.captured"
        case Cancel():
            return _cancelled(payment, change), "payment.cancelled"
        case Refund():
            return _refunded(payment, change), "payment.refunded"
        case TakeStep():
            return _step_ended(payment, change, now)


def _step_ended(payment: Booked, step: TakeStep, now: datetime) -> tuple[Booked, str]:
    if payment.status is not Status.PENDING:
        raise GatewayRefused("no_step_awaited", f"No step is awaited: this payment is {payment.status}.")
    if step.approve:
        return approved(payment, step.hold_lifetime_s, now), "payment.step_completed"
    because = "The shopper was not authenticated."
    return msgspec.structs.replace(payment, status=Status.DECLINED, declined_because=because), "payment.declined"


def _captured(payment: Booked, capture: Capture) -> Booked:
    if payment.status is not Status.HELD:
        raise GatewayRefused(*_NO_CAPTURE[payment.status])
    if not 0 < capture.amount_minor <= payment.amount_minor:
        raise GatewayRefused(
            "amount_not_held", f"{capture.amount_minor} cannot be captured; {payment.amount_minor} is held."
        )
    if METHODS[payment.method].declines_at_capture:
        raise GatewayRefused("card_declined", "The card's bank declined the capture.")
    return msgspec.structs.replace(
        payment, status=Status.PAID, captured_minor=capture.amount_minor, done=_noted(payment, capture)
    )


def _refunded(payment: Booked, refund: Refund) -> Booked:
    left_minor = payment.captured_minor - payment.refunded_minor
    if not 0 < refund.amount_minor <= left_minor:
        raise GatewayRefused(
            "amount_not_captured", f"{refund.amount_minor} cannot be refunded; {left_minor} is left of what was taken."
        )
    if len(payment.done) > REFUNDS_MAX:
        raise GatewayRefused("too_many_refunds", f"A payment is refunded {REFUNDS_MAX} times at most.")
    refunded_minor = payment.refunded_minor + refund.amount_minor
    return msgspec.structs.replace(payment, refunded_minor=refunded_minor, done=_noted(payment, refund))


def _cancelled(payment: Booked, cancel: Cancel) -> Booked:
    if payment.status is Status.PAID:
        raise GatewayRefused("already_captured", "This payment was taken; refund it.")
    return msgspec.structs.replace(payment, status=Status.CANCELLED, done=_noted(payment, cancel))


def _is_done(payment: Booked, change: Change) -> bool:
    """Whether there is nothing to do any more; GatewayRefused where the key was used for something else."""
    match change:
        case TakeStep():
            return False
        case Cancel() if STATES[payment.status] is GatewayState.CANCELLED:
            return True
    earlier = payment.done.get(change.key)
    if earlier is not None and earlier != _words(change):
        raise GatewayRefused("idempotency_mismatch", f"This key was used for another request: {earlier}.")
    return earlier is not None


def _noted(payment: Booked, change: Capture | Cancel | Refund) -> dict[str, str]:
    return {**payment.done, change.key: _words(change)}


def _words(change: Capture | Cancel | Refund) -> str:
    match change:
        case Capture(amount_minor=amount_minor):
            return f"capture {amount_minor}"
        case Refund(amount_minor=amount_minor):
            return f"refund {amount_minor}"
        case Cancel():
            return "cancel"
