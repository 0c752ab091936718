"""Merchants who were suspended lately: known to every process within a moment, so that no group of theirs opens.

Soon after, their deals are paused (`workers.winding_down`) and their people's tokens say it themselves, so the few that
are being wound down stay in memory, and nobody else.
"""

import asyncio
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

LOOK_EVERY_S = 0.5
MERCHANTS_MAX = 10_000
"""About 1 MB. Of more, those suspended last: the deals of the others have been paused by then."""

_WINDING_DOWN = text("""
  SELECT id FROM merchants WHERE winding_down ORDER BY decided_at DESC, id LIMIT :merchants_max""")

_log = structlog.get_logger(__name__)


class Suspensions:
    """The merchants that are being wound down."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._merchant_ids: frozenset[UUID] = frozenset()

    @property
    def merchant_ids(self) -> frozenset[UUID]:
        """Whose deals take no new groups, whatever the deals themselves say."""
        return self._merchant_ids

    async def look(self) -> None:
        """Learn who it is now."""
        async with self._engine.connect() as connection:
            asked = {"merchants_max": MERCHANTS_MAX}
            self._merchant_ids = frozenset((await connection.execute(_WINDING_DOWN, asked)).scalars())

    async def run(self) -> None:
        """Look again and again, until cancelled; while PostgreSQL is away what is known stays known."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.debug("suspensions_not_read", why=str(error))
            await asyncio.sleep(LOOK_EVERY_S)
