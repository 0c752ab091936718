"""A merchant's API keys, as its owners see them: never the key."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json

KEYS_SHOWN_MAX = 100

_KEYS = text(f"""
  SELECT coalesce(json_agg(k), '[]')::text FROM (
    SELECT id, name, prefix, scopes, created_by, created_at, expires_at, used_at, revoked_at FROM api_keys
    WHERE merchant_id = :merchant_id
    ORDER BY revoked_at IS NOT NULL, created_at DESC, id LIMIT {KEYS_SHOWN_MAX}) k""")  # noqa: S608 - a constant


class ApiKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key: `used_at` is to the minute, `expires_at` null for one that is good until it is revoked."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


_decode_keys = msgspec.json.Decoder(list[ApiKeyView]).decode


async def list_keys(engine: AsyncEngine, merchant_id: UUID) -> list[ApiKeyView]:
    """The keys of a merchant, those that are good first, newest first; raises `Unavailable`."""
    return _decode_keys(await fetch_json(engine, _KEYS, {"merchant_id": merchant_id}))
