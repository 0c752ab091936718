"""Sessions: a sign-in on one device, kept alive by refresh tokens; one that is stolen ends the session it is of.

Whoever issues tokens holds the account's row, as does whoever makes tokens of before count no more: one comes wholly
before the other. Locks are taken in one order, the account's before those of its sessions.
"""

from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.identity.accounts import Account, find_account, hold_account
from infra.identity.refresh_tokens import Refused, hash_of, new_token, spend
from infra.identity.revocations import Revoked, revoke
from infra.ids import new_id
from infra.tokens import Claims
from infra.unavailable import Overloaded

LIFETIME_S: Final = 90 * 24 * 3600
"""From the last use on."""
LIFETIME_MAX_S: Final = 365 * 24 * 3600
"""From the sign-in on, however much it is used."""
LIVE_MAX: Final = 50
"""For each account; beyond them the one that was used longest ago ends."""
DEVICE_CHARACTERS_MAX: Final = 200

_OPEN: Final = text("""
  WITH opened AS (
    INSERT INTO sessions (id, account_id, device, expires_at)
    VALUES (:id, :account_id, :device, clock_timestamp() + make_interval(secs => :lifetime_s))
    RETURNING id, created_at
  ), given AS (
    INSERT INTO refresh_tokens (token_hash, session_id) SELECT :token_hash, id FROM opened
  ), crowded_out AS (
    UPDATE sessions SET ended_at = clock_timestamp(), ended_because = 'crowded_out'
    WHERE id = ANY(ARRAY(
      SELECT id FROM sessions WHERE account_id = :account_id AND ended_at IS NULL AND expires_at > clock_timestamp()
      ORDER BY used_at DESC, id DESC OFFSET :others_max))
    RETURNING id
  )
  SELECT created_at, ARRAY(SELECT id FROM crowded_out) FROM opened""")
_FIND: Final = text("""
  WITH asked AS MATERIALIZED (
    SELECT session_id, account_id FROM refresh_tokens JOIN sessions ON sessions.id = session_id
    WHERE token_hash = :token_hash
  ), account AS MATERIALIZED (
    SELECT accounts.id, session_id FROM asked JOIN accounts ON accounts.id = account_id FOR SHARE OF accounts
  ), session AS MATERIALIZED (
    SELECT sessions.id, device, ended_at, expires_at FROM account JOIN sessions ON sessions.id = account.session_id
    FOR UPDATE OF sessions
  )
  SELECT account.id AS account_id, session.id, device, ended_at IS NULL AND expires_at > clock_timestamp() AS is_live
  FROM account, session""")
_PROLONG: Final = text("""
  UPDATE sessions SET used_at = clock_timestamp(), expires_at = least(
    clock_timestamp() + make_interval(secs => :lifetime_s), created_at + make_interval(secs => :lifetime_max_s))
  WHERE id = :id""")
_END: Final = text("""
  UPDATE sessions SET ended_at = clock_timestamp(), ended_because = :because
  WHERE account_id = :account_id AND (CAST(:id AS uuid) IS NULL OR id = :id) AND ended_at IS NULL RETURNING id""")

_END_OTHERS: Final = text("""
  UPDATE sessions SET ended_at = clock_timestamp(), ended_because = :because
  WHERE account_id = :account_id AND id IS DISTINCT FROM CAST(:kept AS uuid) AND ended_at IS NULL RETURNING id""")


BROWSER: Final = "Web"
"""The device of sessions that pages open, as the list of sessions shows it."""


