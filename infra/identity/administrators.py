"""Administrators of the platform: made and unmade on the machine itself, and signing in by code as everyone does.

One who deletes their account is one no more, the last one too: whoever has the machine makes another.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.identity.accounts import Proof
from infra.identity.audit import Actor, ActorKind, Deed, Thing, ThingKind, record
from infra.identity.linking import account_for
from infra.identity.revocations import revoke

_OPERATOR = Actor(ActorKind.OPERATOR)
_SET = text("""
  UPDATE accounts SET is_admin = :is_admin, version = version + 1 WHERE id = :id AND is_admin <> :is_admin""")
_LEAVE = text("""
  UPDATE accounts SET is_admin = false WHERE id = ANY(CAST(:ids AS uuid[])) AND is_admin RETURNING id""")
_FIND = text("SELECT account_id FROM identities WHERE provider = :provider AND subject = :subject")
_LIST = text("""
  SELECT id, display_name, created_at, coalesce(proofs, '{}') AS proofs
  FROM accounts LEFT JOIN (
    SELECT account_id, array_agg(subject ORDER BY created_at, subject) AS proofs FROM identities
    WHERE provider IN ('phone', 'email') GROUP BY account_id) AS proven ON account_id = id
  WHERE is_admin ORDER BY created_at, id""")


class Changed(NamedTuple):
    """An account, and whether anything about it is different now."""

    account_id: UUID
    is_changed: bool


class Administrator(NamedTuple):
    """An administrator, with the phone numbers and addresses they sign in with."""

    account_id: UUID
    display_name: str | None
    proofs: Sequence[str]


async def make_administrator(engine: AsyncEngine, proof: Proof) -> Changed:
    """Let whoever signs in with this be an administrator, known here or not."""
    async with engine.begin() as connection:
        found = await account_for(connection, (proof,))
        return await _set(connection, found.account.id, is_admin=True)


async def remove_administrator(engine: AsyncEngine, who: Proof | UUID) -> Changed | None:
    """Let somebody be an administrator no more, from this moment on; None where there is no such account."""
    async with engine.begin() as connection:
        account_id = who if isinstance(who, UUID) else await _find(connection, who)
        if account_id is None:
            return None
        return await _set(connection, account_id, is_admin=False)


async def list_administrators(engine: AsyncEngine) -> list[Administrator]:
    """Everybody who is one, the eldest account first."""
    async with engine.connect() as connection:
        rows = await connection.execute(_LIST)
        return [Administrator(row.id, row.display_name, row.proofs) for row in rows]


async def leave_administration(connection: AsyncConnection, ids: Sequence[UUID], request_id: str | None) -> None:
    """Let whoever of these is an administrator be none any more, as they asked; they are locked."""
    for account_id in (await connection.execute(_LEAVE, {"ids": list(ids)})).scalars().all():
        deed = Deed(Actor(ActorKind.ADMINISTRATOR, account_id), "administrator.leave", request_id)
        thing = Thing(ThingKind.ACCOUNT, account_id, None)
        await record(connection, deed, thing, {"is_admin": True}, {"is_admin": False})


async def _set(connection: AsyncConnection, account_id: UUID, *, is_admin: bool) -> Changed:
    """Tokens given out so far count no more, also long-lived ones of who was one: apps fetch new ones, which say it."""
    changed = (await connection.execute(_SET, {"id": account_id, "is_admin": is_admin})).rowcount
    if changed:
        deed = Deed(_OPERATOR, "administrator.make" if is_admin else "administrator.remove")
        thing = Thing(ThingKind.ACCOUNT, account_id, None)
        await record(connection, deed, thing, {"is_admin": not is_admin}, {"is_admin": is_admin})
        await revoke(connection, [account_id], is_final=not is_admin)
    return Changed(account_id, bool(changed))


async def _find(connection: AsyncConnection, proof: Proof) -> UUID | None:
    found: UUID | None = (await connection.execute(_FIND, proof._asdict())).scalar_one_or_none()
    return found
