"""Commands that the clock gives: many at once, each decided for itself."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import structlog

from domain.groupbuy.commands import Command
from infra.batching import Batcher
from infra.identity.audit import Deed
from infra.lane import Answer
from infra.unavailable import Overloaded, Unavailable
from workers.duty import Context

FAILURES_REMEMBERED_MAX = 1_000
LOOK_EVERY_S = 0.05
"""How often it is looked whether all that is still awaited is held up; usually everything is done long before."""

_log = structlog.get_logger(__name__)


class Telling:
    """Tells commands and remembers which failed, to say so once, and which nobody waits for any more.

    These are about deals that somebody else keeps locked: all others must not wait for them.
    """

    def __init__(self) -> None:
        self._failed: set[str] = set()
        self._left: dict[Command, asyncio.Future[Answer]] = {}

    async def tell(
        self,
        context: Context,
        commands: Sequence[tuple[Command, UUID]],
        deed: Deed | None = None,
        *,
        expected: tuple[type[Exception], ...] = (),
    ) -> int:
        """Tell commands, each with its deal; one that fails alone is named in the log, once, and left to the next look.

        Refusals that are `expected` are nobody's fault and not named. Answers how many were accepted; raises
        `Unavailable` where the rest would fail like the first.
        """
        accepted = 0
        batcher = context.runtime.batcher
        outcomes: dict[asyncio.Future[Answer], tuple[Command, UUID]] = {}
        unavailable: BaseException | None = None
        for command, deal_id in commands:
            if command in self._left:
                continue
            try:
                outcomes[batcher.put(command, deal_id, deed=deed)] = (command, deal_id)
            except Overloaded as error:
                unavailable = error
                break
        for outcome in await _held_up(batcher, outcomes):
            self._leave(outcomes.pop(outcome)[0], outcome)
        for outcome, (command, _) in outcomes.items():
            failure = outcome.exception()
            if isinstance(failure, Unavailable):
                unavailable = failure
            elif failure is not None and not isinstance(failure, expected):
                self._say(f"{command} failed: {type(failure).__name__}: {failure}")
            elif failure is None:
                accepted += 1
        if unavailable is not None:
            raise unavailable
        return accepted

    def _leave(self, command: Command, outcome: asyncio.Future[Answer]) -> None:
        """Wait no more; what becomes of it the next look sees."""

        def forget(done: asyncio.Future[Answer]) -> None:
            self._left.pop(command, None)
            if not done.cancelled():
                done.exception()  # it is looked at, whatever it is

        self._left[command] = outcome
        outcome.add_done_callback(forget)

    def _say(self, failure: str) -> None:
        if failure not in self._failed:
            if len(self._failed) >= FAILURES_REMEMBERED_MAX:
                self._failed.clear()
            self._failed.add(failure)
            _log.error("clock_command_failed", failure=failure)


async def _held_up(
    batcher: Batcher, outcomes: Mapping[asyncio.Future[Answer], tuple[Command, UUID]]
) -> Collection[asyncio.Future[Answer]]:
    """Return when all are done but those whose deals are held up, and which these are."""
    pending = set(outcomes)
    while not all(batcher.is_held_up(outcomes[outcome][1]) for outcome in pending):
        _, pending = await asyncio.wait(pending, timeout=LOOK_EVERY_S)
    return pending
