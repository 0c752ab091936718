"""Sessions: a sign-in on one device, kept alive by refresh tokens of which each can be spent once.

A refresh token is 256 random bits, kept as its hash. A spent one that comes again is a theft, whoever sent it, and
ends the session; but for a few seconds it is a phone that heard no answer, and is told the same successor: that is
made of the spent token, which only its sender has, and a salt, which only we have.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.identity.accounts import Account, find_account
from infra.ids import new_id

LIFETIME_S = 90 * 24 * 3600
"""From the last use on."""
GRACE_S = 10
TOKEN_BYTES = 32
DEVICE_CHARACTERS_MAX = 200

_OPEN = text("""
  INSERT INTO sessions (id, account_id, device, expires_at)
  VALUES (:id, :account_id, :device, clock_timestamp() + make_interval(secs => :lifetime_s))
  RETURNING created_at""")
_GIVE = text("INSERT INTO refresh_tokens (token_hash, session_id) VALUES (:token_hash, :session_id)")
# the session's row is the lock: two that come with the same token are served one after the other
_FIND = text("""
  SELECT session_id, account_id, spent_at, successor_salt, clock_timestamp() AS now,
    clock_timestamp() - spent_at <= make_interval(secs => :grace_s) AS in_grace,
    ended_at IS NULL AND expires_at > clock_timestamp() AS is_live
  FROM sessions JOIN refresh_tokens ON session_id = sessions.id WHERE token_hash = :token_hash
  FOR UPDATE OF sessions""")
_SPENT = text("SELECT spent_at, successor_salt FROM refresh_tokens WHERE token_hash = :token_hash")
_SPEND = text("""
  UPDATE refresh_tokens SET spent_at = clock_timestamp(), successor_salt = :salt WHERE token_hash = :token_hash""")
_PROLONG = text("""
  UPDATE sessions SET used_at = clock_timestamp(),
    expires_at = clock_timestamp() + make_interval(secs => :lifetime_s) WHERE id = :id""")
_END = text("""
  UPDATE sessions SET ended_at = clock_timestamp(), ended_because = :because
  WHERE account_id = :account_id AND (CAST(:id AS uuid) IS NULL OR id = :id) AND ended_at IS NULL RETURNING id""")
_REVOKE = text("""
  INSERT INTO revocations (subject, issued_before)
  SELECT subject, clock_timestamp() FROM unnest(CAST(:subjects AS uuid[])) AS subject
  ON CONFLICT (subject) DO UPDATE SET issued_before = EXCLUDED.issued_before, at = clock_timestamp()""")


class Ending(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - why it ended
    DELETED = "deleted"
    SUSPENDED = "suspended"


class Session(NamedTuple):
    """A session at work: who it is of, the refresh token to give out, and the database's time."""

    id: UUID
    account: Account
    refresh_token: str
    now: datetime


async def open_session(connection: AsyncConnection, account: Account, device: str | None) -> Session:
    """A new session with its first refresh token."""
    session_id, token = new_id(), _text(secrets.token_bytes(TOKEN_BYTES))
    opening = {"id": session_id, "account_id": account.id, "device": device, "lifetime_s": LIFETIME_S}
    now = (await connection.execute(_OPEN, opening)).scalar_one()
    await connection.execute(_GIVE, {"token_hash": _hash(token), "session_id": session_id})
    return Session(session_id, account, token, now)


async def refresh(connection: AsyncConnection, token: str) -> Session | None:
    """The session of a refresh token, with the token's successor; None where the token is of no use.

    Commit in either case: a spent token that comes again has ended its session.
    """
    asked = {"token_hash": _hash(token), "grace_s": GRACE_S}
    found = (await connection.execute(_FIND, asked)).one_or_none()
    if found is None or not found.is_live:
        return None
    # as it is now that the session is locked: whoever came first may just have spent it
    spent_at, salt = (await connection.execute(_SPENT, asked)).one()
    if spent_at is None:
        salt = secrets.token_bytes(TOKEN_BYTES)
        successor = _successor(token, salt)
        await connection.execute(_SPEND, {"token_hash": asked["token_hash"], "salt": salt})
        await connection.execute(_GIVE, {"token_hash": _hash(successor), "session_id": found.session_id})
        await connection.execute(_PROLONG, {"id": found.session_id, "lifetime_s": LIFETIME_S})
    elif found.spent_at is None or found.in_grace:
        successor = _successor(token, salt)
    else:
        await end_sessions(connection, found.account_id, Ending.TOKEN_REUSED, found.session_id)
        return None
    account = await find_account(connection, found.account_id)
    return None if account is None else Session(found.session_id, account, successor, found.now)


async def end_sessions(
    connection: AsyncConnection, account_id: UUID, because: Ending, session_id: UUID | None = None
) -> list[UUID]:
    """End one session of an account, or all; their access tokens count no more, nor do those of no session."""
    ending = {"account_id": account_id, "because": because, "id": session_id}
    ended = list((await connection.execute(_END, ending)).scalars())
    await revoke(connection, ended if session_id is not None else [account_id])
    return ended


async def revoke(connection: AsyncConnection, subjects: list[UUID]) -> None:
    """Let access tokens count no more that these sessions or accounts were given before now."""
    if subjects:
        await connection.execute(_REVOKE, {"subjects": subjects})


def _successor(token: str, salt: bytes) -> str:
    return _text(hmac.digest(token.encode(), salt, hashlib.sha256))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _text(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()
