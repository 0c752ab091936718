"""Access tokens that count no more: known to every process at once, without a look at anything per request.

A session's token lives ten minutes, so a revocation after which it says something else is needed no longer than that.
One from the command line may live for a year, so what is final stays known for as long: deleted, administrator no more,
signed out everywhere. The few there are stay in memory. PostgreSQL tells of each one as it is committed; looking again
and again is for what was told while nobody listened, and reads no more than what came since the last look. All times
are the database's, as is when a token was issued.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.ending import end
from infra.reading.fetching import fetch_json
from infra.token_keys import ACCESS_LIFETIME_S
from infra.tokens import CLOCK_SKEW_S, LIFETIME_MAX_S, Claims
from infra.unavailable import DatabaseUnavailable, Unavailable

LOOK_EVERY_S: Final = 0.5
LOOK_WHILE_LISTENING_EVERY_S: Final = 2.0
LOOK_AT_ALL_EVERY_S: Final = 600.0
"""To forget what has expired: about as long as most revocations are kept for."""
UNCOMMITTED_S_MAX: Final = 45.0
"""Longer than any transaction takes from its revocation to its commit."""
KEPT_S: Final = ACCESS_LIFETIME_S + CLOCK_SKEW_S
KEPT_WHEN_FINAL_S: Final = LIFETIME_MAX_S + CLOCK_SKEW_S
ONE_MS: Final = 0.001
REVOKED_MAX: Final = 100_000
"""About 20 MB. Beyond it the oldest are kept as one moment before which no token counts at all."""

Revoked: TypeAlias = Mapping[UUID, float]
"""Sessions and accounts, and the moment (seconds of the Unix clock) before which their tokens count no more."""

_LOST: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
_AWAY: Final = (Unavailable, SQLAlchemyError, *_LOST)
_CHANNEL: Final = "tuan_revocations"
# Tokens are issued with the account's row locked: each comes wholly before or after what it would have said wrongly.
_LOCK = text("SELECT FROM accounts WHERE id = ANY(CAST(:subjects AS uuid[])) ORDER BY id FOR NO KEY UPDATE")
_REVOKE = text(f"""
  WITH revoked AS (
    INSERT INTO revocations AS known (subject, issued_before, expires_at)
    SELECT subject, greatest(clock_timestamp(), to_timestamp(:least)),
      clock_timestamp() + make_interval(secs => :kept_s)
    FROM (SELECT DISTINCT unnest(CAST(:subjects AS uuid[])) AS subject ORDER BY subject) AS subjects
    ON CONFLICT (subject) DO UPDATE SET at = clock_timestamp(),
      issued_before = greatest(known.issued_before, greatest(clock_timestamp(), to_timestamp(:least))),
      expires_at = greatest(known.expires_at, EXCLUDED.expires_at)
    RETURNING subject, extract(epoch FROM issued_before)::float8 AS issued_before
  )
  SELECT subject, issued_before, pg_notify('{_CHANNEL}', subject || ' ' || issued_before) FROM revoked""")  # noqa: S608 - a constant
# The moment is one for all rows, so the index on `at` is of use; as one document thousands of rows are read at once.
_REVOKED = text("""
  SELECT json_build_object('now', extract(epoch FROM statement_timestamp())::float8, 'revoked', (
    SELECT coalesce(json_object_agg(subject, issued_before), '{}') FROM (
      SELECT subject, extract(epoch FROM issued_before)::float8 AS issued_before FROM revocations
      WHERE at > to_timestamp(:since) AND expires_at > statement_timestamp()
      ORDER BY revocations.issued_before DESC LIMIT :most) newest))::text""")

_log = structlog.get_logger(__name__)


async def revoke(
    connection: AsyncConnection,
    subjects: Iterable[UUID],
    asked_with: Claims | None = None,
    *,
    is_final: bool = False,
) -> Revoked:
    """Let the access tokens of these sessions or accounts count no more that were issued before now.

    Call it after the change that makes them wrong, in its transaction, and once that is committed let
    `Revocations.learn` know what comes back. `asked_with` is the token of whoever asks for it where it is one of them:
    it ends whatever clock it was issued by, and others like it may live as long. `is_final`: those from
    the command line, too, must never count again, however long they live.
    """
    kept_s = KEPT_WHEN_FINAL_S if is_final else _kept_for_s(asked_with)
    revoking: dict[str, object] = {"subjects": list(subjects), "kept_s": kept_s, "least": 0.0}
    if not revoking["subjects"]:
        return {}
    if asked_with is not None:
        revoking["least"] = asked_with.issued_at + ONE_MS
    await connection.execute(_LOCK, {"subjects": revoking["subjects"]})
    rows = await connection.execute(_REVOKE, revoking)
    return {subject: float(issued_before) for subject, issued_before, _ in rows}


def _kept_for_s(asked_with: Claims | None) -> float:
    """Until the last of the tokens has expired; those from the command line may live long."""
    if asked_with is None or asked_with.expires_at - asked_with.issued_at <= ACCESS_LIFETIME_S:
        return KEPT_S
    return KEPT_WHEN_FINAL_S


class _Seen(msgspec.Struct):
    """What one look saw, and when."""

    now: float
    revoked: dict[UUID, float]


_decode = msgspec.json.Decoder(_Seen).decode


class Revocations:
    """The sessions and accounts whose tokens of before a moment are refused.

    Of the engine's connections it keeps one to hear of revocations; `listens` says that it is up.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._issued_before: dict[UUID, float] = {}
        self._learned: dict[UUID, float] = {}
        self._floor = 0.0
        self._looked_at = 0.0
        self.listens = False

    def is_revoked(self, claims: Claims) -> bool:
        """Whether a token that was good when it was issued is good no more.

        Raises `DatabaseUnavailable` while this process has not been able to look even once.
        """
        if not self._looked_at:
            raise DatabaseUnavailable
        before, issued_at = self._issued_before, claims.issued_at
        if not before:
            return False
        return issued_at < before.get(claims.subject, self._floor) or (
            claims.session_id is not None and issued_at < before.get(claims.session_id, self._floor)
        )

    def learn(self, revoked: Revoked) -> None:
        """These were revoked a moment ago; the transaction that did it is committed."""
        for subject, issued_before in revoked.items():
            latest = max(issued_before, self._issued_before.get(subject, 0.0))
            self._issued_before[subject] = self._learned[subject] = latest
        self._keep_within_bounds()

    async def look(self) -> None:
        """Learn all there is to know, and forget what no token can be of any more."""
        seen = await self._read(since=0.0)
        self._issued_before, self._floor = seen.revoked, 0.0
        self.learn(self._learned)  # while the rows were on their way

    async def look_for_new(self) -> None:
        """Learn what was revoked since the last look, however long ago that was."""
        self.learn((await self._read(since=self._looked_at - UNCOMMITTED_S_MAX)).revoked)

    async def begin(self) -> None:
        """Look before anybody asks; without PostgreSQL nobody is told anything until it is back."""
        with suppress(*_AWAY):
            await self.look()

    async def run(self) -> None:
        """Listen, and look again and again, until cancelled; while PostgreSQL is away what is known stays known."""
        listening = asyncio.create_task(self._keep_listening())
        try:
            await self._keep_looking()
        finally:
            await end(listening)

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        all_at = loop.time() + LOOK_AT_ALL_EVERY_S if self._looked_at else 0.0
        while True:
            try:
                if loop.time() < all_at:
                    await self.look_for_new()
                else:
                    await self.look()
                    all_at = loop.time() + LOOK_AT_ALL_EVERY_S
            except _AWAY as error:
                all_at = 0.0
                _log.debug("revocations_not_read", why=str(error))
            await asyncio.sleep(LOOK_WHILE_LISTENING_EVERY_S if self.listens else LOOK_EVERY_S)

    async def _keep_listening(self) -> None:
        while True:
            try:
                await self._listen()
            except _AWAY as error:
                _log.debug("revocations_not_heard", why=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _listen(self) -> None:
        """Listen until the connection is gone."""
        is_gone = asyncio.Event()
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            driver.add_termination_listener(lambda _: is_gone.set())
            try:
                await driver.add_listener(_CHANNEL, self._hear)
                self.listens = True
                await is_gone.wait()
            finally:
                self.listens = False
                await connection.invalidate()

    def _hear(self, connection: object, process_id: int, channel: str, said: str) -> None:  # noqa: ARG002 - as asyncpg calls it
        subject, _, issued_before = said.partition(" ")
        try:
            self.learn({UUID(subject): float(issued_before)})
        except ValueError:
            _log.warning("revocation_not_understood", said=said[:100])

    async def _read(self, since: float) -> _Seen:
        """The revocations after a moment, the newest where there are too many; what comes meanwhile is `_learned`."""
        self._learned = {}
        asked = {"since": since, "most": REVOKED_MAX + 1}
        seen = _decode(await fetch_json(self._engine, _REVOKED, asked))
        self._looked_at = seen.now
        return seen

    def _keep_within_bounds(self) -> None:
        if len(self._issued_before) <= REVOKED_MAX:
            return
        newest_first = sorted(self._issued_before.items(), key=lambda item: item[1], reverse=True)
        self._issued_before = dict(newest_first[: REVOKED_MAX // 2])
        self._floor = max(self._floor, newest_first[REVOKED_MAX // 2][1])
        _log.warning("many_tokens_revoked", how_many=len(newest_first), so="older tokens must be refreshed")
