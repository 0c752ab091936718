"""Closing: groups whose deadline has come, and crowds whose deal has gone live.

PostgreSQL says what is due, so nothing is lost with a queue, a counter or a process. Every group is a command of its
own: they are decided and committed together, but one that cannot be closed holds up no other.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import CloseGroup, Command, StartCrowd
from infra.batching import Answer
from infra.ids import new_id
from infra.reading.sweeping import BEGINNING, Due, due_groups, next_deadline, waiting_crowds
from infra.unavailable import Overloaded, Unavailable
from workers.duty import Context, Duty

# Together well below what may wait in a process, so that a sweep beside an API leaves room for its requests.
GROUPS_AT_ONCE = 500
PAGES_AT_ONCE = 3
CROWDS_AT_ONCE = 100
LOOK_EVERY_S = 1.0
# A timer may fire a little early; looking again right then would find nothing due.
AFTER_DEADLINE_S = 0.001
# Something due could not be closed: the others must not wait for its next turn.
LOOK_AGAIN_S = 0.25
FAILURES_REMEMBERED_MAX = 1_000

_log = structlog.get_logger(__name__)


class Closing:
    """Closes and starts what the clock says; remembers what it could not, to say so once."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    async def step(self, context: Context) -> float:
        """Start every crowd that waits and close every group that is due; answers the time until the next deadline."""
        await self.start_crowds(context)
        closed = await self.close_due(context)
        async with context.by_key.connect() as connection:
            deadline_s = await next_deadline(connection)
        if deadline_s is None:
            return LOOK_EVERY_S
        if deadline_s == 0:  # one came meanwhile, or one could not be closed
            return 0 if closed else LOOK_AGAIN_S
        return min(deadline_s + AFTER_DEADLINE_S, LOOK_EVERY_S)

    async def close_due(self, context: Context) -> int:
        """Tell every due group to close, each once, the oldest first; while some are closed the next are looked up.

        Answers how many were closed.
        """
        pages: deque[asyncio.Task[int]] = deque()
        closed, last = 0, BEGINNING
        try:
            while due := await _due_after(context.by_key, last):
                last = due[-1]
                pages.append(asyncio.create_task(self._close(context, due)))
                if len(pages) == PAGES_AT_ONCE:
                    closed += await pages.popleft()
        finally:
            closed += sum(await asyncio.gather(*pages))
        return closed

    async def start_crowds(self, context: Context) -> None:
        """Open the one group of every crowd deal that has gone live."""
        async with context.by_key.connect() as connection:
            deal_ids = await waiting_crowds(connection, CROWDS_AT_ONCE)
        await self._tell(context, [(StartCrowd(deal_id=deal_id, group_id=new_id()), deal_id) for deal_id in deal_ids])

    async def _close(self, context: Context, due: Sequence[Due]) -> int:
        return await self._tell(context, [(CloseGroup(group_id=group.id), group.deal_id) for group in due])

    async def _tell(self, context: Context, commands: Sequence[tuple[Command, UUID]]) -> int:
        """Tell commands at once; one that fails alone is named in the log, once, and left for the next look.

        Answers how many were accepted; raises `Unavailable` where the rest would fail like the first.
        """
        accepted = 0
        outcomes: dict[asyncio.Future[Answer], Command] = {}
        unavailable: BaseException | None = None
        for command, deal_id in commands:
            try:
                outcomes[context.runtime.batcher.put(command, deal_id)] = command
            except Overloaded as error:
                unavailable = error
                break
        if outcomes:
            await asyncio.wait(outcomes)
        for outcome, command in outcomes.items():
            failure = outcome.exception()
            if isinstance(failure, Unavailable):
                unavailable = failure
            elif failure is not None:
                self._say(f"{command} failed: {type(failure).__name__}: {failure}")
            else:
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


CLOSING = Duty("closing", 1, Closing().step)


async def _due_after(engine: AsyncEngine, last: Due) -> list[Due]:
    async with engine.connect() as connection:
        return await due_groups(connection, GROUPS_AT_ONCE, last)
