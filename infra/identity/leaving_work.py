"""Somebody whose account ends works nowhere any more; what they applied for and nobody else wants is withdrawn."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.identity.audit import Deed, Thing, ThingKind, record

# merchants before accounts, as wherever both are locked
_LOCK_EMPLOYERS = text("""
  SELECT id FROM merchants WHERE id IN (
    SELECT merchant_id FROM staff JOIN accounts ON accounts.id = account_id
    WHERE accounts.id = :account_id OR merged_into = :account_id)
  ORDER BY id FOR UPDATE""")
_OTHER_EMPLOYERS = text("""
  SELECT EXISTS (SELECT FROM staff
    WHERE account_id = ANY(CAST(:ids AS uuid[])) AND merchant_id <> ALL(CAST(:employers AS uuid[])))""")
_WITHDRAW = text("""
  UPDATE merchants SET contact = '', about = '', status = 'refused', status_reason = 'The applicant has gone.',
    decided_at = coalesce(decided_at, clock_timestamp()), version = version + 1
  WHERE status IN ('applied', 'refused') AND id = ANY(CAST(:employers AS uuid[]))
    AND NOT EXISTS (SELECT FROM staff
      WHERE merchant_id = merchants.id AND role = 'owner' AND account_id <> ALL(CAST(:ids AS uuid[])))
  RETURNING id""")
_LEAVE = text("""
  DELETE FROM staff WHERE account_id = ANY(CAST(:ids AS uuid[])) RETURNING merchant_id, account_id, role""")
_FORGET_INVITES = text("""
  UPDATE staff_invites SET address = '', ended_at = coalesce(ended_at, clock_timestamp())
  WHERE id IN (
    SELECT id FROM staff_invites WHERE accepted_by = ANY(CAST(:ids AS uuid[]))
    UNION
    SELECT id FROM staff_invites JOIN identities ON provider = channel AND subject = address
    WHERE account_id = ANY(CAST(:ids AS uuid[])))""")


async def lock_employers(connection: AsyncConnection, account_id: UUID) -> list[UUID]:
    """The merchants somebody works for: nothing of their staff changes any more until the transaction ends."""
    return list((await connection.execute(_LOCK_EMPLOYERS, {"account_id": account_id})).scalars())


async def has_others(connection: AsyncConnection, ids: Sequence[UUID], employers: Sequence[UUID]) -> bool:
    """Whether somebody has come to work for a merchant that was not locked."""
    asked = {"ids": list(ids), "employers": list(employers)}
    return bool((await connection.execute(_OTHER_EMPLOYERS, asked)).scalar_one())


async def leave_work(connection: AsyncConnection, ids: Sequence[UUID], employers: Sequence[UUID], deed: Deed) -> None:
    """Leave locked merchants, which they find in their audit log; applications nobody else owns are withdrawn."""
    own = {"ids": list(ids), "employers": list(employers)}
    await connection.execute(_FORGET_INVITES, own)
    for merchant_id in (await connection.execute(_WITHDRAW, own)).scalars():
        withdrawing = deed._replace(action="merchant.withdraw")
        thing = Thing(ThingKind.MERCHANT, merchant_id, merchant_id)
        await record(connection, withdrawing, thing, None, {"status": "refused"})
    for merchant_id, account_id, role in (await connection.execute(_LEAVE, own)).all():
        thing = Thing(ThingKind.STAFF, account_id, merchant_id)
        await record(connection, deed, thing, {"role": role}, None)
