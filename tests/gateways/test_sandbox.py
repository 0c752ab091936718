import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.ids import new_id
from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState, GatewayUnavailable, PaymentRequest
from infra.payments.sandbox import SandboxGateway
from infra.payments.sandbox.booked import reference_of
from infra.payments.sandbox.books import PAGE_PAYMENTS
from infra.payments.sandbox.methods import METHODS
from infra.settings import Settings, read_settings
from tests.gateways.sandbox_subject import SandboxSubject, sandbox_subject
from tests.gateways.subject import authorised, key, payment_request, present


@pytest.fixture
async def sandbox(settings: Settings, engine: AsyncEngine) -> AsyncIterator[SandboxSubject]:
    async with sandbox_subject(settings, engine) as subject:
        yield subject


async def test_requests_at_once_are_one_statement(sandbox: SandboxSubject) -> None:
    """300 authorisations, then 300 captures, that come together are booked together."""
    payments = await asyncio.gather(*(authorised(sandbox) for _ in range(300)))
    await asyncio.gather(
        *(sandbox.gateway.capture(payment.reference, 640, key(payment.order_id, "capture")) for payment in payments)
    )
    made = await sandbox.read("SELECT count(*), count(DISTINCT created_at), min(captured_minor) FROM sandbox_payments")
    assert made == [(300, 1, 640)]
    written = await sandbox.read("SELECT json_array_length(events) FROM sandbox_events ORDER BY id")
    assert [length for (length,) in written] == [100] * 6


async def test_a_slow_payment_holds_up_nobody(sandbox: SandboxSubject) -> None:
    """A method that takes two seconds costs its shopper two seconds, and others nothing."""
    slow = asyncio.create_task(sandbox.gateway.authorise(payment_request(sandbox, method="sandbox_slow_2s")))
    for _ in range(20):
        assert (await authorised(sandbox)).state is GatewayState.HELD
    assert not slow.done()
    assert (await slow).state is GatewayState.HELD


async def test_one_order_booked_by_two_processes_is_one_payment(settings: Settings, sandbox: SandboxSubject) -> None:
    """Whoever comes second, at the same moment, gets the first one's payment."""
    other = SandboxGateway(settings)
    try:
        requests = [payment_request(sandbox) for _ in range(100)]
        here = asyncio.gather(*(sandbox.gateway.authorise(request) for request in requests))
        there = asyncio.gather(*(other.authorise(request) for request in reversed(requests)))
        first, second = await here, await there
        assert list(reversed(second)) == first
        assert await sandbox.read("SELECT count(*) FROM sandbox_payments") == [(100,)]
        told = await sandbox.read("SELECT sum(json_array_length(events)) FROM sandbox_events")
        assert told == [(100,)]
    finally:
        await other.close()


async def test_asking_again_while_others_look_up_and_list(sandbox: SandboxSubject) -> None:
    """Requests of every kind at the same moment, repeated ones among them, never meet on one connection."""
    requests = [payment_request(sandbox) for _ in range(20)]
    first = await asyncio.gather(*(sandbox.gateway.authorise(request) for request in requests))

    async def listed() -> list[GatewayPayment]:
        begin = first[0].created_at
        assert begin is not None
        return [payment async for payment in sandbox.gateway.payments_between(begin, begin.replace(year=2999))]

    async def looked_up(request: PaymentRequest) -> GatewayPayment | None:
        await asyncio.sleep(0)
        return await sandbox.gateway.look_up(request.order_id, None)

    for _ in range(10):
        authorised_again = asyncio.gather(*(sandbox.gateway.authorise(request) for request in requests))
        found = asyncio.gather(*(looked_up(request) for request in requests))
        here, there = await asyncio.gather(listed(), listed())
        assert await authorised_again == await found == first
        assert here == there
        assert len(here) == len(requests)


async def test_capture_or_cancel_wins_never_both(settings: Settings, sandbox: SandboxSubject) -> None:
    """Two processes that want different things of 50 payments at once: each payment obeys one of them."""
    other = SandboxGateway(settings)
    try:
        payments = [await authorised(sandbox) for _ in range(50)]
        captures = (sandbox.gateway.capture(payment.reference, 640, "capture") for payment in payments)
        cancels = (other.cancel(payment.reference, "cancel") for payment in reversed(payments))
        answers = await asyncio.gather(*captures, *cancels, return_exceptions=True)
        captured, cancelled = answers[:50], answers[50:][::-1]
        for payment, capture, cancel in zip(payments, captured, cancelled, strict=True):
            assert isinstance(capture, GatewayRefused) != isinstance(cancel, GatewayRefused)
            state = (await present(sandbox, payment)).state
            assert state is (GatewayState.CANCELLED if isinstance(capture, GatewayRefused) else GatewayState.PAID)
    finally:
        await other.close()


async def test_changes_of_one_payment_in_one_batch_are_made_one_after_the_other(sandbox: SandboxSubject) -> None:
    """Ten refunds of 100 and a capture of 640 that come together: the capture, then six refunds, then refusals."""
    payment = await authorised(sandbox)
    refunds = (sandbox.gateway.refund(payment.reference, 100, f"refund-{number}") for number in range(10))
    answers = await asyncio.gather(
        sandbox.gateway.capture(payment.reference, 640, "capture"), *refunds, return_exceptions=True
    )
    refused = [answer.reason for answer in answers if isinstance(answer, GatewayRefused)]
    assert refused == ["amount_not_captured"] * 4
    assert (await present(sandbox, payment)).refunded_minor == 600


