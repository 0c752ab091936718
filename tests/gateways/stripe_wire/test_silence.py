"""Faults, silence and wrong keys at Stripe: a payment whose outcome is not known is left open, never decided."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from infra.payments import stripe_errors
from infra.payments.port import CALL_TIMEOUT_S, GatewayRefused, GatewayUnavailable
from infra.payments.stripe_gateway import REQUEST_TIMEOUT_S, StripeGateway
from tests.gateways.loopback import Answer, StandIn, stand_in
from tests.gateways.stripe_answers import MADE_AT, refusal
from tests.gateways.stripe_subject import API_KEY, stripe_gateway
from tests.gateways.stripe_wire.calls import ORDER, PI, all_of, request_of

THEN = datetime.fromtimestamp(MADE_AT, UTC)
CALLS: list[Callable[[StripeGateway], Awaitable[object]]] = [
    lambda gateway: gateway.authorise(request_of()),
    lambda gateway: gateway.look_up(ORDER, PI),
    lambda gateway: gateway.look_up(ORDER, None, THEN),
    lambda gateway: gateway.capture(PI, 640, f"{ORDER}:capture"),
    lambda gateway: gateway.cancel(PI, f"{ORDER}:cancel"),
    lambda gateway: gateway.refund(PI, 300, f"{ORDER}:refund"),
    lambda gateway: all_of(gateway, THEN, THEN + timedelta(days=1)),
]
NAMES = ["authorise", "look_up", "search", "capture", "cancel", "refund", "payments_between"]
every_call = pytest.mark.parametrize("call", CALLS, ids=NAMES)


@every_call
@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, b'{"error": {"type": "api_error", "message": "Something went wrong."}}'),
        Answer(503, b"<html>Service Unavailable</html>"),
        Answer(429, b'{"error": {"code": "lock_timeout", "message": "Try again."}}'),
        Answer(409, b'{"error": {"type": "idempotency_error", "code": "idempotency_key_in_use"}}'),
        Answer(200, b"not JSON"),
        Answer(200, b""),
        Answer(200, b"[]"),
        Answer(200, b'"ok"'),
        Answer(200, b"null"),
        Answer(200, b'{"object": "payment_intent"}'),
        Answer(200, b'{"object": []}'),
        Answer(200, b'{"object": "payment_intent", "id": 3, "data": 7, "status": {}, "payment_intent": true}'),
        Answer(500, b"[]"),
        Answer(500, b'{"error": null}'),
        Answer(400, b'{"error": []}'),
        Answer(400, b"\xff\xfe"),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body[:24]!r}",
)
async def test_what_leaves_it_open_is_unavailable(
    call: Callable[[StripeGateway], Awaitable[object]], answer: Answer, stripe: StandIn, gateway: StripeGateway
) -> None:
    """A fault, a lock, a limit or an answer that is none: never a no, never a crash, and asked once only."""
    stripe.answers.append(answer)
    with pytest.raises(GatewayUnavailable):
        await call(gateway)
    assert len(stripe.asked) == 1


@every_call
async def test_silence_ends_in_time(
    call: Callable[[StripeGateway], Awaitable[object]],
    stripe: StandIn,
    gateway: StripeGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gateway that takes the call and never answers is unavailable before the port's limit."""
    assert max(stripe_errors.LIMIT_S, REQUEST_TIMEOUT_S) < CALL_TIMEOUT_S
    monkeypatch.setattr(stripe_errors, "LIMIT_S", 0.1)
    stripe.answers.append(Answer(silent=True))
    with pytest.raises(GatewayUnavailable, match="within"):
        await call(gateway)


@every_call
async def test_nobody_there_is_unavailable(call: Callable[[StripeGateway], Awaitable[object]]) -> None:
    """A refused connection leaves nothing done, and whoever asks again later is right to."""
    async with stand_in() as gone:
        address = gone.address
    async with stripe_gateway(address) as gateway:
        with pytest.raises(GatewayUnavailable):
            await call(gateway)


@every_call
@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_says_what_to_do_and_not_the_key(
    call: Callable[[StripeGateway], Awaitable[object]], status: int, stripe: StandIn, gateway: StripeGateway
) -> None:
    """The operator reads which setting to check; the key is in no message."""
    stripe.will_say(refusal("api_key_invalid", f"Invalid API Key provided: {API_KEY}"), status)
    with pytest.raises(GatewayRefused, match="TUAN_STRIPE_API_KEY_FILE") as refused:
        await call(gateway)
    assert refused.value.reason == "gateway_credentials"
    assert API_KEY not in f"{refused.value!r} {refused.value.__cause__!r}"
