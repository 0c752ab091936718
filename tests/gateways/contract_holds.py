"""The part of the contract that is about holds: captured once, never above it, and released for good."""

import asyncio

import pytest

from infra.payments.port import GatewayRefused, GatewayState
from tests.gateways.subject import Check, Subject, authorised, key, present


async def less_than_the_hold_is_captured(subject: Subject) -> None:
    """The final price is taken and the rest is free: the payment is paid, with exactly that much."""
    payment = await authorised(subject)
    captured = await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    assert (captured.state, captured.amount_minor, captured.captured_minor) == (GatewayState.PAID, 1_000, 640)
    assert await present(subject, payment) == captured


async def the_whole_hold_is_captured(subject: Subject) -> None:
    """Where the price did not drop everything that is held is taken."""
    payment = await authorised(subject)
    captured = await subject.gateway.capture(payment.reference, 1_000, key(payment.order_id, "capture"))
    assert (captured.state, captured.captured_minor) == (GatewayState.PAID, 1_000)


async def a_capture_repeated_with_its_key_happens_once(subject: Subject) -> None:
    """The same key gives the same answer again."""
    payment = await authorised(subject)
    first = await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    second = await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    assert second == first
    assert (await present(subject, payment)).captured_minor == 640


async def captures_at_once_take_once(subject: Subject) -> None:
    """Two workers on one settlement, with the same key: both hear that 640 was taken, once."""
    payment = await authorised(subject)
    calls = (subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture")) for _ in range(5))
    assert {captured.captured_minor for captured in await asyncio.gather(*calls)} == {640}
    assert (await present(subject, payment)).captured_minor == 640


async def a_capture_key_is_good_for_one_amount(subject: Subject) -> None:
    """The same key with another amount is refused."""
    payment = await authorised(subject)
    await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    with pytest.raises(GatewayRefused):
        await subject.gateway.capture(payment.reference, 641, key(payment.order_id, "capture"))
    assert (await present(subject, payment)).captured_minor == 640


async def a_hold_is_captured_once(subject: Subject) -> None:
    """A second capture with a key of its own is refused, though money was left in the hold."""
    payment = await authorised(subject)
    await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    with pytest.raises(GatewayRefused):
        await subject.gateway.capture(payment.reference, 100, key(payment.order_id, "again"))
    assert (await present(subject, payment)).captured_minor == 640


async def no_more_is_captured_than_was_held(subject: Subject) -> None:
    """A capture above the hold is refused and the hold stays."""
    payment = await authorised(subject)
    with pytest.raises(GatewayRefused):
        await subject.gateway.capture(payment.reference, 1_001, key(payment.order_id, "capture"))
    after = await present(subject, payment)
    assert (after.state, after.captured_minor) == (GatewayState.HELD, 0)


async def no_capture_is_of_nothing_or_less(subject: Subject) -> None:
    """Zero and negative amounts are refused and the hold stays."""
    payment = await authorised(subject)
    for amount_minor in (0, -1):
        with pytest.raises(GatewayRefused):
            await subject.gateway.capture(payment.reference, amount_minor, key(payment.order_id, f"{amount_minor}"))
    assert (await present(subject, payment)).state is GatewayState.HELD


async def a_cancelled_hold_is_released(subject: Subject) -> None:
    """Cancelling takes nothing and leaves nothing held."""
    payment = await authorised(subject)
    cancelled = await subject.gateway.cancel(payment.reference, key(payment.order_id, "cancel"))
    assert (cancelled.state, cancelled.captured_minor) == (GatewayState.CANCELLED, 0)
    assert (await present(subject, payment)).state is GatewayState.CANCELLED


async def cancelling_again_is_no_error(subject: Subject) -> None:
    """Cancelled stays cancelled, with the same key and with another."""
    payment = await authorised(subject)
    for step in ("cancel", "cancel", "lapse"):
        cancelled = await subject.gateway.cancel(payment.reference, key(payment.order_id, step))
        assert cancelled.state is GatewayState.CANCELLED


async def a_cancelled_hold_is_not_captured(subject: Subject) -> None:
    """What was released cannot be taken any more."""
    payment = await authorised(subject)
    await subject.gateway.cancel(payment.reference, key(payment.order_id, "cancel"))
    with pytest.raises(GatewayRefused):
        await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    after = await present(subject, payment)
    assert (after.state, after.captured_minor) == (GatewayState.CANCELLED, 0)


async def a_hold_is_not_refunded(subject: Subject) -> None:
    """Nothing was taken, so nothing goes back."""
    payment = await authorised(subject)
    with pytest.raises(GatewayRefused):
        await subject.gateway.refund(payment.reference, 100, key(payment.order_id, "refund"))
    after = await present(subject, payment)
    assert (after.state, after.refunded_minor) == (GatewayState.HELD, 0)


async def no_more_goes_back_than_was_captured(subject: Subject) -> None:
    """A refund is bounded by the capture, not by the hold."""
    payment = await authorised(subject)
    await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    with pytest.raises(GatewayRefused):
        await subject.gateway.refund(payment.reference, 641, key(payment.order_id, "refund"))
    refunded = await subject.gateway.refund(payment.reference, 640, key(payment.order_id, "refund-all"))
    assert (refunded.captured_minor, refunded.refunded_minor) == (640, 640)


async def an_expired_hold_is_not_captured(subject: Subject) -> None:
    """A hold whose life is over is cancelled by itself, and what it held cannot be taken."""
    payment = await authorised(subject)
    await subject.expire_hold(payment)
    with pytest.raises(GatewayRefused):
        await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    after = await present(subject, payment)
    assert (after.state, after.captured_minor) == (GatewayState.CANCELLED, 0)


async def a_capture_that_the_bank_declines_is_refused(subject: Subject) -> None:
    """A clear no at capture, and nothing was taken."""
    payment = await subject.capture_declining()
    assert payment.state is GatewayState.HELD
    with pytest.raises(GatewayRefused) as refused:
        await subject.gateway.capture(payment.reference, 640, key(payment.order_id, "capture"))
    assert refused.value.reason == "card_declined"
    assert (await present(subject, payment)).captured_minor == 0


CHECKS: tuple[Check, ...] = (
    less_than_the_hold_is_captured,
    the_whole_hold_is_captured,
    a_capture_repeated_with_its_key_happens_once,
    captures_at_once_take_once,
    a_capture_key_is_good_for_one_amount,
    a_hold_is_captured_once,
    no_more_is_captured_than_was_held,
    no_capture_is_of_nothing_or_less,
    a_cancelled_hold_is_released,
    cancelling_again_is_no_error,
    a_cancelled_hold_is_not_captured,
    a_hold_is_not_refunded,
    no_more_goes_back_than_was_captured,
    an_expired_hold_is_not_captured,
    a_capture_that_the_bank_declines_is_refused,
)
