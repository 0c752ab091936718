"""Commands that the clock gives: many at once, each decided for itself."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from domain.groupbuy.commands import Command
from infra.batching import Answer
from infra.identity.audit import Deed
from infra.unavailable import Overloaded, Unavailable
from workers.duty import Context

FAILURES_REMEMBERED_MAX = 1_000

_log = structlog.get_logger(__name__)


class Telling:
    """Tells commands and remembers which failed, to say so once."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

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
        outcomes: dict[asyncio.Future[Answer], Command] = {}
        unavailable: BaseException | None = None
        for command, deal_id in commands:
            try:
                outcomes[context.runtime.batcher.put(command, deal_id, deed=deed)] = command
            except Overloaded as error:
                unavailable = error
                break
        if outcomes:
            await asyncio.wait(outcomes)
        for outcome, command in outcomes.items():
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

    def _say(self, failure: str) -> None:
        if failure not in self._failed:
            if len(self._failed) >= FAILURES_REMEMBERED_MAX:
                self._failed.clear()
            self._failed.add(failure)
            _log.error("clock_command_failed", failure=failure)
