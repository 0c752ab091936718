"""Closing: groups whose deadline has come, and crowds whose deal has gone live.

PostgreSQL says what is due, so nothing is lost with a queue, a counter or a process. Every group is a command of its
own: they are decided and committed together, but one that cannot be closed holds up no other.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import CloseGroup, StartCrowd
from infra.ids import new_id
from infra.reading.sweeping import BEGINNING, Due, due_groups, next_deadline, waiting_crowds
from workers.duty import Context, Duty
from workers.telling import Telling

# Together well below what may wait in a process, so that a sweep beside an API leaves room for its requests.
GROUPS_AT_ONCE = 500
PAGES_AT_ONCE = 3
CROWDS_AT_ONCE = 100
LOOK_EVERY_S = 1.0
# A timer may fire a little early; looking again right then would find nothing due.
AFTER_DEADLINE_S = 0.001
# Something due could not be closed: the others must not wait for its next turn.
LOOK_AGAIN_S = 0.25


class Closing:
    """Closes and starts what the clock says."""

    def __init__(self) -> None:
        self._telling = Telling()

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
        await self._telling.tell(
            context, [(StartCrowd(deal_id=deal_id, group_id=new_id()), deal_id) for deal_id in deal_ids]
        )

    async def _close(self, context: Context, due: Sequence[Due]) -> int:
        return await self._telling.tell(context, [(CloseGroup(group_id=group.id), group.deal_id) for group in due])


CLOSING = Duty("closing", 1, Closing().step)


async def _due_after(engine: AsyncEngine, last: Due) -> list[Due]:
    async with engine.connect() as connection:
        return await due_groups(connection, GROUPS_AT_ONCE, last)
