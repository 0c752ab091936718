"""The part of the contract that is about refunds: never more than was taken, and once for a key."""

import pytest

from domain.pricing.steps import Strategy
from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState
from tests.gateways.subject import Check, Subject, authorised, key, present


async def part_of_what_was_taken_goes_back(subject: Subject) -> None:
    """A refund of a part leaves the rest, and a second part may follow."""
    payment = await taken(subject)
    first = await subject.gateway.refund(payment.reference, 300, key(payment.order_id, "refund-1"))
    assert (first.captured_minor, first.refunded_minor) == (1_000, 300)
    second = await subject.gateway.refund(payment.reference, 200, key(payment.order_id, "refund-2"))
    assert (second.captured_minor, second.refunded_minor) == (1_000, 500)
    assert (await present(subject, payment)).refunded_minor == 500


async def all_that_was_taken_goes_back(subject: Subject) -> None:
    """A refund of everything leaves nothing, and nothing more can go back."""
    payment = await taken(subject)
    refunded = await subject.gateway.refund(payment.reference, 1_000, key(payment.order_id, "refund"))
    assert (refunded.captured_minor, refunded.refunded_minor) == (1_000, 1_000)


async def no_more_goes_back_than_was_taken(subject: Subject) -> None:
    """A refund beyond what is left of what was taken is refused, and nothing moves."""
    payment = await taken(subject)
    await subject.gateway.refund(payment.reference, 600, key(payment.order_id, "refund-1"))
    for amount_minor in (401, 1_001, 10**12):
        with pytest.raises(GatewayRefused):
            await subject.gateway.refund(payment.reference, amount_minor, key(payment.order_id, f"over-{amount_minor}"))
    assert (await present(subject, payment)).refunded_minor == 600


async def a_refund_repeated_with_its_key_happens_once(subject: Subject) -> None:
    """The same key gives the same answer again and moves nothing."""
    payment = await taken(subject)
    for _ in range(2):
        refunded = await subject.gateway.refund(payment.reference, 300, key(payment.order_id, "refund"))
        assert refunded.refunded_minor == 300
    assert (await present(subject, payment)).refunded_minor == 300


async def a_refund_key_is_good_for_one_amount(subject: Subject) -> None:
    """The same key with another amount is refused."""
    payment = await taken(subject)
    await subject.gateway.refund(payment.reference, 300, key(payment.order_id, "refund"))
    with pytest.raises(GatewayRefused):
        await subject.gateway.refund(payment.reference, 301, key(payment.order_id, "refund"))
    assert (await present(subject, payment)).refunded_minor == 300


async def no_refund_is_of_nothing_or_less(subject: Subject) -> None:
    """Zero and negative amounts are refused before money moves."""
    payment = await taken(subject)
    for amount_minor in (0, -1):
        with pytest.raises(GatewayRefused):
            await subject.gateway.refund(payment.reference, amount_minor, key(payment.order_id, f"{amount_minor}"))
    assert (await present(subject, payment)).refunded_minor == 0


async def what_was_paid_is_refunded_not_cancelled(subject: Subject) -> None:
    """Money that was taken goes back by a refund only."""
    payment = await taken(subject)
    with pytest.raises(GatewayRefused):
        await subject.gateway.cancel(payment.reference, key(payment.order_id, "cancel"))
    assert (await present(subject, payment)).state is GatewayState.PAID


CHECKS: tuple[Check, ...] = (
    part_of_what_was_taken_goes_back,
    all_that_was_taken_goes_back,
    no_more_goes_back_than_was_taken,
    a_refund_repeated_with_its_key_happens_once,
    a_refund_key_is_good_for_one_amount,
    no_refund_is_of_nothing_or_less,
    what_was_paid_is_refunded_not_cancelled,
)


async def taken(subject: Subject) -> GatewayPayment:
    """A payment of 1000 that was paid: at once, or by capturing the whole hold."""
    payment = await authorised(subject)
    if subject.gateway.strategy is Strategy.PAY_AND_REFUND:
        return payment
    return await subject.gateway.capture(payment.reference, 1_000, key(payment.order_id, "capture"))
