"""What the Stripe gateway sends, and what it makes of the answers: against a stand-in that records and answers."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.ids import new_id
from infra.payments.port import GatewayRefused, GatewayState, GatewayUnavailable
from infra.payments.stripe_gateway import StripeGateway
from tests.gateways.loopback import StandIn
from tests.gateways.stripe_answers import MADE_AT, captured, declined, held, intent, page, refund, refusal
from tests.gateways.stripe_subject import API_KEY
from tests.gateways.stripe_wire.calls import ORDER, PI, SHOPPER, all_of, request_of

CHARGE = {"expand[0]": "latest_charge"}
THEN = datetime.fromtimestamp(MADE_AT, UTC)


async def test_a_hold_is_asked_for_with_the_orders_key(stripe: StandIn, gateway: StripeGateway) -> None:
    """Manual capture on a card, confirmed at once, naming order and shopper; the order is the idempotency key."""
    stripe.will_say(held(ORDER))
    assert (await gateway.authorise(request_of())).state is GatewayState.HELD
    (asked,) = stripe.asked
    assert (asked.method, asked.path) == ("POST", "/v1/payment_intents")
    assert asked.headers["idempotency-key"] == f"{ORDER}:authorise"
    assert asked.headers["authorization"] == f"Bearer {API_KEY}"
    assert asked.parameters == CHARGE | {
        "amount": "1000",
        "currency": "eur",
        "capture_method": "manual",
        "allowed_payment_method_types[0]": "card",
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "metadata[order_id]": str(ORDER),
        "metadata[shopper_id]": str(SHOPPER),
        "description": "Tea, 1 unit",
    }


async def test_without_a_method_the_app_pays(stripe: StandIn, gateway: StripeGateway) -> None:
    """Nothing is confirmed for the shopper; the client secret goes to the app."""
    stripe.will_say(intent(ORDER, "requires_payment_method"))
    payment = await gateway.authorise(request_of(method=None))
    assert (payment.state, bool(payment.client_secret)) == (GatewayState.PENDING, True)
    assert not {"confirm", "payment_method"} & stripe.asked[0].parameters.keys()


async def test_a_step_by_redirect_comes_back_to_the_shop(stripe: StandIn) -> None:
    """With a return address the shopper's step ends there."""
    gateway = StripeGateway(
        api_key=API_KEY, webhook_secret="whsec_unused", api_base=stripe.address, return_url="https://shop.example/paid"
    )
    stripe.will_say(held(ORDER))
    await gateway.authorise(request_of())
    await gateway.close()
    assert stripe.asked[0].parameters["return_url"] == "https://shop.example/paid"


async def test_a_decline_is_cancelled_so_that_nobody_pays_it_later(stripe: StandIn, gateway: StripeGateway) -> None:
    """402 card_declined is an answer: the intent it made is cancelled with the order's key, and the reason told."""
    stripe.will_say(declined(ORDER), 402)
    stripe.will_say(intent(ORDER, "canceled"))
    payment = await gateway.authorise(request_of())
    assert (payment.state, payment.order_id) == (GatewayState.CANCELLED, ORDER)
    assert payment.declined_because == "Your card has insufficient funds."
    assert stripe.asked[1].path == f"/v1/payment_intents/{PI}/cancel"
    assert stripe.asked[1].headers["idempotency-key"] == f"{ORDER}:cancel"


async def test_a_decline_heard_again_stays_one(stripe: StandIn, gateway: StripeGateway) -> None:
    """The stored 402 of a repeated request: its intent is cancelled already, which is no error."""
    stripe.will_say(declined(ORDER), 402)
    stripe.will_say(refusal("payment_intent_unexpected_state", "It is canceled."), 400)
    stripe.will_say(intent(ORDER, "canceled"))
    assert (await gateway.authorise(request_of())).declined_because == "Your card has insufficient funds."


async def test_a_decline_that_names_no_payment_leaves_it_open(stripe: StandIn, gateway: StripeGateway) -> None:
    """What cannot be cancelled now is looked up later."""
    stripe.will_say({"error": {"type": "card_error", "code": "card_declined", "message": "No."}}, 402)
    with pytest.raises(GatewayUnavailable):
        await gateway.authorise(request_of())


async def test_an_unexact_amount_is_never_sent(stripe: StandIn, gateway: StripeGateway) -> None:
    """Stripe is not asked for what it would hold a hundredfold."""
    with pytest.raises(GatewayRefused):
        await gateway.authorise(request_of(currency="ISK"))
    assert not stripe.asked


async def test_a_capture_takes_its_amount_once_for_its_key(stripe: StandIn, gateway: StripeGateway) -> None:
    """`amount_to_capture` and the caller's key."""
    stripe.will_say(captured(ORDER, 640))
    payment = await gateway.capture(PI, 640, f"{ORDER}:capture")
    assert (payment.captured_minor, payment.refunded_minor) == (640, 0)
    (asked,) = stripe.asked
    assert asked.path == f"/v1/payment_intents/{PI}/capture"
    assert asked.parameters == CHARGE | {"amount_to_capture": "640"}
    assert asked.headers["idempotency-key"] == f"{ORDER}:capture"


async def test_a_capture_repeated_after_its_key_was_pruned_is_done(stripe: StandIn, gateway: StripeGateway) -> None:
    """Stripe refuses the second capture of a hold; where exactly that was taken, it is the answer that was lost."""
    for taken in (640, 500):
        stripe.will_say(refusal("payment_intent_unexpected_state", "It was captured."), 400)
        stripe.will_say(captured(ORDER, taken))
    assert (await gateway.capture(PI, 640, f"{ORDER}:capture")).captured_minor == 640
    with pytest.raises(GatewayRefused) as refused:
        await gateway.capture(PI, 640, f"{ORDER}:capture")
    assert refused.value.reason == "payment_intent_unexpected_state"


