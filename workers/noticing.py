"""Noticing: the outbox is read for what is to be told, and people are told it, chunk by chunk.

Every step can be repeated and done by two at once; what was read and told stands in the transaction that did it.
"""

import time
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.notices.keeping import forget_old_notices, trim_inboxes
from infra.notices.outbox import read_outbox
from infra.notices.reminding import remind
from infra.notices.telling import TELLINGS_AT_ONCE, postpone_first, tell_chunk
from workers.duty import Context, Duty

LOOK_EVERY_S: Final = 0.5
REMIND_EVERY_S: Final = 5.0
TIDY_EVERY_S: Final = 60.0

_BEGINNING: Final = UUID(int=0)

_log = structlog.get_logger(__name__)


class Noticing:
    """Looks at the outbox often, at awaited payments now and then, and tidies up once a minute."""

    def __init__(self) -> None:
        self._remind_at_s = 0.0
        self._tidy_at_s = 0.0
        self._trimmed = _BEGINNING

    async def step(self, context: Context) -> float:
        """Read some, tell some; answers how long to rest: as long as it took, as joins and closings come first."""
        began_at_s = time.monotonic()
        engine = context.by_key
        has_more = await read_outbox(engine)
        if began_at_s >= self._remind_at_s:
            self._remind_at_s = began_at_s + REMIND_EVERY_S
            await remind(engine)
        told = await self._tell(context)
        if began_at_s >= self._tidy_at_s:
            is_more = await self._tidy(context)
            self._tidy_at_s = began_at_s + (0 if is_more else TIDY_EVERY_S)
        return time.monotonic() - began_at_s if has_more or told else LOOK_EVERY_S

    async def _tell(self, context: Context) -> int:
        try:
            told = await tell_chunk(context.by_key)
        except (IntegrityError, DataError):
            told = await _one_by_one(context.by_key)
        if told:
            context.wake("delivering")
        return told

    async def _tidy(self, context: Context) -> bool:
        """Some at a step, so that nobody waits for news while those of a hot group of long ago are forgotten."""
        is_more = await forget_old_notices(context.by_key)
        self._trimmed = await trim_inboxes(context.by_key, self._trimmed) or _BEGINNING
        return is_more


async def _one_by_one(engine: AsyncEngine) -> int:
    """Find those that spoil a chunk: their rows break a promise, so a person must look at them, and others go on."""
    for _ in range(TELLINGS_AT_ONCE):
        try:
            if not await tell_chunk(engine, tellings_max=1):
                break
        except (IntegrityError, DataError) as error:
            _log.error("cannot_be_told", telling_id=await postpone_first(engine), why=str(error.orig))
    return 1


NOTICING = Duty("noticing", 12, Noticing().step)
