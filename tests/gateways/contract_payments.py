"""The part of the contract that is the same whether money is held or paid at once, and that of money paid at once."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from domain.pricing.steps import Strategy
from infra.ids import new_id
from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState, GatewayUnavailable
from tests.gateways.subject import Check, Subject, authorised, key, payment_request, present

A_WHILE = timedelta(seconds=5)
"""Some providers tell times in whole seconds, and clocks differ."""


async def an_approved_payment_has_its_whole_amount(subject: Subject) -> None:
    """What is approved at once is held (or paid) in full, and the gateway says of which order."""
    request = payment_request(subject, amount_minor=1_234)
    payment = await subject.gateway.authorise(request)
    assert payment.order_id == request.order_id
    assert payment.reference
    assert (payment.amount_minor, payment.currency) == (1_234, subject.currency)
    _assert_approved(subject, payment)
    assert payment.refunded_minor == 0


async def asking_again_for_an_order_holds_once(subject: Subject) -> None:
    """A repeated request gets the payment that is there."""
    request = payment_request(subject)
    first = await subject.gateway.authorise(request)
    second = await subject.gateway.authorise(request)
    assert second == first


async def one_order_asked_for_at_once_holds_once(subject: Subject) -> None:
    """Ten calls at the same time for one order make one payment."""
    request = payment_request(subject)
    payments = await asyncio.gather(*(subject.gateway.authorise(request) for _ in range(10)))
    assert {payment.reference for payment in payments} == {payments[0].reference}
    listed = await _listed(subject, payments[0], payments[0])
    assert [payment.order_id for payment in listed].count(request.order_id) == 1


async def an_order_asked_for_with_another_amount_is_refused(subject: Subject) -> None:
    """An order's key is good for one amount only; the payment stays as it was."""
    request = payment_request(subject)
    payment = await subject.gateway.authorise(request)
    with pytest.raises(GatewayRefused) as refused:
        await subject.gateway.authorise(msgspec.structs.replace(request, amount_minor=1_001))
    assert refused.value.reason == "idempotency_mismatch"
    assert await present(subject, payment) == payment


async def a_decline_is_a_cancelled_payment(subject: Subject) -> None:
    """A declined payment says why, holds nothing, and stays declined when asked for again."""
    request = payment_request(subject, method=subject.methods.decline)
    payment = await subject.gateway.authorise(request)
    assert payment.state is GatewayState.CANCELLED
    assert payment.declined_because
    assert payment.captured_minor == 0
    again = await subject.gateway.authorise(request)
    assert (again.reference, again.state) == (payment.reference, GatewayState.CANCELLED)


async def an_unknown_method_is_refused(subject: Subject) -> None:
    """A payment method the gateway never heard of is a clear no, not a payment and not a fault."""
    with pytest.raises(GatewayRefused):
        await subject.gateway.authorise(payment_request(subject, method="no_such_method"))


async def a_step_taken_approves(subject: Subject) -> None:
    """A payment that needs a step waits with what the app needs for it, and is approved once the shopper took it."""
    payment = await _waiting(subject)
    assert payment.client_secret or payment.redirect_url
    assert payment.captured_minor == 0
    await subject.complete_step(payment, approve=True)
    _assert_approved(subject, await present(subject, payment))


async def a_step_refused_holds_nothing(subject: Subject) -> None:
    """A shopper who fails the step has paid nothing and is told why."""
    payment = await _waiting(subject)
    await subject.complete_step(payment, approve=False)
    after = await present(subject, payment)
    assert after.state in {GatewayState.PENDING, GatewayState.CANCELLED}
    assert after.declined_because
    assert after.captured_minor == 0


async def a_payment_cancelled_while_it_waits_is_over(subject: Subject) -> None:
    """Once cancelled, a step that comes late holds nothing."""
    payment = await _waiting(subject)
    cancelled = await subject.gateway.cancel(payment.reference, key(payment.order_id, "cancel"))
    assert cancelled.state is GatewayState.CANCELLED
    with pytest.raises(GatewayRefused):
        await subject.complete_step(payment, approve=True)
    assert (await present(subject, payment)).state is GatewayState.CANCELLED


async def a_payment_is_found_by_its_reference(subject: Subject) -> None:
    """Looking up answers the payment as it is."""
    payment = await authorised(subject)
    assert await subject.gateway.look_up(payment.order_id, payment.reference) == payment


