"""Carrying out what was decided about a payment, at its gateway: no transaction is open here, and nothing is recorded.

Everything is safe to do again. A first attempt on a payment that is known to be held begins with the step itself, as
the gateway refuses one that does not fit; every other one first looks where the payment stands, and does only what is
missing. A step has one key for ever, so a call whose answer was lost has one effect; a gateway that forgets keys after
a day is asked again only for what a look says was not done.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from domain.groupbuy.payment import PaymentStatus
from domain.pricing.steps import AtGateway, Due, Step, Strategy, next_step
from infra.payments.port import (
    CALL_TIMEOUT_S,
    CLOCKS_DIFFER,
    GatewayPayment,
    GatewayRefused,
    GatewayState,
    GatewayUnavailable,
    PaymentGateway,
)
from infra.payments.standing import at_gateway
from workers.instructions import Instruction

Answer = TypeVar("Answer")

STEPS_MAX = 3
NEVER_HEARD_AFTER_S = 3 * CALL_TIMEOUT_S
"""A call that makes a payment may be under way when its place lapses; by then it has ended, even of a slow process."""
NOT_ABOUT_THE_MONEY = frozenset(
    {
        "gateway_credentials",
        "idempotency_mismatch",
        "invalid_key",
        "invalid_request",
        "no_such_payment",
        "resource_missing",
    }
)
"""Refusals that are our fault, or the account's: the shopper's hold is as good as before, so nobody loses a place."""


class NotCarriedOut(Exception):  # noqa: N818 - named after what happened
    """The gateway's answer fits nothing that can be done now; `str()` says what it was."""


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """The gateway has what was decided; with `refused_because` it said no to the capture, and holds nothing now."""

    refused_because: str | None = None


@dataclass(frozen=True, slots=True)
class MoneyCame:
    """Nothing was done yet: of a payment that had lapsed there is money, and nobody has been told."""

    reference: str


async def settle(gateway: PaymentGateway, instruction: Instruction) -> CarriedOut | MoneyCame:
    """Bring a payment to where what was decided is kept and nothing is held.

    Raises `GatewayUnavailable`, `GatewayRefused` where it is no answer about the money, and `NotCarriedOut`.
    """
    if instruction.attempts == 1 and instruction.status is PaymentStatus.HELD and instruction.reference is not None:
        at = _as_held(gateway, instruction)
        if next_step(at, instruction.keep_minor).step is not Step.NOTHING:  # or nobody would ever ask
            return await _seek(gateway, instruction, instruction.reference, at)
    payment = await _look_up(gateway, instruction)
    if payment is None:
        _require_never_heard(instruction)
        return CarriedOut()
    at = at_gateway(payment)
    if instruction.status is PaymentStatus.LAPSED and not instruction.is_late and (at.held_minor or at.kept_minor):
        return MoneyCame(payment.reference)
    if payment.state is GatewayState.PENDING and instruction.keep_minor:
        raise NotCarriedOut("The gateway says that its shopper has not approved this payment yet.")
    return await _seek(gateway, instruction, payment.reference, at, _why_gone(payment))


async def give_back(gateway: PaymentGateway, instruction: Instruction) -> None:
    """Make a refund, unless a look shows that it was made; raises as `settle`, and every refusal.

    Never more than its own amount: where the gateway has kept more than our books say, that is not this refund's.
    """
    surplus_minor, reference = instruction.refund_minor, instruction.reference
    if instruction.attempts > 1 or reference is None:
        payment = await _look_up(gateway, instruction)
        if payment is None or payment.state is not GatewayState.PAID:
            state = "no such payment" if payment is None else f"it is {payment.state}"
            raise NotCarriedOut(f"The gateway says that nothing was taken which could be given back: {state}.")
        reference = payment.reference
        surplus_minor = min(at_gateway(payment).kept_minor - instruction.keep_minor, surplus_minor)
    if surplus_minor > 0:
        await _in_time(gateway.refund(reference, surplus_minor, f"refund:{instruction.refund_id}"))


