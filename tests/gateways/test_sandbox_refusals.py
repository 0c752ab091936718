import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.pricing.steps import Strategy
from infra.ids import new_id
from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState
from infra.payments.sandbox import SandboxGateway
from infra.payments.sandbox.booked import reference_of
from infra.settings import Settings
from tests.gateways.sandbox_subject import SandboxSubject, sandbox_subject
from tests.gateways.subject import authorised, payment_request, present

Call = tuple[Any, ...]
CAPTURE: Call = ("capture", 640, "capture")
CAPTURE_OVER: Call = ("capture", 1_001, "over")
CANCEL: Call = ("cancel", "cancel")
REFUND: Call = ("refund", 640, "refund")
CAPTURE_WITH_KEY: Call = ("capture", 640, "used")
REFUND_WITH_KEY: Call = ("refund", 100, "used")


@pytest.fixture
async def sandbox(settings: Settings, engine: AsyncEngine) -> AsyncIterator[SandboxSubject]:
    async with sandbox_subject(settings, engine) as subject:
        yield subject


@pytest.mark.parametrize(
    ("method", "before", "call", "reason"),
    [
        ("sandbox_step", None, CAPTURE, "not_approved"),
        ("sandbox_decline", None, CAPTURE, "payment_declined"),
        ("sandbox_decline_at_capture", None, CAPTURE, "card_declined"),
        ("sandbox_approve", None, CAPTURE_OVER, "amount_not_held"),
        ("sandbox_approve", CANCEL, CAPTURE, "payment_cancelled"),
        ("sandbox_approve", None, REFUND, "amount_not_captured"),
        ("sandbox_approve", CAPTURE, CAPTURE_OVER, "already_captured"),
        ("sandbox_approve", CAPTURE, CANCEL, "already_captured"),
        ("sandbox_approve", CAPTURE_WITH_KEY, REFUND_WITH_KEY, "idempotency_mismatch"),
    ],
)
async def test_a_refusal_names_its_reason(
    sandbox: SandboxSubject, method: str, before: Call | None, call: Call, reason: str
) -> None:
    """Each thing a payment cannot do any more, or not yet, has a word for it."""
    payment = await sandbox.gateway.authorise(payment_request(sandbox, method=method))
    if before is not None:
        await _ask(sandbox.gateway, payment.reference, before)
    with pytest.raises(GatewayRefused) as refused:
        await _ask(sandbox.gateway, payment.reference, call)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": 2**70},
        {"currency": "eur"},
        {"currency": "EU\x00"},
        {"method": "sandbox_aprove"},
        {"method": "\x00"},
    ],
)
async def test_a_request_that_cannot_be_meant_spoils_no_other(sandbox: SandboxSubject, wrong: dict[str, Any]) -> None:
    """What is wrong is refused alone, before it comes into a statement with others."""
    spoilt = msgspec.structs.replace(payment_request(sandbox), **wrong)
    good, refused = await asyncio.gather(authorised(sandbox), sandbox.gateway.authorise(spoilt), return_exceptions=True)
    assert isinstance(good, GatewayPayment)
    assert isinstance(refused, GatewayRefused)


@pytest.mark.parametrize("bad_key", ["", "\x00", "clé", "k" * 201])
async def test_a_key_that_cannot_be_kept_is_refused(sandbox: SandboxSubject, bad_key: str) -> None:
    """Keys are short and printable."""
    payment = await authorised(sandbox)
    with pytest.raises(GatewayRefused) as refused:
        await sandbox.gateway.capture(payment.reference, 640, bad_key)
    assert refused.value.reason == "invalid_key"


async def test_a_reference_of_nothing_finds_nothing(sandbox: SandboxSubject) -> None:
    """Another order's reference, and words that are no reference at all, lead to no payment."""
    payment = await authorised(sandbox)
    for reference in (
        reference_of(new_id()),
        "pay_",
        "pi_123",
        "\x00",
        payment.reference.upper(),
        str(payment.order_id),
    ):
        assert await sandbox.gateway.look_up(payment.order_id, reference) is None
        with pytest.raises(GatewayRefused) as refused:
            await sandbox.gateway.cancel(reference, "cancel")
        assert refused.value.reason == "no_such_payment"
    assert (await present(sandbox, payment)).state is GatewayState.HELD


@pytest.mark.parametrize("strategy", list(Strategy))
async def test_only_who_has_the_secret_takes_the_step(
    settings: Settings, engine: AsyncEngine, strategy: Strategy
) -> None:
    """The step's page is found at the redirect; a wrong secret is refused, and the step is taken once."""
    async with sandbox_subject(settings, engine, strategy) as sandbox:
        payment = await sandbox.gateway.authorise(payment_request(sandbox, method="sandbox_step"))
        other = await sandbox.gateway.authorise(payment_request(sandbox, method="sandbox_step"))
        assert payment.client_secret
        assert other.client_secret
        assert payment.redirect_url
        assert payment.reference in payment.redirect_url
        assert payment.redirect_url.endswith(payment.client_secret)
        for wrong in (other.client_secret, "", "\udc80"):
            await _assert_step_refused(sandbox, payment, wrong, "wrong_client_secret")
        await sandbox.complete_step(payment, approve=True)
        await _assert_step_refused(sandbox, payment, payment.client_secret, "no_step_awaited")
        assert (await present(sandbox, payment)).client_secret is None


async def _assert_step_refused(sandbox: SandboxSubject, payment: GatewayPayment, secret: str, reason: str) -> None:
    with pytest.raises(GatewayRefused) as refused:
        await sandbox.gateway.complete_step(payment.reference, secret, approve=True)
    assert refused.value.reason == reason


async def _ask(gateway: SandboxGateway, reference: str, call: Call) -> None:
    name, *arguments = call
    await getattr(gateway, name)(reference, *arguments)
