"""What whoever asks may do at this moment: a token says what was true when it was issued.

Asked under the lock of what is decided about, as staff come, go and change only with their merchant's row locked, and
administrators with their account's: who waited for the lock while the right was taken away has it no more.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.permissions import STAFF_MAY, Permission, StaffRole
from infra.identity.audit import Actor, ActorKind

_ROLE = text("SELECT role FROM staff WHERE merchant_id = :merchant_id AND account_id = :id")
_SCOPES = text("""
  SELECT scopes FROM api_keys WHERE merchant_id = :merchant_id AND id = :id AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > clock_timestamp())""")
# with those whose tokens a decision ends: all accounts in one order
_LOCK = text("""
  SELECT id, is_admin FROM accounts
  WHERE id = :id OR id IN (SELECT account_id FROM staff WHERE merchant_id = CAST(:merchant_id AS uuid))
  ORDER BY id FOR NO KEY UPDATE""")


async def permissions_of(connection: AsyncConnection, actor: Actor, merchant_id: UUID) -> frozenset[Permission]:
    """What somebody, or a key, may do at a merchant's who is locked; an operator may do everything."""
    asked = {"merchant_id": merchant_id, "id": actor.id}
    if actor.kind is ActorKind.OPERATOR:
        return frozenset(Permission)
    if actor.kind is ActorKind.API_KEY:
        return frozenset(map(Permission, (await connection.execute(_SCOPES, asked)).scalar_one_or_none() or ()))
    role = (await connection.execute(_ROLE, asked)).scalar_one_or_none()
    return frozenset() if role is None else STAFF_MAY[StaffRole(role)]


async def is_administrator(connection: AsyncConnection, actor: Actor, merchant_id: UUID | None = None) -> bool:
    """Whether somebody is an administrator, which stays so until the transaction ends.

    `merchant_id` names the merchant, locked before, whom a decision is about.
    """
    accounts = await connection.execute(_LOCK, {"id": actor.id, "merchant_id": merchant_id})
    return any(account.is_admin for account in accounts if account.id == actor.id)
