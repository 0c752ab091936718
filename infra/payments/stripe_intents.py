"""Stripe's PaymentIntent with its latest charge, as far as we read it, and what it is to the port."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import stripe

from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState, GatewayUnavailable

STATES: dict[str, GatewayState] = {
    "requires_payment_method": GatewayState.PENDING,
    "requires_confirmation": GatewayState.PENDING,
    "requires_action": GatewayState.PENDING,
    "processing": GatewayState.PENDING,
    "requires_capture": GatewayState.HELD,
    "succeeded": GatewayState.PAID,
    "canceled": GatewayState.CANCELLED,
}
"""https://docs.stripe.com/payments/paymentintents/lifecycle"""


class _Card(msgspec.Struct, frozen=True):
    capture_before: int | None = None


class _MethodDetails(msgspec.Struct, frozen=True):
    card: _Card | None = None


class _Charge(msgspec.Struct, frozen=True, kw_only=True):
    amount: int
    created: int
    amount_captured: int = 0
    amount_refunded: int = 0
    payment_method_details: _MethodDetails | None = None

    @property
    def refunded(self) -> int:
        """What went back of what was captured.

        Stripe counts the part of a hold that a smaller capture releases as refunded too: a hold of 1000 captured at 640
        has `amount_refunded` 360.
        """
        return max(0, self.amount_refunded - (self.amount - self.amount_captured))


class _Redirect(msgspec.Struct, frozen=True):
    url: str | None = None


class _NextAction(msgspec.Struct, frozen=True):
    redirect_to_url: _Redirect | None = None


class _PaymentError(msgspec.Struct, frozen=True):
    message: str | None = None
    code: str | None = None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A PaymentIntent in Stripe's own words and amounts; `latest_charge` is an id where it was not expanded."""

    id: str
    amount: int
    currency: str
    status: str
    created: int
    amount_received: int = 0
    metadata: dict[str, str] = {}
    client_secret: str | None = None
    cancellation_reason: str | None = None
    next_action: _NextAction | None = None
    last_payment_error: _PaymentError | None = None
    latest_charge: _Charge | str | None = None

    @property
    def order_id(self) -> UUID | None:
        """The order this payment is for; None where somebody else made it."""
        return order_id_in(self.metadata)


class Page(msgspec.Struct, frozen=True):
    """One page of intents, newest first."""

    data: list[Intent]
    has_more: bool


class Refund(msgspec.Struct, frozen=True):
    """A refund with the payment after it."""

    id: str
    status: str
    payment_intent: Intent


def read_intent(answer: object) -> Intent:
    """An intent as stripe-python hands it over, or the dict inside an error; raises msgspec.ValidationError."""
    return msgspec.convert(_plain(answer), Intent)


def read_page(answer: object) -> Page:
    """A list of intents as stripe-python hands it over; raises msgspec.ValidationError."""
    return msgspec.convert(_plain(answer), Page)


def read_refund(answer: object) -> Refund:
    """A refund whose payment was expanded; raises msgspec.ValidationError."""
    return msgspec.convert(_plain(answer), Refund)


def order_id_in(metadata: object) -> UUID | None:
    """The order that an object of ours names."""
    try:
        return UUID(metadata["order_id"]) if isinstance(metadata, dict) else None
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def payment_of(intent: Intent, hold_lifetime_s: int) -> GatewayPayment:
    """The payment an intent is; a hold for which Stripe names no end lives `hold_lifetime_s` from its charge on."""
    order_id = intent.order_id
    if order_id is None:
        raise GatewayRefused("not_our_payment", f"{intent.id} was not made for an order of Tuan.")
    state = STATES.get(intent.status)
    if state is None:
        raise GatewayUnavailable(f"Stripe says {intent.status!r} of {intent.id}, which is none of its known states.")
    waits = state is GatewayState.PENDING
    charge = intent.latest_charge if isinstance(intent.latest_charge, _Charge) else None
    paid = state is GatewayState.PAID
    return GatewayPayment(
        reference=intent.id,
        order_id=order_id,
        state=state,
        amount_minor=intent.amount,
        currency=intent.currency.upper(),
        captured_minor=intent.amount_received if paid else 0,
        refunded_minor=charge.refunded if paid and charge else 0,
        client_secret=intent.client_secret if waits else None,
        redirect_url=_redirect_url(intent) if waits else None,
        declined_because=_decline(intent),
        hold_expires_at=_hold_end(charge, hold_lifetime_s) if state is GatewayState.HELD and charge else None,
        created_at=_moment(intent.created),
    )


def _redirect_url(intent: Intent) -> str | None:
    redirect = intent.next_action.redirect_to_url if intent.next_action else None
    return redirect.url if redirect else None


def _decline(intent: Intent) -> str | None:
    error = intent.last_payment_error
    return (error.message or error.code) if error else None


def _hold_end(charge: _Charge, hold_lifetime_s: int) -> datetime:
    card = charge.payment_method_details.card if charge.payment_method_details else None
    if card and card.capture_before is not None:
        return _moment(card.capture_before)
    return _moment(charge.created) + timedelta(seconds=hold_lifetime_s)


def _moment(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


def _plain(answer: object) -> object:
    return answer.to_dict() if isinstance(answer, stripe.StripeObject) else answer
