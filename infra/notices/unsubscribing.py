"""Ending letters without signing in: a link in each says whose and which, and proves that it is from us (RFC 8058).

It is good for as long as the key that codes are made with; a year-old letter's link still ends letters.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.notices.kinds import Channel, Kind
from infra.identity.codes import codes_key
from infra.settings import Settings
from infra.statement import json_text

MAC_BYTES: Final = 16
UUID_BYTES: Final = 16
TOKEN_CHARACTERS_MAX: Final = 400
PURPOSE: Final = b"unsubscribe"

_HOLD: Final = text("""
  SELECT id, notifications::text FROM accounts
  WHERE id = (SELECT coalesce(merged_into, id) FROM accounts WHERE id = :id) AND status IN ('guest', 'full')
  FOR NO KEY UPDATE""")
_CHANGE: Final = text("""
  UPDATE accounts SET version = version + 1, notifications = CAST(:notifications AS jsonb) WHERE id = :id""")


class Unwanted(NamedTuple):
    """Letters that somebody wants no more of."""

    account_id: UUID
    kinds: frozenset[Kind]


class UnsubscribeTokens:
    """Makes and reads what links end with."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def make(self, account_id: UUID, kinds: Iterable[Kind]) -> str:
        """The token for an account and kinds of notices; raises `BadKey`."""
        what = account_id.bytes + ",".join(sorted(set(kinds))).encode()
        return _encoded(self._mac(what) + what)

    def read(self, token: str) -> Unwanted | None:
        """What a token says; None for one that is not from us, or of kinds that are no more."""
        raw = _decoded(token)
        what = raw[MAC_BYTES:]
        if len(what) <= UUID_BYTES or not hmac.compare_digest(self._mac(what), raw[:MAC_BYTES]):
            return None
        known = frozenset(Kind) & frozenset(what[UUID_BYTES:].decode().split(","))
        return Unwanted(UUID(bytes=what[:UUID_BYTES]), frozenset(map(Kind, known))) if known else None

    def _mac(self, what: bytes) -> bytes:
        return hmac.digest(self._key, what, hashlib.sha256)[:MAC_BYTES]

    @cached_property
    def _key(self) -> bytes:
        return hmac.digest(codes_key(self._settings), PURPOSE, hashlib.sha256)


async def stop_letters(connection: AsyncConnection, unwanted: Unwanted) -> None:
    """Let no more letters of these kinds be sent; whoever became somebody else's account is them, gone is gone."""
    found = (await connection.execute(_HOLD, {"id": unwanted.account_id})).one_or_none()
    if found is None:
        return
    account_id, column = found
    notifications = msgspec.json.decode(column)
    before = notifications.get("kinds", {})
    off = {kind: {**before.get(kind, {}), Channel.EMAIL: False} for kind in unwanted.kinds}
    kinds = {**before, **off}
    if kinds != before:
        changed = {"id": account_id, "notifications": json_text({**notifications, "kinds": kinds})}
        await connection.execute(_CHANGE, changed)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(token: str) -> bytes:
    """Nothing for what is not how these bytes are written."""
    if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
        return b""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""
    return raw if _encoded(raw) == token else b""