async def a_payment_is_found_without_its_reference(subject: Subject) -> None:
    """Whoever lost the answer finds the payment by its order, among those made since."""
    payment = await authorised(subject)
    assert payment.created_at is not None
    found = await subject.gateway.look_up(payment.order_id, None, payment.created_at - A_WHILE)
    assert found == payment


async def an_order_without_a_payment_is_not_found(subject: Subject) -> None:
    """None says that the gateway has nothing, so that nothing has to be released."""
    payment = await authorised(subject)
    assert payment.created_at is not None
    assert await subject.gateway.look_up(new_id(), None, payment.created_at - A_WHILE) is None


async def an_answer_that_was_lost_is_found(subject: Subject) -> None:
    """A timeout after success leaves one payment, found by look-up, and asking again makes no second one."""
    marker = await authorised(subject)
    assert marker.created_at is not None
    request = payment_request(subject)
    with pytest.raises(GatewayUnavailable):
        await subject.authorise_unanswered(request)
    found = await subject.gateway.look_up(request.order_id, None, marker.created_at - A_WHILE)
    assert found is not None
    _assert_approved(subject, found)


async def payments_are_listed_by_the_time_they_were_made(subject: Subject) -> None:
    """Reconciliation sees every payment of a period once, whatever became of it, and none of another period."""
    payments = [await authorised(subject, amount_minor) for amount_minor in (500, 700, 900)]
    declined = await subject.gateway.authorise(payment_request(subject, method=subject.methods.decline))
    await subject.gateway.cancel(declined.reference, key(declined.order_id, "cancel"))
    ours = [payment.order_id for payment in (*payments, declined)]
    listed = [payment.order_id for payment in await _listed(subject, payments[0], declined)]
    assert sorted(order_id for order_id in listed if order_id in ours) == sorted(ours)
    begin = payments[0].created_at
    assert begin is not None
    before = [payment async for payment in subject.gateway.payments_between(begin - 100 * A_WHILE, begin - A_WHILE)]
    assert not {payment.order_id for payment in before} & set(ours)


async def what_was_paid_at_once_is_not_captured(subject: Subject) -> None:
    """A payment without a hold has nothing to capture."""
    payment = await authorised(subject)
    with pytest.raises(GatewayRefused):
        await subject.gateway.capture(payment.reference, 500, key(payment.order_id, "capture"))
    assert (await present(subject, payment)).captured_minor == 1_000


CHECKS: tuple[Check, ...] = (
    an_approved_payment_has_its_whole_amount,
    asking_again_for_an_order_holds_once,
    one_order_asked_for_at_once_holds_once,
    an_order_asked_for_with_another_amount_is_refused,
    a_decline_is_a_cancelled_payment,
    an_unknown_method_is_refused,
    a_step_taken_approves,
    a_step_refused_holds_nothing,
    a_payment_cancelled_while_it_waits_is_over,
    a_payment_is_found_by_its_reference,
    a_payment_is_found_without_its_reference,
    an_order_without_a_payment_is_not_found,
    an_answer_that_was_lost_is_found,
    payments_are_listed_by_the_time_they_were_made,
)
PAID_AT_ONCE: tuple[Check, ...] = (what_was_paid_at_once_is_not_captured,)


def _assert_approved(subject: Subject, payment: GatewayPayment) -> None:
    if subject.gateway.strategy is Strategy.PAY_AND_REFUND:
        assert (payment.state, payment.captured_minor) == (GatewayState.PAID, payment.amount_minor)
    else:
        assert (payment.state, payment.captured_minor) == (GatewayState.HELD, 0)
        assert payment.hold_expires_at is not None


async def _waiting(subject: Subject) -> GatewayPayment:
    payment = await subject.gateway.authorise(payment_request(subject, method=subject.methods.step))
    assert payment.state is GatewayState.PENDING
    return payment


async def _listed(subject: Subject, first: GatewayPayment, last: GatewayPayment) -> list[GatewayPayment]:
    assert first.created_at is not None
    assert last.created_at is not None
    begin, end = first.created_at - A_WHILE, last.created_at + A_WHILE
    return [payment async for payment in subject.gateway.payments_between(begin, end)]
