"""A merchant as it is kept, and those who work for it."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.merchant import INVITES_A_DAY_MAX, STAFF_MAX
from domain.identity.permissions import StaffRole, Standing
from infra.reading.fetching import fetch_json

INVITES_SHOWN_MAX = 7 * INVITES_A_DAY_MAX
UNNAMED = "A merchant"
"""Anybody may apply under any name: only names the platform has approved are carried to strangers."""

_MERCHANT = text("""
  SELECT coalesce((SELECT json_build_object(
    'id', id, 'name', name, 'contact', contact, 'country', country, 'about', about, 'standing', status,
    'standing_reason', status_reason, 'applied_at', applied_at, 'decided_at', decided_at, 'version', version)
  FROM merchants WHERE id = :merchant_id), 'null')::text""")
_STAFF = text(f"""
  SELECT coalesce(json_agg(s), '[]')::text FROM (
    SELECT account_id, display_name, role, staff.created_at AS since_at
    FROM staff JOIN accounts ON accounts.id = account_id
    WHERE merchant_id = :merchant_id ORDER BY staff.created_at, account_id LIMIT {STAFF_MAX}) s""")  # noqa: S608 - a constant
_INVITES = text(f"""
  SELECT coalesce(json_agg(i), '[]')::text FROM (
    SELECT id, channel, address, role, created_at, expires_at FROM staff_invites
    WHERE merchant_id = :merchant_id AND ended_at IS NULL AND expires_at > clock_timestamp()
    ORDER BY created_at DESC, id LIMIT {INVITES_SHOWN_MAX}) i""")  # noqa: S608 - a constant
_MY_INVITES = text(f"""
  SELECT coalesce(json_agg(i), '[]')::text FROM (
    SELECT staff_invites.id, merchant_id, CASE WHEN status = 'approved' THEN name ELSE '{UNNAMED}' END AS merchant_name,
      role, staff_invites.created_at, expires_at
    FROM identities JOIN staff_invites ON channel = provider AND address = subject
    JOIN merchants ON merchants.id = merchant_id
    WHERE account_id = :account_id AND ended_at IS NULL AND expires_at > clock_timestamp()
    ORDER BY staff_invites.created_at DESC, staff_invites.id LIMIT {STAFF_MAX}) i""")  # noqa: S608 - a constant


class MerchantRow(msgspec.Struct, frozen=True, kw_only=True):
    """All there is of a merchant."""

    id: UUID
    name: str
    contact: str
    country: str | None
    about: str
    standing: Standing
    standing_reason: str | None
    applied_at: datetime
    decided_at: datetime | None
    version: int


class StaffView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works for the merchant."""

    account_id: UUID
    display_name: str | None
    role: StaffRole
    since_at: datetime


class InviteRow(msgspec.Struct, frozen=True, kw_only=True):
    """An open invite to the staff, as the merchant sees it."""

    id: UUID
    channel: str
    address: str
    role: StaffRole
    created_at: datetime
    expires_at: datetime


class MyStaffInvite(msgspec.Struct, frozen=True, kw_only=True):
    """An open invite to a merchant's staff, as who was invited sees it; named as soon as the platform approves it."""

    id: UUID
    merchant_id: UUID
    merchant_name: str
    role: StaffRole
    created_at: datetime
    expires_at: datetime


_decode_merchant = msgspec.json.Decoder(MerchantRow | None).decode
_decode_staff = msgspec.json.Decoder(list[StaffView]).decode
_decode_invites = msgspec.json.Decoder(list[InviteRow]).decode
_decode_my_invites = msgspec.json.Decoder(list[MyStaffInvite]).decode


async def get_merchant(engine: AsyncEngine, merchant_id: UUID) -> MerchantRow | None:
    """A merchant who applied here; raises `Unavailable`."""
    merchant: MerchantRow | None = _decode_merchant(await fetch_json(engine, _MERCHANT, {"merchant_id": merchant_id}))
    return merchant


async def list_staff(engine: AsyncEngine, merchant_id: UUID) -> list[StaffView]:
    """Who works there, who came first first; raises `Unavailable`."""
    return _decode_staff(await fetch_json(engine, _STAFF, {"merchant_id": merchant_id}))


async def list_invites(engine: AsyncEngine, merchant_id: UUID) -> list[InviteRow]:
    """Who was asked to work there and has not answered, newest first; raises `Unavailable`."""
    return _decode_invites(await fetch_json(engine, _INVITES, {"merchant_id": merchant_id}))


async def list_my_invites(engine: AsyncEngine, account_id: UUID) -> list[MyStaffInvite]:
    """Who asks the person of an account to work for them, newest first; raises `Unavailable`."""
    return _decode_my_invites(await fetch_json(engine, _MY_INVITES, {"account_id": account_id}))
