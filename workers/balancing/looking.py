"""Looking at payments again, one by one: what seemed different may only have changed while it was compared."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.pricing.steps import Step, next_step
from infra.payments.port import CALL_TIMEOUT_S, CLOCKS_DIFFER, GatewayPayment, GatewayUnavailable, PaymentGateway
from infra.payments.standing import at_gateway
from workers.balancing.difference import Difference
from workers.balancing.judging import judge
from workers.balancing.ours import Ours, read_ours

LOOK_UPS_AT_ONCE = 8
ATTEMPTS_MAX = 3
FIRST_PAUSE_S = 0.5

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A payment that seems different; `reference` where the gateway told it."""

    order_id: UUID
    reference: str | None


@dataclass(frozen=True, slots=True)
class Sure:
    """A difference that a second look confirmed, with what it is between."""

    order_id: UUID
    difference: Difference
    ours: Ours | None
    theirs: GatewayPayment | None


async def look_again(
    engine: AsyncEngine, gateway: PaymentGateway, suspects: Sequence[Suspect], now: datetime
) -> list[Sure]:
    """Those that do differ: our books said the same before and after the gateway was asked. Raises GatewayUnavailable.

    Whoever is at work on a payment asks the gateway first and writes it down after, so of what differs between two
    equal readings our books are not just about to learn.
    """
    order_ids = [suspect.order_id for suspect in suspects]
    before = await read_ours(engine, order_ids)
    answers = await _look_up_all(gateway, suspects, before)
    after = await read_ours(engine, order_ids)
    sure: list[Sure] = []
    for suspect, theirs in zip(suspects, answers, strict=True):
        ours = after.get(suspect.order_id)
        if ours == before.get(suspect.order_id) and (found := judge(ours, theirs, gateway.name, now)):
            sure.append(Sure(suspect.order_id, found, ours, theirs))
    return sure


async def end_at(gateway: PaymentGateway, theirs: GatewayPayment) -> None:
    """Release, or give back, all the gateway has of a payment; raises GatewayRefused and GatewayUnavailable.

    The key names the step and what it starts from, so that two runs at once do it once, and a later one anew.
    """
    due = next_step(at_gateway(theirs), 0)
    key = f"{theirs.order_id}:balance:{due.step}:{theirs.captured_minor}-{theirs.refunded_minor}"
    match due.step:
        case Step.CANCEL:
            await answered(lambda: gateway.cancel(theirs.reference, key))
        case Step.REFUND:
            await answered(lambda: gateway.refund(theirs.reference, due.amount_minor, key))


async def answered(ask: Callable[[], Awaitable[Found]], within_s: float | None = CALL_TIMEOUT_S) -> Found:
    """What a gateway answers, asked again a few times where it does not; then raises GatewayUnavailable."""
    for attempt in range(ATTEMPTS_MAX):
        try:
            async with asyncio.timeout(within_s):
                return await ask()
        except (GatewayUnavailable, TimeoutError) as error:
            if attempt == ATTEMPTS_MAX - 1:
                raise _unavailable(error) from error
        await asyncio.sleep(FIRST_PAUSE_S * 2**attempt)
    raise GatewayUnavailable


async def _look_up_all(
    gateway: PaymentGateway, suspects: Iterable[Suspect], ours: Mapping[UUID, Ours]
) -> list[GatewayPayment | None]:
    free = asyncio.Semaphore(LOOK_UPS_AT_ONCE)

    async def look_up(suspect: Suspect) -> GatewayPayment | None:
        row = ours.get(suspect.order_id)
        reference = suspect.reference or (row.reference if row else None)
        made_after = row.created_at - CLOCKS_DIFFER if row else None
        async with free:
            return await answered(lambda: gateway.look_up(suspect.order_id, reference, made_after))

    try:
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(look_up(suspect)) for suspect in suspects]
    except ExceptionGroup as failed:  # one that gets no answer has ended the others
        raise failed.exceptions[0] from failed
    return [task.result() for task in asking]


def _unavailable(error: Exception) -> GatewayUnavailable:
    return error if isinstance(error, GatewayUnavailable) else GatewayUnavailable("no answer in time")
