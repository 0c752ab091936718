"""What Stripe's PaymentIntents are to the port."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from infra.ids import new_id
from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState, GatewayUnavailable
from infra.payments.stripe_amounts import refuse_inexact
from infra.payments.stripe_intents import payment_of, read_intent
from tests.gateways.stripe_answers import CAPTURE_BEFORE, MADE_AT, captured, card_error, charge, held, intent

ORDER = new_id()
WEEK_S = 7 * 86_400


def _payment(document: dict[str, Any]) -> GatewayPayment:
    return payment_of(read_intent(document), WEEK_S)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("requires_payment_method", GatewayState.PENDING),
        ("requires_confirmation", GatewayState.PENDING),
        ("requires_action", GatewayState.PENDING),
        ("processing", GatewayState.PENDING),
        ("requires_capture", GatewayState.HELD),
        ("succeeded", GatewayState.PAID),
        ("canceled", GatewayState.CANCELLED),
    ],
)
def test_every_status_of_stripe_is_a_state(status: str, state: GatewayState) -> None:
    """The seven statuses of a PaymentIntent, and only what waits for the shopper carries the client secret."""
    payment = _payment(intent(ORDER, status))
    assert (payment.state, payment.order_id) == (state, ORDER)
    assert (payment.client_secret is not None) == (state is GatewayState.PENDING)


def test_a_status_nobody_knows_leaves_open_what_happened() -> None:
    """A new status is not guessed at."""
    with pytest.raises(GatewayUnavailable, match="requires_reflection"):
        _payment(intent(ORDER, "requires_reflection"))


def test_a_hold_ends_when_its_charge_says() -> None:
    """`capture_before` of the card network, not the week that cards usually hold."""
    payment = _payment(held(ORDER))
    assert payment.hold_expires_at == datetime.fromtimestamp(CAPTURE_BEFORE, UTC)
    assert (payment.amount_minor, payment.currency, payment.captured_minor) == (1_000, "EUR", 0)
    assert payment.created_at == datetime.fromtimestamp(MADE_AT, UTC)


@pytest.mark.parametrize("details", [None, {"type": "link"}, {"card": {"brand": "visa"}, "type": "card"}])
def test_a_hold_without_an_end_lives_as_long_as_documented(details: object) -> None:
    """Where the charge says nothing the hold ends a week after it was made."""
    payment = _payment(intent(ORDER, "requires_capture", latest_charge=charge(payment_method_details=details)))
    assert payment.hold_expires_at == datetime.fromtimestamp(MADE_AT + 2, UTC) + timedelta(seconds=WEEK_S)


@pytest.mark.parametrize("refunded", [0, 300, 640])
def test_what_a_capture_released_is_no_refund(refunded: int) -> None:
    """Stripe counts the released rest as refunded; the port counts what went back of what was taken."""
    payment = _payment(captured(ORDER, 640, refunded))
    assert (payment.state, payment.captured_minor, payment.refunded_minor) == (GatewayState.PAID, 640, refunded)


def test_what_a_cancelled_hold_released_is_no_refund() -> None:
    """Nothing was taken, so nothing went back."""
    payment = _payment(intent(ORDER, "canceled", latest_charge=charge(amount_refunded=1_000, refunded=True)))
    assert (payment.captured_minor, payment.refunded_minor) == (0, 0)


def test_a_decline_is_told_while_the_shopper_may_try_again() -> None:
    """An unconfirmed payment whose card was declined waits for another card, and says why."""
    payment = _payment(intent(ORDER, "requires_payment_method", last_payment_error=card_error()))
    assert payment.state is GatewayState.PENDING
    assert payment.declined_because == "Your card has insufficient funds."


def test_a_step_by_redirect_names_its_address() -> None:
    """What the app opens for 3-D Secure."""
    step = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3ds", "return_url": "x"}}
    assert _payment(intent(ORDER, "requires_action", next_action=step)).redirect_url == "https://hooks.stripe.com/3ds"
    in_the_app: dict[str, object] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
    assert _payment(intent(ORDER, "requires_action", next_action=in_the_app)).redirect_url is None


@pytest.mark.parametrize("metadata", [{}, {"order_id": "A-17"}, {"order_id": ""}, {"orderid": str(ORDER)}])
def test_somebody_elses_payment_is_none_of_ours(metadata: dict[str, str]) -> None:
    """A Stripe account may take other payments; none of them is ever mistaken for an order."""
    with pytest.raises(GatewayRefused) as refused:
        _payment(held(ORDER) | {"metadata": metadata})
    assert refused.value.reason == "not_our_payment"


@pytest.mark.parametrize(
    "document", [None, [], {}, "requires_capture", {"id": "pi_1"}, held(ORDER) | {"amount": "1000"}]
)
def test_what_is_no_intent_is_not_read_as_one(document: object) -> None:
    """Amounts are integers, and nothing is made up for what is missing."""
    with pytest.raises(msgspec.ValidationError):
        read_intent(document)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "reason"),
    [
        (0, "EUR", "amount_not_positive"),
        (-1, "EUR", "amount_not_positive"),
        (500, "ISK", "currency_not_supported"),
        (500, "UGX", "currency_not_supported"),
        (500, "MGA", "currency_not_supported"),
        (5_124, "KWD", "amount_not_representable"),
    ],
)
def test_what_stripe_cannot_hold_exactly_is_refused(amount_minor: int, currency: str, reason: str) -> None:
    """No amount is rounded, and none is sent a hundredfold."""
    with pytest.raises(GatewayRefused) as refused:
        refuse_inexact(amount_minor, currency)
    assert refused.value.reason == reason


@pytest.mark.parametrize(("amount_minor", "currency"), [(1, "EUR"), (500, "JPY"), (5_120, "KWD"), (1_045, "HUF")])
def test_other_amounts_are_what_they_are(amount_minor: int, currency: str) -> None:
    """Minor units of ISO 4217 are Stripe's."""
    refuse_inexact(amount_minor, currency)
