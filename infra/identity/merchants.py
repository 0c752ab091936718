"""Merchants: how somebody applies to be one, what they say of themselves, and where they stand."""

from dataclasses import asdict
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.errors import MerchantNotFound, StandingNotPossible
from domain.identity.merchant import Profile, check_standing
from domain.identity.permissions import StaffRole, Standing
from infra.identity.employments import check_room_for, employ
from infra.identity.revocations import Revoked, revoke
from infra.ids import new_id

_APPLIED_BEFORE = text("""
  SELECT merchants.id FROM staff JOIN merchants ON merchants.id = merchant_id
  WHERE account_id = :account_id AND role = 'owner' AND status = 'applied' AND name = :name LIMIT 1""")
_OPEN = text("""
  INSERT INTO merchants (id, name, contact, country, about, status)
  VALUES (:id, :name, :contact, :country, :about, 'applied')""")
_LOCK = text("""
  SELECT name, contact, country, about, status FROM merchants WHERE id = :id FOR UPDATE""")
_IS_OWNED = text("SELECT EXISTS (SELECT FROM staff WHERE merchant_id = :id AND role = 'owner')")
_CHANGE = text("""
  UPDATE merchants SET name = :name, contact = :contact, country = :country, about = :about, version = version + 1
  WHERE id = :id""")
_STAND = text("""
  UPDATE merchants SET status = :status, status_reason = :reason, decided_at = clock_timestamp(), version = version + 1,
    winding_down = :status = 'suspended'
  WHERE id = :id""")
_WHO_ACTS = text("""
  SELECT account_id FROM staff WHERE merchant_id = :id
  UNION ALL SELECT id FROM api_keys WHERE merchant_id = :id AND revoked_at IS NULL ORDER BY 1""")


class Merchant(NamedTuple):
    """A merchant whose row is locked: what it says of itself (of who has gone, nothing), and where it stands."""

    said: dict[str, Any]
    standing: Standing
    is_owned: bool

    @property
    def has_gone(self) -> bool:
        """Whoever applied has deleted their account, and nobody else owns it: for good, as nobody is left to invite.

        One who was approved has an owner always.
        """
        return not self.is_owned and self.standing in {Standing.APPLIED, Standing.REFUSED}


class Applied(NamedTuple):
    """An application; not a new one where the same was sent before."""

    merchant_id: UUID
    is_new: bool
    revoked: Revoked


class StandingChange(NamedTuple):
    """What a decision changed; `revoked` is for `Revocations.learn`, once it is committed."""

    before: Standing
    after: Standing
    revoked: Revoked


async def apply(connection: AsyncConnection, account_id: UUID, profile: Profile) -> Applied:
    """A new merchant who may not sell yet, owned by the account, which the caller has locked.

    Sent again before it is decided, it is the same application. Raises `TooManyMerchants`.
    """
    asked = {"account_id": account_id, "name": profile.name}
    known: UUID | None = (await connection.execute(_APPLIED_BEFORE, asked)).scalar_one_or_none()
    if known is not None:
        return Applied(known, is_new=False, revoked={})
    await check_room_for(connection, account_id)
    merchant_id = new_id()
    await connection.execute(_OPEN, {"id": merchant_id, **asdict(profile)})
    await employ(connection, merchant_id, account_id, StaffRole.OWNER)
    return Applied(merchant_id, is_new=True, revoked=await revoke(connection, [account_id]))


async def lock_merchant(connection: AsyncConnection, merchant_id: UUID) -> Merchant:
    """A merchant as it is; who changes anything of it or its staff waits. Raises `MerchantNotFound`.

    What a request asks for begins with `api.rights.lock_for`, which looks again whether it may.
    """
    row = (await connection.execute(_LOCK, {"id": merchant_id})).one_or_none()
    if row is None:
        raise MerchantNotFound(merchant_id)
    said = {"name": row.name, "contact": row.contact, "country": row.country, "about": row.about}
    # a statement of its own: it sees whatever was committed while the one before waited
    is_owned = bool((await connection.execute(_IS_OWNED, {"id": merchant_id})).scalar_one())
    return Merchant(said, Standing(row.status), is_owned)


async def change_profile(connection: AsyncConnection, merchant_id: UUID, profile: Profile) -> None:
    """Let a locked merchant say something else of itself."""
    await connection.execute(_CHANGE, {"id": merchant_id, **asdict(profile)})


async def set_standing(
    connection: AsyncConnection, merchant_id: UUID, standing: Standing, reason: str | None
) -> StandingChange:
    """Decide where a merchant stands; its staff's access tokens count no more, so that their apps fetch new ones.

    Deciding the same again changes nothing. Raises `MerchantNotFound` or `StandingNotPossible`.
    """
    merchant = await lock_merchant(connection, merchant_id)
    before = merchant.standing
    if before is standing:
        return StandingChange(before, standing, {})
    if merchant.has_gone:
        raise StandingNotPossible(before, standing)
    check_standing(before, standing)
    await connection.execute(_STAND, {"id": merchant_id, "status": standing, "reason": reason})
    acting = list((await connection.execute(_WHO_ACTS, {"id": merchant_id})).scalars())
    return StandingChange(before, standing, await revoke(connection, acting))
