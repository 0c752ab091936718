"""What Stripe answers, as its API reference shows it, with the fields we do not read left in."""

from typing import Any
from uuid import UUID

MADE_AT = 1_760_000_000
CAPTURE_BEFORE = MADE_AT + 4 * 86_400 + 18 * 3_600
"""Visa's shorter window."""


def intent(order_id: UUID, status: str, **fields: Any) -> dict[str, Any]:
    """A PaymentIntent over 10.00 EUR."""
    document: dict[str, Any] = {
        "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "object": "payment_intent",
        "amount": 1_000,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "manual",
        "client_secret": "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH",
        "confirmation_method": "automatic",
        "created": MADE_AT,
        "currency": "eur",
        "customer": None,
        "description": "Ceiling price, 1 unit",
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {"order_id": str(order_id), "shopper_id": "0199e2c6-0000-7000-8000-000000000000"},
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "status": status,
    }
    return document | fields


def held(order_id: UUID) -> dict[str, Any]:
    return intent(order_id, "requires_capture", amount_capturable=1_000, latest_charge=charge())


def captured(order_id: UUID, amount: int, refunded: int = 0) -> dict[str, Any]:
    """What was not captured counts as refunded, and so does what was refunded after."""
    taken = charge(amount_captured=amount, amount_refunded=1_000 - amount + refunded, captured=True)
    return intent(order_id, "succeeded", amount_received=amount, latest_charge=taken)


def declined(order_id: UUID) -> dict[str, Any]:
    """The body of a 402: the error names the intent that was made, which waits for another card."""
    error = card_error()
    waiting = intent(order_id, "requires_payment_method", last_payment_error=error)
    return {"error": error | {"payment_intent": waiting, "request_log_url": "https://dashboard.stripe.com/logs/req"}}


def card_error() -> dict[str, Any]:
    return {
        "charge": "ch_3MtwBwLkdIwHu7ix0GnKl6Ak",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": "Your card has insufficient funds.",
        "type": "card_error",
    }


def charge(**fields: Any) -> dict[str, Any]:
    card = {"amount_authorized": 1_000, "brand": "visa", "capture_before": CAPTURE_BEFORE, "last4": "4242"}
    document: dict[str, Any] = {
        "id": "ch_3MtwBwLkdIwHu7ix0GnKl6Ak",
        "object": "charge",
        "amount": 1_000,
        "amount_captured": 0,
        "amount_refunded": 0,
        "captured": False,
        "created": MADE_AT + 2,
        "currency": "eur",
        "payment_method_details": {"card": card, "type": "card"},
        "refunded": False,
        "status": "succeeded",
    }
    return document | fields


def refund(order_id: UUID, status: str = "succeeded") -> dict[str, Any]:
    """A refund of 3.00 of the 6.40 that were captured, with the payment after it."""
    return {
        "id": "re_1Nispe2eZvKYlo2Cd31jOCgZ",
        "object": "refund",
        "amount": 300,
        "charge": "ch_3MtwBwLkdIwHu7ix0GnKl6Ak",
        "created": MADE_AT + 100,
        "currency": "eur",
        "payment_intent": captured(order_id, 640, refunded=300 if status == "succeeded" else 0),
        "reason": None,
        "status": status,
    }


def page(*intents: dict[str, Any], has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "url": "/v1/payment_intents", "has_more": has_more, "data": list(intents)}


def refusal(code: str, message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": message}}
