"""What an account keeps here: the address book and the devices to push to."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.address import Address
from infra.reading.fetching import fetch_json

_ADDRESSES = text("""
  SELECT coalesce(json_agg(a), '[]')::text FROM (
    SELECT id, label, address, is_default, created_at FROM addresses
    WHERE account_id = :account_id ORDER BY is_default DESC, created_at, id) a""")
_ADDRESS = text("""
  SELECT coalesce(
    (SELECT address FROM addresses WHERE account_id = :account_id AND id = :id), 'null')::text""")
_DEVICES = text("""
  SELECT coalesce(json_agg(d), '[]')::text FROM (
    SELECT id, platform, push_token, seen_at FROM devices
    WHERE account_id = :account_id ORDER BY seen_at DESC, id) d""")


class AddressEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An address in the book; `is_default` is the one to suggest."""

    id: UUID
    label: str | None
    address: Address
    is_default: bool
    created_at: datetime


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A device to push to; `seen_at` is when it was registered last."""

    id: UUID
    platform: str
    push_token: str
    seen_at: datetime


_decode_addresses = msgspec.json.Decoder(list[AddressEntry]).decode
_decode_address = msgspec.json.Decoder(Address | None).decode
_decode_devices = msgspec.json.Decoder(list[DeviceView]).decode


async def list_addresses(engine: AsyncEngine, account_id: UUID) -> list[AddressEntry]:
    """The address book, the default first; raises `Unavailable`."""
    return _decode_addresses(await fetch_json(engine, _ADDRESSES, {"account_id": account_id}))


async def get_address(engine: AsyncEngine, account_id: UUID, address_id: UUID) -> Address | None:
    """An address out of the account's own book; raises `Unavailable`."""
    found: Address | None = _decode_address(
        await fetch_json(engine, _ADDRESS, {"account_id": account_id, "id": address_id})
    )
    return found


async def list_devices(engine: AsyncEngine, account_id: UUID) -> list[DeviceView]:
    """The devices to push to, the one seen last first; raises `Unavailable`."""
    return _decode_devices(await fetch_json(engine, _DEVICES, {"account_id": account_id}))
