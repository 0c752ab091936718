"""Whether an API key that is sent with a request is good, and what it may do.

A key is looked up by its prefix, then remembered for a second, good or not: at any rate a key costs a look-up a second,
and a process that hears of no revocation goes on for no longer than that. When it was last used is noted beside.
"""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.permissions import Permission, Role, Standing
from infra.identity.api_keys import hash_of, prefix_of
from infra.identity.revocations import Revocations
from infra.reading.fetching import fetch_json
from infra.tokens import Claims, Employment, TokenRefused
from infra.unavailable import Overloaded

REMEMBERED_S: Final = 1.0
GOOD_MAX: Final = 4_096
BAD_MAX: Final = 4_096
LOOK_UPS_AT_ONCE: Final = 4
"""However many wrong keys come at once, most of the connections are for others."""
LOOK_UPS_AGAIN_AT_ONCE: Final = 2
"""For keys that have been good here, so that they wait behind none that were made up."""
WAIT_S: Final = 5.0
NOTED_EVERY_S: Final = 60.0
NOTE_DELAY_S: Final = 5.0

_FIND = text("""
  SELECT coalesce((SELECT json_build_object(
    'id', api_keys.id, 'merchant_id', merchant_id, 'key_hash', encode(key_hash, 'hex'), 'scopes', scopes,
    'standing', status, 'is_revoked', revoked_at IS NOT NULL, 'now', extract(epoch FROM clock_timestamp())::float8,
    'expires_at', extract(epoch FROM expires_at)::float8)
  FROM api_keys JOIN merchants ON merchants.id = merchant_id WHERE prefix = :prefix), 'null')::text""")
_NOTE = text("""
  UPDATE api_keys SET used_at = clock_timestamp()
  WHERE id = ANY(CAST(:ids AS uuid[]))
    AND coalesce(used_at, '-infinity') <= clock_timestamp() - make_interval(secs => :noted_every_s)""")

_log = structlog.get_logger(__name__)


class _Row(msgspec.Struct, frozen=True):
    id: UUID
    merchant_id: UUID
    key_hash: str
    scopes: list[Permission]
    standing: Standing
    is_revoked: bool
    now: float
    expires_at: float | None


_decode = msgspec.json.Decoder(_Row | None).decode


class _Judged(NamedTuple):
    """What a key is, until when that is remembered: good for these claims, or refused for a reason."""

    until: float
    claims: Claims | None
    reason: str = ""


class KeyVerifier:
    """Verifies API keys and remembers for a moment what came out."""

    def __init__(
        self, engine: AsyncEngine, revocations: Revocations, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._revocations = revocations
        self._clock = clock
        self._good: OrderedDict[bytes, _Judged] = OrderedDict()
        self._bad: OrderedDict[bytes, _Judged] = OrderedDict()
        self._look_ups = asyncio.Semaphore(LOOK_UPS_AT_ONCE)
        self._look_ups_again = asyncio.Semaphore(LOOK_UPS_AGAIN_AT_ONCE)
        self._used: set[UUID] = set()
        self._noted_until: dict[UUID, float] = {}

    async def verify(self, key: str) -> Claims:
        """What a key may do: its subject is the key, its only employment its merchant.

        Raises `TokenRefused`, or `Unavailable` where it cannot be looked up.
        """
        prefix = prefix_of(key)
        if prefix is None:
            raise TokenRefused("malformed")
        digest = hash_of(key)
        judged = self._remembered(digest) or await self._judge(prefix, digest)
        if judged.claims is None:
            raise TokenRefused(judged.reason)
        if self._noted_until.get(judged.claims.subject, 0.0) <= self._clock():
            self._used.add(judged.claims.subject)
        return judged.claims

    def has_been_good(self, key: str) -> bool:
        """Whether this key was good when it was looked up last, however long ago."""
        return hash_of(key) in self._good

    async def note_uses(self) -> None:
        """Write down which keys were used: of each at most once a minute, whoever asks."""
        used, self._used = self._used, set()
        if not used:
            return
        try:
            async with self._engine.begin() as connection:
                await connection.execute(_NOTE, {"ids": sorted(used), "noted_every_s": NOTED_EVERY_S})
        except BaseException:
            self._used |= used
            raise
        now = self._clock()
        self._noted_until = {key_id: until for key_id, until in self._noted_until.items() if until > now}
        self._noted_until |= dict.fromkeys(used, now + NOTED_EVERY_S)

    async def run(self) -> None:
        """Note uses again and again, until cancelled; while PostgreSQL is away they wait."""
        while True:
            await asyncio.sleep(NOTE_DELAY_S)
            try:
                await self.note_uses()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.debug("key_uses_not_noted", why=str(error))

    def _remembered(self, digest: bytes) -> _Judged | None:
        judged = self._good.get(digest) or self._bad.get(digest)
        if judged is None or judged.until <= self._clock():
            return None
        if judged.claims is not None and self._revocations.is_revoked(judged.claims):
            return None  # itself, or where its merchant stands: what is true now has to be asked for
        return judged

    async def _judge(self, prefix: str, digest: bytes) -> _Judged:
        look_ups = self._look_ups_again if digest in self._good else self._look_ups
        try:
            async with asyncio.timeout(WAIT_S), look_ups:
                # whoever had to wait may find what the one before was told
                return self._remembered(digest) or await self._look_up(prefix, digest)
        except TimeoutError:
            raise Overloaded from None

    async def _look_up(self, prefix: str, digest: bytes) -> _Judged:
        asked_at = self._clock()
        row = _decode(await fetch_json(self._engine, _FIND, {"prefix": prefix}))
        reason = _reason_against(row, digest)
        if row is None or reason:
            self._good.pop(digest, None)
            return _keep(self._bad, BAD_MAX, digest, _Judged(asked_at + REMEMBERED_S, None, reason))
        employment = Employment(frozenset(row.scopes), row.standing)
        expires_at = float("inf") if row.expires_at is None else row.expires_at
        self._bad.pop(digest, None)
        claims = Claims(
            row.id,
            frozenset({Role.API_KEY}),
            None,
            expires_at,
            issued_at=row.now,  # a revocation of before is in what was read
            merchants={row.merchant_id: employment},
        )
        remembered_s = min(REMEMBERED_S, expires_at - row.now)
        return _keep(self._good, GOOD_MAX, digest, _Judged(asked_at + remembered_s, claims))


def _reason_against(row: _Row | None, digest: bytes) -> str:
    if row is None or not hmac.compare_digest(row.key_hash, digest.hex()):
        return "unknown API key"
    if row.is_revoked:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= row.now:
        return "expired"
    return ""


def _keep(among: OrderedDict[bytes, _Judged], most: int, digest: bytes, judged: _Judged) -> _Judged:
    among.pop(digest, None)
    if len(among) >= most:
        among.popitem(last=False)
    among[digest] = judged
    return judged