async def _seek(
    gateway: PaymentGateway,
    instruction: Instruction,
    reference: str,
    at: AtGateway,
    why_gone: str = "nothing_held",
) -> CarriedOut:
    """Take the step that is due until none is; a capture that is impossible turns into giving everything back."""
    keep_minor, refused_because = instruction.keep_minor, None
    for _ in range(STEPS_MAX + 1):
        due = next_step(at, keep_minor)
        if due.step is Step.NOTHING:
            return CarriedOut(refused_because)
        if due.step is Step.IMPOSSIBLE:
            if at.kept_minor:  # settled by others and refunded since, or given back elsewhere: no capture was refused
                raise NotCarriedOut(
                    f"The gateway has kept {at.kept_minor} of this payment, less than the {keep_minor} due."
                )
            keep_minor, refused_because = 0, why_gone
            continue
        try:
            at = at_gateway(await _take(gateway, reference, due, f"{instruction.order_id}:{due.step}"))
        except GatewayRefused as refused:
            if due.step is not Step.CAPTURE or refused.reason in NOT_ABOUT_THE_MONEY:
                raise
            at = await _after_refusal(gateway, instruction, refused)
            if not at.captured_minor:
                keep_minor, refused_because = 0, refused.reason
    raise NotCarriedOut(f"The gateway still has something to do after {STEPS_MAX} steps: {next_step(at, keep_minor)}.")


async def _after_refusal(gateway: PaymentGateway, instruction: Instruction, refused: GatewayRefused) -> AtGateway:
    """What a refused capture has left: mostly a hold; nothing; or what another process has captured meanwhile."""
    payment = await _look_up(gateway, instruction)
    if payment is None:
        raise refused
    return at_gateway(payment)


async def _take(gateway: PaymentGateway, reference: str, due: Due, key: str) -> GatewayPayment:
    match due.step:
        case Step.CAPTURE:
            return await _in_time(gateway.capture(reference, due.amount_minor, key))
        case Step.REFUND:
            return await _in_time(gateway.refund(reference, due.amount_minor, key))
        case _:
            return await _in_time(gateway.cancel(reference, key))


async def _look_up(gateway: PaymentGateway, instruction: Instruction) -> GatewayPayment | None:
    since = instruction.created_at - CLOCKS_DIFFER
    return await _in_time(gateway.look_up(instruction.order_id, instruction.reference, since))


def _require_never_heard(instruction: Instruction) -> None:
    """Raises unless it is certain that the gateway has, and will have, nothing of this payment."""
    if instruction.status is not PaymentStatus.LAPSED or instruction.is_late:
        raise NotCarriedOut("The gateway knows no such payment, but had approved it; check the gateway's account.")
    if instruction.as_of - instruction.decided_at < timedelta(seconds=NEVER_HEARD_AFTER_S):
        raise NotCarriedOut("The gateway knows no such payment; the call that makes it may still be under way.")


def _as_held(gateway: PaymentGateway, instruction: Instruction) -> AtGateway:
    """Where a payment stands that was approved and not touched since."""
    if gateway.strategy is Strategy.PAY_AND_REFUND:
        return AtGateway(captured_minor=instruction.hold_minor)
    return AtGateway(held_minor=instruction.hold_minor)


def _why_gone(payment: GatewayPayment) -> str:
    if payment.state is GatewayState.PAID:
        return "given_back_elsewhere"
    has_expired = payment.hold_expires_at is not None and payment.hold_expires_at <= datetime.now(UTC)
    return "hold_expired" if has_expired else "payment_cancelled"


async def _in_time(call: Awaitable[Answer]) -> Answer:
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await call
    except TimeoutError:
        raise GatewayUnavailable(f"The gateway gave no answer within {CALL_TIMEOUT_S:.0f} s.") from None