async def test_a_hold_that_ran_out_is_said_to_have_expired(stripe: StandIn, gateway: StripeGateway) -> None:
    """Stripe cancels it by itself; the port's word for that is `hold_expired`."""
    stripe.will_say(refusal("payment_intent_unexpected_state", "It is canceled."), 400)
    stripe.will_say(intent(ORDER, "canceled", cancellation_reason="automatic"))
    with pytest.raises(GatewayRefused) as refused:
        await gateway.capture(PI, 640, f"{ORDER}:capture")
    assert refused.value.reason == "hold_expired"


async def test_a_capture_the_bank_declines_is_a_clear_no(stripe: StandIn, gateway: StripeGateway) -> None:
    """402 at capture, in Stripe's words."""
    stripe.will_say(declined(ORDER), 402)
    with pytest.raises(GatewayRefused, match="insufficient funds") as refused:
        await gateway.capture(PI, 640, f"{ORDER}:capture")
    assert refused.value.reason == "card_declined"


async def test_a_refund_answers_the_payment_after_it(stripe: StandIn, gateway: StripeGateway) -> None:
    """One call, with the amount, the caller's key and the payment expanded."""
    stripe.will_say(refund(ORDER))
    payment = await gateway.refund(PI, 300, f"{ORDER}:refund")
    assert (payment.captured_minor, payment.refunded_minor) == (640, 300)
    (asked,) = stripe.asked
    assert asked.path == "/v1/refunds"
    assert asked.parameters == {"payment_intent": PI, "amount": "300", "expand[0]": "payment_intent.latest_charge"}
    assert asked.headers["idempotency-key"] == f"{ORDER}:refund"


async def test_a_refund_that_failed_is_no_refund(stripe: StandIn, gateway: StripeGateway) -> None:
    """Stripe may answer 200 with a refund that came to nothing."""
    stripe.will_say(refund(ORDER, "failed"))
    with pytest.raises(GatewayRefused) as refused:
        await gateway.refund(PI, 300, f"{ORDER}:refund")
    assert refused.value.reason == "refund_failed"


async def test_a_lost_payment_is_searched_for_by_its_time(stripe: StandIn, gateway: StripeGateway) -> None:
    """Page after page since the moment given, clocks allowed to differ; what still counts goes before what is over."""
    stripe.will_say(page(held(new_id()), intent(ORDER, "canceled", id="pi_over"), has_more=True))
    stripe.will_say(page(held(ORDER)))
    found = await gateway.look_up(ORDER, None, THEN)
    assert found is not None
    assert (found.reference, found.state) == (PI, GatewayState.HELD)
    first, second = stripe.asked
    assert first.path == "/v1/payment_intents"
    assert first.parameters == {
        "created[gte]": str(MADE_AT - 300),
        "limit": "100",
        "expand[0]": "data.latest_charge",
    }
    assert second.parameters == first.parameters | {"starting_after": "pi_over"}


async def test_a_search_without_a_moment_goes_back_as_far_as_holds_live(
    stripe: StandIn, gateway: StripeGateway
) -> None:
    """Older payments hold nothing any more."""
    stripe.will_say(page())
    assert await gateway.look_up(ORDER, None) is None
    since = datetime.fromtimestamp(int(stripe.asked[0].parameters["created[gte]"]), UTC)
    assert timedelta(days=7) <= datetime.now(UTC) - since < timedelta(days=7, hours=1)


async def test_a_payment_of_a_period_is_listed_unless_somebody_else_made_it(
    stripe: StandIn, gateway: StripeGateway
) -> None:
    """From the begin on and before the end, and only payments for orders."""
    stripe.will_say(page(held(ORDER), held(new_id()) | {"metadata": {"shop": "other"}}, has_more=True))
    stripe.will_say(page())
    listed = await all_of(gateway, THEN, THEN + timedelta(hours=1))
    assert listed == [ORDER]
    assert stripe.asked[0].parameters["created[gte]"] == str(MADE_AT)
    assert stripe.asked[0].parameters["created[lt]"] == str(MADE_AT + 3600)


async def test_a_payment_stripe_never_had_is_none(stripe: StandIn, gateway: StripeGateway) -> None:
    """404 is an answer too."""
    stripe.will_say(refusal("resource_missing", "No such payment_intent: 'pi_never'"), 404)
    assert await gateway.look_up(ORDER, "pi_never") is None


async def test_a_key_used_with_other_values_is_refused(stripe: StandIn, gateway: StripeGateway) -> None:
    """Stripe keeps what a key was first used with."""
    stripe.will_say(refusal("", "Keys for idempotent requests can only be used once.", "idempotency_error"), 400)
    with pytest.raises(GatewayRefused) as refused:
        await gateway.authorise(request_of())
    assert refused.value.reason == "idempotency_mismatch"


async def test_a_refusal_is_one_short_line(stripe: StandIn, gateway: StripeGateway) -> None:
    """Whatever a gateway says, a log line stays one."""
    stripe.will_say(refusal("parameter_invalid", "No.\n" * 1_000), 400)
    with pytest.raises(GatewayRefused) as refused:
        await gateway.authorise(request_of())
    assert len(str(refused.value)) <= 200
    assert "\n" not in str(refused.value)
