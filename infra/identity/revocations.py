"""Access tokens that count no more: known to every process within a moment, without a look at anything per request.

A token lives ten minutes, so a revocation is needed no longer than that; the few there are stay in memory.
"""

import asyncio
import time
from collections.abc import Iterable
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.tokens import Claims

LOOK_EVERY_S = 0.5
KEPT_S = 660
"""An access token's life, and a minute for clocks that differ."""

_RECENT = text("""
  SELECT subject, extract(epoch FROM issued_before)::float8 FROM revocations
  WHERE at > clock_timestamp() - make_interval(secs => :kept_s)""")

_log = structlog.get_logger(__name__)


class Revocations:
    """The sessions and accounts whose tokens of before a moment are refused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._issued_before: dict[UUID, float] = {}

    def is_revoked(self, claims: Claims) -> bool:
        """Whether a token that was good when it was issued is good no more."""
        before = self._issued_before
        if not before:
            return False
        of_account, of_session = before.get(claims.subject, 0.0), before.get(claims.session_id or claims.subject, 0.0)
        return claims.issued_at < max(of_account, of_session)

    def learn(self, subjects: Iterable[UUID]) -> None:
        """This process revoked these a moment ago."""
        now = time.time()
        self._issued_before |= dict.fromkeys(subjects, now)

    async def look(self) -> None:
        """Learn what any process revoked lately, and forget what no token can be of any more."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_RECENT, {"kept_s": KEPT_S})).all()
        self._issued_before = {subject: float(issued_before) for subject, issued_before in rows}

    async def run(self) -> None:
        """Look again and again, until cancelled; while PostgreSQL is away what is known stays known."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.debug("revocations_not_read", why=str(error))
            await asyncio.sleep(LOOK_EVERY_S)
