"""Refresh tokens: 256 random bits, kept as their hash, each spent once.

A spent one that comes again is a theft, whoever sent it. But for a few seconds it may be a phone that heard no answer,
and is told the same successor: that is made of the spent token, which only its sender has, and a salt, which only we
have. A browser that was left while a page came sends the spent one whenever it opens the next: it is told the same
until that has been used.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

GRACE_S: Final = 10
TOKEN_BYTES: Final = 32

_LOOK: Final = text("""
  SELECT successor_salt, clock_timestamp() AS now,
    spent_at > clock_timestamp() - make_interval(secs => :grace_s) AS may_be_heard_again
  FROM refresh_tokens WHERE token_hash = :token_hash""")
_SPEND: Final = text("""
  WITH spent AS (
    UPDATE refresh_tokens SET spent_at = clock_timestamp(), successor_salt = :salt WHERE token_hash = :token_hash
    RETURNING session_id
  )
  INSERT INTO refresh_tokens (token_hash, session_id) SELECT :successor_hash, session_id FROM spent""")
_IS_SPENT: Final = text("SELECT spent_at IS NOT NULL FROM refresh_tokens WHERE token_hash = :token_hash")


class Successor(NamedTuple):
    """The token to give out now, and the database's time."""

    token: str
    now: datetime
    is_new: bool


class Refused(NamedTuple):
    """No token for whoever sent this one; `is_theft`: somebody has one who should not."""

    is_theft: bool


Judged: TypeAlias = Successor | Refused


def new_token() -> str:
    """The first of a session."""
    return _text(secrets.token_bytes(TOKEN_BYTES))


def hash_of(token: str) -> bytes:
    """What is kept of it."""
    return hashlib.sha256(token.encode()).digest()


async def spend(connection: AsyncConnection, token: str, *, is_browsers: bool = False) -> Judged:
    """Spend a token of a session that is locked: of two that come with the same one the second finds it spent."""
    token_hash = hash_of(token)
    found = (await connection.execute(_LOOK, {"token_hash": token_hash, "grace_s": GRACE_S})).one_or_none()
    if found is None:
        return Refused(is_theft=False)
    if found.successor_salt is None:
        salt = secrets.token_bytes(TOKEN_BYTES)
        successor = _successor(token, salt)
        spending = {"token_hash": token_hash, "salt": salt, "successor_hash": hash_of(successor)}
        await connection.execute(_SPEND, spending)
        return Successor(successor, found.now, is_new=True)
    if not (found.may_be_heard_again or is_browsers):
        return Refused(is_theft=True)
    successor = _successor(token, found.successor_salt)
    is_spent = (await connection.execute(_IS_SPENT, {"token_hash": hash_of(successor)})).scalar_one_or_none()
    if is_spent is False:
        return Successor(successor, found.now, is_new=False)
    # whoever sent it has had the answer: nobody needs to hear it again, and only a late copy is no theft
    return Refused(is_theft=not found.may_be_heard_again)


def _successor(token: str, salt: bytes) -> str:
    return _text(hmac.digest(token.encode(), salt, hashlib.sha256))


def _text(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()
