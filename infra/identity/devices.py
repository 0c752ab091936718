"""Devices to push to. A push token belongs to whoever registered it last: phones are lent, sold and signed in anew."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.ids import new_id

DEVICES_MAX = 20
PUSH_TOKEN_CHARACTERS_MAX = 2_000
"""An index of PostgreSQL holds values up to 2,704 bytes."""

# one that moves gets another id: the one it had is known to whom it belonged
_REGISTER = text("""
  INSERT INTO devices AS known (account_id, id, platform, push_token)
  VALUES (:account_id, :id, :platform, :push_token)
  ON CONFLICT (platform, push_token) DO UPDATE SET account_id = EXCLUDED.account_id, seen_at = clock_timestamp(),
    id = CASE WHEN known.account_id = EXCLUDED.account_id THEN known.id ELSE EXCLUDED.id END
  RETURNING id""")
_MAKE_ROOM = text("""
  DELETE FROM devices WHERE account_id = :account_id AND id IN (
    SELECT id FROM devices WHERE account_id = :account_id ORDER BY seen_at DESC, id DESC OFFSET :devices_max)""")
_MOVE = text("UPDATE devices SET account_id = :into WHERE account_id = :guest_id")
_REMOVE = text("DELETE FROM devices WHERE account_id = :account_id AND id = :id RETURNING 1")


async def register_device(
    connection: AsyncConnection, account_id: UUID, platform: str, push_token: str
) -> tuple[UUID, bool]:
    """The id of a device, and whether it is new to the account, which must be locked.

    Of more than 20 the one seen longest ago makes room: apps get new tokens all the time and tidy up none.
    """
    wanted_id = new_id()
    values = {"account_id": account_id, "id": wanted_id, "platform": platform, "push_token": push_token}
    device_id: UUID = (await connection.execute(_REGISTER, values)).scalar_one()
    await connection.execute(_MAKE_ROOM, {"account_id": account_id, "devices_max": DEVICES_MAX})
    return device_id, device_id == wanted_id


async def move_devices(connection: AsyncConnection, guest_id: UUID, into: UUID) -> None:
    """Give a guest's devices to the account they turned out to be; both are locked. No more than 20 stay, as always."""
    await connection.execute(_MOVE, {"guest_id": guest_id, "into": into})
    await connection.execute(_MAKE_ROOM, {"account_id": into, "devices_max": DEVICES_MAX})


async def remove_device(connection: AsyncConnection, account_id: UUID, device_id: UUID) -> bool:
    """Whether the account had this device."""
    values = {"account_id": account_id, "id": device_id}
    return (await connection.execute(_REMOVE, values)).scalar_one_or_none() is not None
