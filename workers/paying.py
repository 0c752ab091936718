"""Paying: what was decided about payments is done at their gateways, and what they say is recorded.

Claim, then call with no transaction open, then record through the one write path: a process may die at any point, the
next one looks at the gateway and goes on from what it finds. Calls are kept filled up to a bound rather than made in
rounds, so that one payment that takes ten seconds holds up no other.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import structlog

from domain.errors import DomainError
from domain.groupbuy.commands import Command, ConfirmPayment, RecordRefund, RecordSettlement
from infra.cannot_start import CannotStart
from infra.database import is_connection_lost
from infra.gathering import Gathering
from infra.payments.port import GatewayTrouble
from infra.unavailable import Unavailable
from workers.carrying_out import CarriedOut, MoneyCame, NotCarriedOut, give_back, settle
from workers.duty import Context, LastingDuty, Step, is_server_gone
from workers.instructions import Failure, Instruction, claim, note

CALLS_AT_ONCE = 200
CLAIMED_AT_LEAST = CALLS_AT_ONCE // 4
"""Room for so many is waited for before more are claimed: a statement for each would cost more than its calls."""
LOOK_EVERY_S = 0.5
ATTEMPTS_MAX = 20
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 3_600.0
"""So the last of the attempts is made four to eight hours after the first."""
SAY_EVERY_S = 60.0
WORTH_SAYING_ATTEMPTS = 7
"""Before that (about half a minute) it may pass by itself, as when a call that makes a payment is under way."""
ERROR_CHARACTERS_MAX = 300

_log = structlog.get_logger(__name__)


class Paying:
    """The calls under way of one process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._room.set()
        self._failing: Gathering[Failure, None] = Gathering(self._note)
        self._say_again_at_s = 0.0

    async def step(self) -> float:
        """Take up what is due, as much as there is room for; answers how long to rest."""
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._room.wait()
        except TimeoutError:
            return 0
        room = CALLS_AT_ONCE - len(self._under_way)
        claimed = await claim(self._context.by_key, room)
        for instruction in claimed:
            task = asyncio.create_task(self._carry_out(instruction))
            self._under_way.add(task)
            task.add_done_callback(self._done)
        self._tell_room()
        return 0 if len(claimed) == room else LOOK_EVERY_S

    async def finish(self) -> None:
        """Return when every call that was begun is recorded; cut off, it leaves them to the next process."""
        try:
            if self._under_way:
                await asyncio.wait(self._under_way)
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._tell_room()

    def _tell_room(self) -> None:
        if len(self._under_way) <= CALLS_AT_ONCE - CLAIMED_AT_LEAST:
            self._room.set()
        else:
            self._room.clear()

    async def _carry_out(self, instruction: Instruction) -> None:
        """Do it and record it; whatever is in the way is noted, and what cannot be noted is left to the lease."""
        try:
            await self._record(await self._ask(instruction), instruction)
        except (GatewayTrouble, NotCarriedOut, CannotStart, Unavailable, DomainError) as trouble:
            await self._failed(instruction, trouble)
        except Exception as error:  # noqa: BLE001 - one that meets a fault of ours must hold up no other
            if not is_server_gone(error):
                _log.error("payment_failed", exc_info=error, order_id=str(instruction.order_id))
            await self._failed(instruction, error)

    async def _ask(self, instruction: Instruction) -> CarriedOut | MoneyCame:
        gateway = self._context.runtime.gateways.get(instruction.gateway)
        if instruction.refund_id is None:
            return await settle(gateway, instruction)
        await give_back(gateway, instruction)
        return CarriedOut()

    def _record(self, outcome: CarriedOut | MoneyCame, instruction: Instruction) -> Awaitable[object]:
        command = _command(outcome, instruction)
        return self._context.runtime.batcher.put(command, instruction.deal_id)

    async def _failed(self, instruction: Instruction, error: Exception) -> None:
        is_last = instruction.attempts >= ATTEMPTS_MAX
        try:
            await self._failing.get(Failure(instruction, _in_one_line(error), _rest_s(instruction), is_last))
        except Exception as gone:  # noqa: BLE001 - nobody waits for this; the lease brings it back
            if not is_connection_lost(gone):
                _log.error("failure_not_noted", exc_info=gone, order_id=str(instruction.order_id))

    async def _note(self, failures: list[Failure]) -> dict[Failure, None]:
        await note(self._context.by_key, failures)
        self._say(failures)
        return {}

    def _say(self, failures: list[Failure]) -> None:
        """Name what will not be tried again; of what waits say one line a minute."""
        for failure in failures:
            if failure.is_last:
                _log.error(
                    "payment_dead",
                    order_id=str(failure.instruction.order_id),
                    why=failure.why,
                    what_to_do="put right what is in the way, then `tuan settlements retry`",
                )
        stubborn = [failure for failure in failures if failure.instruction.attempts >= WORTH_SAYING_ATTEMPTS]
        if stubborn and time.monotonic() >= self._say_again_at_s:
            self._say_again_at_s = time.monotonic() + SAY_EVERY_S
            _log.warning("payments_wait", payments=len(stubborn), why=stubborn[0].why)


@asynccontextmanager
async def paying(context: Context) -> AsyncIterator[Step]:
    """The step of this duty, and the end of its calls."""
    made = Paying(context)
    try:
        yield made.step
    finally:
        await made.finish()


PAYING = LastingDuty("paying", 5, paying)


def _command(outcome: CarriedOut | MoneyCame, instruction: Instruction) -> Command:
    """What the domain is told; of money that came late it makes a settlement that is due at once."""
    deal_id, group_id, order_id = instruction.deal_id, instruction.group_id, instruction.order_id
    if instruction.refund_id is not None:
        return RecordRefund(deal_id=deal_id, group_id=group_id, order_id=order_id, refund_id=instruction.refund_id)
    match outcome:
        case MoneyCame(reference=reference):
            return ConfirmPayment(
                deal_id=deal_id,
                group_id=group_id,
                shopper_id=instruction.shopper_id,
                order_id=order_id,
                reference=reference,
            )
        case CarriedOut(refused_because=refused_because):
            return RecordSettlement(
                deal_id=deal_id,
                group_id=group_id,
                shopper_id=instruction.shopper_id,
                order_id=order_id,
                refused_because=refused_because,
                as_of=instruction.as_of,
            )


def _rest_s(instruction: Instruction) -> float:
    """Doubled from attempt to attempt, and by its own chance (always the same) up to half shorter."""
    longest_s = min(BACKOFF_FIRST_S * 2.0 ** (instruction.attempts - 1), BACKOFF_MAX_S)
    chance = zlib.crc32(instruction.id.bytes + bytes([instruction.attempts % 256])) / 2**32
    return longest_s * (1 - chance / 2)


def _in_one_line(error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= ERROR_CHARACTERS_MAX else said[: ERROR_CHARACTERS_MAX - 1] + "…"
