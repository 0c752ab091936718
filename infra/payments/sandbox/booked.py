"""A payment as it stands in the sandbox's books, and how the port tells of it."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from infra.payments.port import GatewayPayment, GatewayState, PaymentRequest
from infra.payments.sandbox.methods import METHODS


class Status(StrEnum):
    """Where a payment stands in the books; more finely told than by the port."""

    PENDING = "pending"
    HELD = "held"
    PAID = "paid"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


STATES = {
    Status.PENDING: GatewayState.PENDING,
    Status.HELD: GatewayState.HELD,
    Status.PAID: GatewayState.PAID,
    Status.DECLINED: GatewayState.CANCELLED,
    Status.CANCELLED: GatewayState.CANCELLED,
    Status.EXPIRED: GatewayState.CANCELLED,
}


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the books; `done` maps an idempotency key to what was done with it."""

    order_id: UUID
    amount_minor: int
    currency: str
    method: str
    status: Status
    captured_minor: int = 0
    refunded_minor: int = 0
    declined_because: str | None = None
    hold_expires_at: datetime | None = None
    created_at: datetime
    done: dict[str, str] = {}


class Opening(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A payment about to be booked: what a request makes of it, before the books' clock has said when.

    Each is one request, equal to no other: so it is a key that costs next to nothing.
    """

    order_id: UUID
    amount_minor: int
    currency: str
    method: str
    status: Status
    captured_minor: int = 0
    declined_because: str | None = None
    hold_lifetime_s: int | None = None


def reference_of(order_id: UUID) -> str:
    """The sandbox's own name of a payment."""
    return f"pay_{order_id.hex}"


def order_of(reference: str) -> UUID | None:
    """The order a reference is of; None where it is no reference of the sandbox."""
    try:
        order_id = UUID(reference.removeprefix("pay_"))
    except ValueError:
        return None
    return order_id if reference == reference_of(order_id) else None


def opening_of(request: PaymentRequest, method: str, hold_lifetime_s: int | None) -> Opening:
    """What a request comes to: held for so long, or paid at once where there are no holds (None)."""
    behaviour = METHODS[method]
    if behaviour.declined_because:
        status = Status.DECLINED
    elif behaviour.needs_step:
        status = Status.PENDING
    else:
        status = Status.PAID if hold_lifetime_s is None else Status.HELD
    if hold_lifetime_s is not None:
        hold_lifetime_s = _hold_lifetime_s(method, hold_lifetime_s)
    return Opening(
        order_id=request.order_id,
        amount_minor=request.amount_minor,
        currency=request.currency,
        method=method,
        status=status,
        captured_minor=request.amount_minor if status is Status.PAID else 0,
        declined_because=behaviour.declined_because,
        hold_lifetime_s=hold_lifetime_s if status is Status.HELD else None,
    )


def opened(opening: Opening, now: datetime) -> Booked:
    """The payment that was booked at a moment."""
    lifetime_s = opening.hold_lifetime_s
    return Booked(
        order_id=opening.order_id,
        amount_minor=opening.amount_minor,
        currency=opening.currency,
        method=opening.method,
        status=opening.status,
        captured_minor=opening.captured_minor,
        declined_because=opening.declined_because,
        hold_expires_at=None if lifetime_s is None else now + timedelta(seconds=lifetime_s),
        created_at=now,
    )


def approved(payment: Booked, hold_lifetime_s: int | None, now: datetime) -> Booked:
    """A payment that waited, now held for so long, or paid where there are no holds (None)."""
    if hold_lifetime_s is None:
        return msgspec.structs.replace(payment, status=Status.PAID, captured_minor=payment.amount_minor)
    expires_at = now + timedelta(seconds=_hold_lifetime_s(payment.method, hold_lifetime_s))
    return msgspec.structs.replace(payment, status=Status.HELD, hold_expires_at=expires_at)


def as_of(payment: Booked, now: datetime) -> Booked:
    """A payment as the clock has it: a hold whose time is over has expired, whether or not anybody wrote it down."""
    if payment.status is Status.HELD and payment.hold_expires_at is not None and payment.hold_expires_at <= now:
        return msgspec.structs.replace(payment, status=Status.EXPIRED)
    return payment


def as_told(payment: Booked, client_secret: str | None = None, redirect_url: str | None = None) -> GatewayPayment:
    """The payment in the port's words."""
    return GatewayPayment(
        reference=reference_of(payment.order_id),
        order_id=payment.order_id,
        state=STATES[payment.status],
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        captured_minor=payment.captured_minor,
        refunded_minor=payment.refunded_minor,
        client_secret=client_secret,
        redirect_url=redirect_url,
        declined_because=payment.declined_because,
        hold_expires_at=payment.hold_expires_at,
        created_at=payment.created_at,
    )


def _hold_lifetime_s(method: str, hold_lifetime_s: int) -> int:
    own_s = METHODS[method].hold_lifetime_s
    return hold_lifetime_s if own_s is None else min(own_s, hold_lifetime_s)
