"""For whom an account works, as its access tokens say it."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.errors import TooManyMerchants
from domain.identity.permissions import StaffRole, Standing
from infra.tokens import EMPLOYMENTS_MAX, Employed

_OF_ACCOUNT = text(f"""
  SELECT merchant_id, role, merchants.status FROM staff JOIN merchants ON merchants.id = staff.merchant_id
  WHERE account_id = :account_id ORDER BY staff.created_at, merchant_id LIMIT {EMPLOYMENTS_MAX}""")  # noqa: S608 - a constant
_COUNT = text("SELECT count(*) FROM staff WHERE account_id = :account_id")
_EMPLOY = text("""
  INSERT INTO staff (merchant_id, account_id, role) VALUES (:merchant_id, :account_id, :role)""")


async def employments_of(connection: AsyncConnection, account_id: UUID) -> list[Employed]:
    """The merchants an account works for, those it came to first first."""
    rows = await connection.execute(_OF_ACCOUNT, {"account_id": account_id})
    return [Employed(merchant_id, StaffRole(role), Standing(status)) for merchant_id, role, status in rows]


async def check_room_for(connection: AsyncConnection, account_id: UUID) -> None:
    """Raises `TooManyMerchants` where a locked account cannot work for one more: no token could say it."""
    if (await connection.execute(_COUNT, {"account_id": account_id})).scalar_one() >= EMPLOYMENTS_MAX:
        raise TooManyMerchants(EMPLOYMENTS_MAX)


async def employ(connection: AsyncConnection, merchant_id: UUID, account_id: UUID, role: StaffRole) -> None:
    """Somebody works for a merchant from now on."""
    await connection.execute(_EMPLOY, {"merchant_id": merchant_id, "account_id": account_id, "role": role})
