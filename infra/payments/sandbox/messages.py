"""The sandbox's webhooks as they go over the wire: many events in one signed body, as some providers do."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from infra.payments.port import WebhookEvent, WebhookRefused
from infra.payments.sandbox.booked import STATES, Status, reference_of
from infra.payments.sandbox.signing import SIGNATURE_HEADER, verify
from infra.signed_bodies import signature

EVENTS_PER_MESSAGE_MAX = 100
"""Of a row of `sandbox_events` too: a row goes in one message, so it may never hold more than one takes."""

KINDS = frozenset(
    {
        "payment.pending",
        "payment.held",
        "payment.paid",
        "payment.declined",
        "payment.step_completed",
        "payment.cancelled",
        "payment.expired",
        "payment.captured",
        "payment.refunded",
    }
)


class PaymentThen(msgspec.Struct, frozen=True, kw_only=True):
    """Which payment an event is about and how it stood then, in the provider's words."""

    reference: str
    order_id: UUID
    status: Status


class SandboxEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event in a message; `created_at` is when it happened."""

    id: str
    kind: str
    created_at: datetime
    payment: PaymentThen


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The body of one POST."""

    events: list[SandboxEvent]


class _Heard(msgspec.Struct, frozen=True):
    id: str
    kind: str
    payment: msgspec.Raw = msgspec.Raw(b"null")


class _HeardMessage(msgspec.Struct, frozen=True):
    events: list[_Heard]


_decode_message = msgspec.json.Decoder(_HeardMessage).decode
_decode_payment = msgspec.json.Decoder(PaymentThen).decode


def event_of(event_id: str, kind: str, order_id: UUID, status: Status, created_at: datetime) -> SandboxEvent:
    """An event about a payment."""
    payment = PaymentThen(reference=reference_of(order_id), order_id=order_id, status=status)
    return SandboxEvent(id=event_id, kind=kind, created_at=created_at, payment=payment)


def signed(key: bytes, body: bytes, at: datetime) -> dict[str, str]:
    """The headers that a body is sent with."""
    return {"content-type": "application/json", SIGNATURE_HEADER: signature(key, body, at)}


def read_message(key: bytes, body: bytes, headers: Mapping[str, str], now: datetime) -> Sequence[WebhookEvent]:
    """The events of a message; those of a kind not known are about no order. Raises WebhookRefused."""
    verify(key, body, headers, now)
    try:
        return [_read(event) for event in _decode_message(body).events]
    except (msgspec.DecodeError, RecursionError) as error:
        raise WebhookRefused(f"The webhook cannot be read: {error}") from error


def _read(event: _Heard) -> WebhookEvent:
    if event.kind not in KINDS:
        return WebhookEvent(id=event.id, kind=event.kind, order_id=None, state=None)
    payment = _decode_payment(event.payment)
    return WebhookEvent(id=event.id, kind=event.kind, order_id=payment.order_id, state=STATES[payment.status])