class Ending(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - why it ended
    CROWDED_OUT = "crowded_out"
    MERGED = "merged"
    DELETED = "deleted"
    IDENTITY_CHANGED = "identity_changed"


_FINAL: Final = frozenset({Ending.SIGNED_OUT_EVERYWHERE, Ending.DELETED})


class Session(NamedTuple):
    """A session at work: who it is of, the refresh token to give out, and the database's time.

    `revoked` is to be learned once all is committed.
    """

    id: UUID
    account: Account
    refresh_token: str
    now: datetime
    revoked: Revoked


class Ended(NamedTuple):
    """Sessions that ended just now; `revoked` is to be learned once that is committed."""

    session_ids: list[UUID]
    revoked: Revoked


NOTHING_ENDED: Final = Ended([], MappingProxyType({}))


async def open_session(connection: AsyncConnection, account: Account, device: str | None) -> Session:
    """A new session with its first refresh token.

    Raises `Overloaded` where the account was deleted a moment ago: all that was done for it must be undone.
    """
    if await hold_account(connection, account.id) is None:
        raise Overloaded
    session_id, token = new_id(), new_token()
    opening = {"id": session_id, "account_id": account.id, "device": device, "token_hash": hash_of(token)}
    bounds = {"lifetime_s": LIFETIME_S, "others_max": LIVE_MAX - 1}
    now, crowded_out = (await connection.execute(_OPEN, opening | bounds)).one()
    return Session(session_id, account, token, now, await revoke(connection, crowded_out))


async def refresh(connection: AsyncConnection, token: str, *, is_browsers: bool = False) -> Session | Ended:
    """The session of a refresh token, with the token's successor; where it is of no use, what that has ended.

    `is_browsers`: it came in a cookie, which spares none but a session that a page has opened. Commit in either case: a
    spent token that comes again has ended its session.
    """
    found = (await connection.execute(_FIND, {"token_hash": hash_of(token)})).one_or_none()
    if found is None or not found.is_live:
        return NOTHING_ENDED
    account = await find_account(connection, found.account_id)
    if account is None:
        return NOTHING_ENDED
    judged = await spend(connection, token, is_browsers=is_browsers and found.device == BROWSER)
    if isinstance(judged, Refused):
        if not judged.is_theft:
            return NOTHING_ENDED
        return await end_sessions(connection, account.id, Ending.TOKEN_REUSED, found.id)
    if judged.is_new:
        lifetimes = {"lifetime_s": LIFETIME_S, "lifetime_max_s": LIFETIME_MAX_S}
        await connection.execute(_PROLONG, {"id": found.id, **lifetimes})
    return Session(found.id, account, judged.token, judged.now, {})


async def end_sessions(
    connection: AsyncConnection,
    account_id: UUID,
    because: Ending,
    session_id: UUID | None = None,
    *,
    asked_with: Claims | None = None,
) -> Ended:
    """End one session of an account, or all; their access tokens count no more.

    With all of them end the tokens that name the account but no session that was opened, as from the command line.
    `asked_with` is the access token of whoever asks, where it is one of them.
    """
    if session_id is None:
        await hold_account(connection, account_id)
    ended = await _end(connection, account_id, because, session_id)
    subjects, is_final = (ended, False) if session_id is not None else ([account_id], because in _FINAL)
    return Ended(ended, await revoke(connection, subjects, asked_with, is_final=is_final))


async def end_others(connection: AsyncConnection, account_id: UUID, because: Ending, kept: UUID | None) -> Ended:
    """End the sessions of an account, which is locked, but one."""
    ending = {"account_id": account_id, "because": because, "kept": kept}
    ended = list((await connection.execute(_END_OTHERS, ending)).scalars())
    return Ended(ended, await revoke(connection, ended))


async def sign_out(connection: AsyncConnection, caller: Claims) -> Revoked:
    """End the session of an access token; of one from the command line, which names its own, nothing but itself ends.

    One that was made before tokens named sessions ends with all of its subject's.
    """
    if caller.session_id is None:
        return await revoke(connection, [caller.subject], caller)
    await _end(connection, caller.subject, Ending.SIGNED_OUT, caller.session_id)
    return await revoke(connection, [caller.session_id], caller)


async def _end(connection: AsyncConnection, account_id: UUID, because: Ending, session_id: UUID | None) -> list[UUID]:
    ending = {"account_id": account_id, "because": because, "id": session_id}
    return list((await connection.execute(_END, ending)).scalars())
