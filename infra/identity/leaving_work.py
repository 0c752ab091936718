"""Somebody whose account ends works nowhere any more; what they applied for and nobody else owns is withdrawn.

Nobody works for a withdrawn application: without an owner there is nobody who could bring it back.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.permissions import Standing
from infra.identity.api_keys import revoke_all_keys
from infra.identity.audit import Deed, Thing, ThingKind, record
from infra.identity.revocations import Revoked, revoke
from infra.identity.staff import withdraw_all

_LOCK_EMPLOYERS = text("""
  SELECT id FROM merchants WHERE id IN (
    SELECT merchant_id FROM staff JOIN accounts ON accounts.id = account_id
    WHERE accounts.id = :account_id OR merged_into = :account_id)
  ORDER BY id FOR UPDATE""")
# all at once, in the order of ids: the tokens of those who lose their work with an application end
_LOCK_PEOPLE = text("""
  SELECT FROM accounts WHERE id = :account_id OR id IN (
    SELECT account_id FROM staff JOIN merchants ON merchants.id = merchant_id
    WHERE merchant_id = ANY(CAST(:employers AS uuid[])) AND status IN ('applied', 'refused'))
  ORDER BY id FOR NO KEY UPDATE""")
_OTHER_EMPLOYERS = text("""
  SELECT EXISTS (SELECT FROM staff
    WHERE account_id = ANY(CAST(:ids AS uuid[])) AND merchant_id <> ALL(CAST(:employers AS uuid[])))""")
_WITHDRAW = text("""
  UPDATE merchants SET name = '', contact = '', about = '', status = 'refused', version = version + 1,
    status_reason = 'The applicant has gone.', decided_at = coalesce(decided_at, clock_timestamp())
  WHERE status IN ('applied', 'refused') AND id = ANY(CAST(:employers AS uuid[]))
    AND NOT EXISTS (SELECT FROM staff
      WHERE merchant_id = merchants.id AND role = 'owner' AND account_id <> ALL(CAST(:ids AS uuid[])))
  RETURNING id""")
_LEAVE = text("""
  DELETE FROM staff WHERE account_id = ANY(CAST(:ids AS uuid[])) OR merchant_id = ANY(CAST(:withdrawn AS uuid[]))
  RETURNING merchant_id, account_id, role""")
_FORGET_INVITES = text("""
  UPDATE staff_invites SET address = '', ended_at = coalesce(ended_at, clock_timestamp())
  WHERE id IN (
    SELECT id FROM staff_invites WHERE accepted_by = ANY(CAST(:ids AS uuid[]))
    UNION
    SELECT id FROM staff_invites JOIN identities ON provider = channel AND subject = address
    WHERE account_id = ANY(CAST(:ids AS uuid[])))""")


async def lock_employers(connection: AsyncConnection, account_id: UUID) -> list[UUID]:
    """The merchants somebody works for: nothing of their staff changes any more until the transaction ends.

    Then the account, with those who work for applications of theirs.
    """
    employers = list((await connection.execute(_LOCK_EMPLOYERS, {"account_id": account_id})).scalars())
    await connection.execute(_LOCK_PEOPLE, {"account_id": account_id, "employers": employers})
    return employers


async def has_others(connection: AsyncConnection, ids: Sequence[UUID], employers: Sequence[UUID]) -> bool:
    """Whether somebody has come to work for a merchant that was not locked."""
    asked = {"ids": list(ids), "employers": list(employers)}
    return bool((await connection.execute(_OTHER_EMPLOYERS, asked)).scalar_one())


async def leave_work(
    connection: AsyncConnection, ids: Sequence[UUID], employers: Sequence[UUID], deed: Deed
) -> Revoked:
    """Leave locked merchants, which they find in their audit log; applications nobody else owns are withdrawn.

    Answers what is for `Revocations.learn`, once it is committed.
    """
    own = {"ids": list(ids), "employers": list(employers)}
    await connection.execute(_FORGET_INVITES, own)
    withdrawn = list((await connection.execute(_WITHDRAW, own)).scalars())
    revoked = await _withdraw(connection, withdrawn, deed) if withdrawn else {}
    left = (await connection.execute(_LEAVE, own | {"withdrawn": withdrawn})).all()
    for merchant_id, account_id, role in left:
        done = deed if account_id in ids else deed._replace(action="staff.remove")
        await record(connection, done, Thing(ThingKind.STAFF, account_id, merchant_id), {"role": role}, None)
    others = {one.account_id for one in left}.difference(ids)
    return {**revoked, **await revoke(connection, others)}


async def _withdraw(connection: AsyncConnection, merchant_ids: Sequence[UUID], deed: Deed) -> Revoked:
    """Nobody speaks for a withdrawn application any more, and nobody comes to work for it."""
    revoked: dict[UUID, float] = {}
    for key in await revoke_all_keys(connection, merchant_ids):
        thing = Thing(ThingKind.API_KEY, key.id, key.merchant_id)
        await record(connection, deed._replace(action="api_key.revoke"), thing, {"prefix": key.prefix}, None)
        revoked |= key.revoked
    for invite in await withdraw_all(connection, merchant_ids):
        thing = Thing(ThingKind.STAFF_INVITE, invite.id, invite.merchant_id)
        await record(connection, deed._replace(action="staff.withdraw"), thing, {"role": invite.role}, None)
    for merchant_id in merchant_ids:
        thing = Thing(ThingKind.MERCHANT, merchant_id, merchant_id)
        facts = {"standing": Standing.REFUSED}
        await record(connection, deed._replace(action="merchant.withdraw"), thing, None, facts)
    return revoked