async def test_two_amounts_for_one_order_at_once(sandbox: SandboxSubject) -> None:
    """One of them is booked and answered, the other is refused, also within one statement."""
    request = payment_request(sandbox)
    both = (request, msgspec.structs.replace(request, amount_minor=2_000))
    answers = await asyncio.gather(*(sandbox.gateway.authorise(one) for one in both), return_exceptions=True)
    held = [answer for answer in answers if isinstance(answer, GatewayPayment)]
    refused = [answer.reason for answer in answers if isinstance(answer, GatewayRefused)]
    assert refused == ["idempotency_mismatch"]
    assert held == [await present(sandbox, held[0])]


async def test_a_lost_answer_is_lost_once(sandbox: SandboxSubject) -> None:
    """The hold is there although its call failed, and asking again answers."""
    request = payment_request(sandbox, method="sandbox_timeout_after_success")
    with pytest.raises(GatewayUnavailable):
        await sandbox.gateway.authorise(request)
    assert (await sandbox.gateway.authorise(request)).state is GatewayState.HELD


async def test_a_gateway_that_is_away_did_nothing(sandbox: SandboxSubject) -> None:
    """No answer may also mean that nothing was done."""
    request = payment_request(sandbox, method="sandbox_unavailable")
    with pytest.raises(GatewayUnavailable):
        await sandbox.gateway.authorise(request)
    assert await sandbox.gateway.look_up(request.order_id, None) is None


async def test_no_books_no_answer(settings: Settings) -> None:
    """Where PostgreSQL is gone every call says that the gateway gives no answer."""
    gone = read_settings(
        {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/tuan", "TUAN_DATA_DIR": str(settings.data_dir)}
    )
    gateway = SandboxGateway(gone)
    reference = reference_of(new_id())
    request = PaymentRequest(order_id=new_id(), shopper_id=new_id(), amount_minor=1_000, currency="EUR")
    for call in (
        gateway.look_up(new_id(), None),
        gateway.capture(reference, 640, "capture"),
        gateway.authorise(request),
    ):
        with pytest.raises(GatewayUnavailable):
            await call
    await gateway.close()


async def test_holds_live_as_long_as_was_said(sandbox: SandboxSubject) -> None:
    """A week, or a minute for the method that says so; a payment without a hold has no end."""
    for method, lifetime_s in (("sandbox_approve", 7 * 24 * 3600), ("sandbox_hold_60s", 60)):
        payment = await sandbox.gateway.authorise(payment_request(sandbox, method=method))
        assert payment.hold_expires_at is not None
        assert payment.created_at is not None
        assert (payment.hold_expires_at - payment.created_at).total_seconds() == lifetime_s


async def test_a_hold_that_is_over_says_so(sandbox: SandboxSubject) -> None:
    """An expired hold refuses its capture with the reason, shows as cancelled, and is cancelled without an error."""
    payment = await authorised(sandbox)
    await sandbox.expire_hold(payment)
    assert payment.created_at is not None
    assert payment.hold_expires_at is not None
    listed = [found async for found in sandbox.gateway.payments_between(payment.created_at, payment.hold_expires_at)]
    assert [found.state for found in (*listed, await present(sandbox, payment))] == [GatewayState.CANCELLED] * 2
    with pytest.raises(GatewayRefused) as refused:
        await sandbox.gateway.capture(payment.reference, 640, "capture")
    assert refused.value.reason == "hold_expired"
    assert (await sandbox.gateway.cancel(payment.reference, "cancel")).state is GatewayState.CANCELLED


async def test_a_long_period_is_read_page_by_page(sandbox: SandboxSubject) -> None:
    """Every payment comes once, in the order of its making, also where many were made in the same moment."""
    count = 2 * PAGE_PAYMENTS + 1
    payments = await asyncio.gather(*(authorised(sandbox) for _ in range(count)))
    begin, end = payments[0].created_at, payments[-1].created_at
    assert begin is not None
    assert end is not None
    listed = [payment.order_id async for payment in sandbox.gateway.payments_between(begin, end)]
    assert listed == sorted(payment.order_id for payment in payments if payment.created_at < end)  # type: ignore[operator]
    (last,) = await sandbox.read("SELECT max(created_at) + interval '1 microsecond' FROM sandbox_payments")
    everything = [payment.order_id async for payment in sandbox.gateway.payments_between(begin, last[0])]
    assert everything == [payment.order_id for payment in payments]


async def test_a_declined_shopper_hears_why(sandbox: SandboxSubject) -> None:
    """Each declining method has a sentence for a person."""
    for name in ("sandbox_decline", "sandbox_insufficient_funds"):
        payment = await sandbox.gateway.authorise(payment_request(sandbox, method=name))
        assert payment.declined_because == METHODS[name].declined_because


async def test_the_key_is_made_once_and_is_its_owners(settings: Settings) -> None:
    """A second process signs with the first one's key, and nobody else may read it."""
    await SandboxGateway(settings).close()
    file = settings.data_dir / "keys" / "sandbox-webhooks.key"
    made = file.read_bytes()
    await SandboxGateway(settings).close()
    assert file.read_bytes() == made
    assert file.stat().st_mode & 0o077 == 0
