"""Who works for a merchant: invited by phone or e-mail, given a role, removed; never without an owner.

Whoever changes the staff has the merchant's row locked, so two owners who remove each other come one after the other;
where an account is locked too it is locked after it.
Whose employment changed has to fetch a new access token: the ones from before count no more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.errors import StaffInviteNotFound, StaffNotFound, TooManyStaff, TooManyStaffInvites
from domain.identity.merchant import INVITE_LIFETIME_S, INVITES_A_DAY_MAX, STAFF_MAX, check_owners
from domain.identity.permissions import StaffRole
from infra.identity.accounts import hold_account
from infra.identity.codes import Recipient
from infra.identity.employments import check_room_for, employ
from infra.identity.merchants import lock_merchant
from infra.identity.revocations import Revoked, revoke
from infra.ids import new_id

_INVITED_LATELY = text("""
  SELECT count(*) FROM staff_invites
  WHERE merchant_id = :merchant_id AND created_at > clock_timestamp() - interval '1 day'""")
_REPLACE = text("""
  UPDATE staff_invites SET ended_at = clock_timestamp()
  WHERE merchant_id = :merchant_id AND channel = :channel AND address = :address AND ended_at IS NULL""")
_INVITE = text("""
  INSERT INTO staff_invites (id, merchant_id, channel, address, role, invited_by, expires_at)
  VALUES (:id, :merchant_id, :channel, :address, :role, :invited_by,
    clock_timestamp() + make_interval(secs => :lifetime_s))
  RETURNING created_at, expires_at""")
_WITHDRAW = text("""
  UPDATE staff_invites SET ended_at = clock_timestamp()
  WHERE id = :id AND merchant_id = :merchant_id AND ended_at IS NULL
  RETURNING role""")
_WITHDRAW_ALL = text("""
  UPDATE staff_invites SET address = '', ended_at = clock_timestamp()
  WHERE merchant_id = ANY(CAST(:merchant_ids AS uuid[])) AND ended_at IS NULL RETURNING merchant_id, id, role""")
# an account's number or address is a proof of it only in the identities of that account
_FIND = text("""
  SELECT merchant_id, role, accepted_by IS NOT NULL AS is_accepted FROM staff_invites
  WHERE id = :id AND (accepted_by = :account_id OR (ended_at IS NULL AND expires_at > clock_timestamp() AND EXISTS (
    SELECT FROM identities WHERE account_id = :account_id AND provider = channel AND subject = address)))""")
_ACCEPT = text("""
  UPDATE staff_invites SET ended_at = clock_timestamp(), accepted_by = :account_id
  WHERE id = :id AND ended_at IS NULL RETURNING role""")
_ROLE = text("SELECT role FROM staff WHERE merchant_id = :merchant_id AND account_id = :account_id")
_COUNT = text("""
  SELECT count(*) AS people, count(*) FILTER (WHERE role = 'owner') AS owners FROM staff
  WHERE merchant_id = :merchant_id""")
_SET_ROLE = text("UPDATE staff SET role = :role WHERE merchant_id = :merchant_id AND account_id = :account_id")
_REMOVE = text("DELETE FROM staff WHERE merchant_id = :merchant_id AND account_id = :account_id")


class StaffInvite(NamedTuple):
    """Somebody was asked to work for a merchant, known here or not."""

    id: UUID
    recipient: Recipient
    role: StaffRole
    created_at: datetime
    expires_at: datetime


class WithdrawnInvite(NamedTuple):
    """An invite that counts no more."""

    merchant_id: UUID
    id: UUID
    role: StaffRole


class StaffChange(NamedTuple):
    """What somebody is at a merchant's: before and now (None: nothing).

    `revoked` is for `Revocations.learn`, once it is committed.
    """

    merchant_id: UUID
    account_id: UUID
    before: StaffRole | None
    after: StaffRole | None
    revoked: Revoked


async def invite(
    connection: AsyncConnection, merchant_id: UUID, recipient: Recipient, role: StaffRole, invited_by: UUID
) -> StaffInvite:
    """Ask somebody to join a merchant, locked by the caller; a new invite takes the place of the one before.

    Raises `TooManyStaffInvites`.
    """
    asked = {"merchant_id": merchant_id, "channel": recipient.channel, "address": recipient.address}
    if (await connection.execute(_INVITED_LATELY, asked)).scalar_one() >= INVITES_A_DAY_MAX:
        raise TooManyStaffInvites(INVITES_A_DAY_MAX)
    await connection.execute(_REPLACE, asked)
    invite_id = new_id()
    values = {"id": invite_id, "role": role, "invited_by": invited_by, "lifetime_s": INVITE_LIFETIME_S}
    created_at, expires_at = (await connection.execute(_INVITE, asked | values)).one()
    return StaffInvite(invite_id, recipient, role, created_at, expires_at)


async def withdraw(connection: AsyncConnection, merchant_id: UUID, invite_id: UUID) -> StaffRole:
    """Let an open invite of a merchant's, locked by the caller, count no more; the role it was for.

    Raises `StaffInviteNotFound`.
    """
    asked = {"merchant_id": merchant_id, "id": invite_id}
    role = (await connection.execute(_WITHDRAW, asked)).scalar_one_or_none()
    if role is None:
        raise StaffInviteNotFound(invite_id)
    return StaffRole(role)


async def withdraw_all(connection: AsyncConnection, merchant_ids: Sequence[UUID]) -> list[WithdrawnInvite]:
    """Let no open invite of merchants count any more, and forget where they went."""
    rows = await connection.execute(_WITHDRAW_ALL, {"merchant_ids": list(merchant_ids)})
    return [WithdrawnInvite(merchant_id, invite_id, StaffRole(role)) for merchant_id, invite_id, role in rows]


async def accept(connection: AsyncConnection, invite_id: UUID, account_id: UUID) -> StaffChange:
    """Take up an invite to one's own number or address.

    Whoever works there already keeps their role: an invite is no way to lose an owner. Accepting again changes nothing.
    Raises `StaffInviteNotFound`, `TooManyStaff` or `TooManyMerchants`.
    """
    asked = {"id": invite_id, "account_id": account_id}
    found = (await connection.execute(_FIND, asked)).one_or_none()
    if found is None:
        raise StaffInviteNotFound(invite_id)
    merchant_id = found.merchant_id
    await lock_merchant(connection, merchant_id)
    if await hold_account(connection, account_id) is None:
        raise StaffInviteNotFound(invite_id)
    before = await _role(connection, merchant_id, account_id)
    if found.is_accepted and before is not None:
        return StaffChange(merchant_id, account_id, before, before, {})
    # withdrawn or replaced while we waited, or accepted and then removed: no way back in
    role = (await connection.execute(_ACCEPT, asked)).scalar_one_or_none()
    if role is None:
        raise StaffInviteNotFound(invite_id)
    if before is not None:
        return StaffChange(merchant_id, account_id, before, before, {})
    if (await connection.execute(_COUNT, {"merchant_id": merchant_id})).one().people >= STAFF_MAX:
        raise TooManyStaff(STAFF_MAX)
    await check_room_for(connection, account_id)
    await employ(connection, merchant_id, account_id, StaffRole(role))
    return StaffChange(merchant_id, account_id, None, StaffRole(role), await revoke(connection, [account_id]))


async def change_role(connection: AsyncConnection, merchant_id: UUID, account_id: UUID, role: StaffRole) -> StaffChange:
    """Give somebody another role; the same again changes nothing. Raises `StaffNotFound` or `LastOwner`."""
    return await _change(connection, merchant_id, account_id, role)


async def remove(connection: AsyncConnection, merchant_id: UUID, account_id: UUID) -> StaffChange:
    """Let somebody work there no more; keys they made are the merchant's. Raises `StaffNotFound` or `LastOwner`."""
    return await _change(connection, merchant_id, account_id, None)


async def _change(
    connection: AsyncConnection, merchant_id: UUID, account_id: UUID, role: StaffRole | None
) -> StaffChange:
    """Change what somebody is at a merchant's, which the caller has locked."""
    before = await _role(connection, merchant_id, account_id)
    if before is None:
        raise StaffNotFound(account_id)
    if before is role:
        return StaffChange(merchant_id, account_id, before, role, {})
    of_whom = {"merchant_id": merchant_id, "account_id": account_id}
    check_owners((await connection.execute(_COUNT, of_whom)).one().owners, before, role)
    await connection.execute(_REMOVE if role is None else _SET_ROLE, of_whom | {"role": role})
    return StaffChange(merchant_id, account_id, before, role, await revoke(connection, [account_id]))


async def _role(connection: AsyncConnection, merchant_id: UUID, account_id: UUID) -> StaffRole | None:
    asked = {"merchant_id": merchant_id, "account_id": account_id}
    role = (await connection.execute(_ROLE, asked)).scalar_one_or_none()
    return None if role is None else StaffRole(role)
