"""Somebody's own links: the one they have into a group, whose one is, and the language its texts are to be in."""

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json

_CODE: Final = text("""
SELECT coalesce((SELECT code FROM invites
  WHERE group_id = CAST(:group_id AS uuid) AND sharer_id = CAST(:sharer_id AS uuid) AND channel = :channel), '')""")
_SHARER: Final = text("SELECT coalesce((SELECT to_json(sharer_id)::text FROM invites WHERE code = :code), 'null')")
_LOCALE: Final = text("SELECT coalesce((SELECT to_json(locale)::text FROM accounts WHERE id = :account_id), 'null')")

_decode_id: Final = msgspec.json.Decoder(UUID | None).decode
_decode_locale: Final = msgspec.json.Decoder(str | None).decode


async def find_own_link(engine: AsyncEngine, group_id: UUID, sharer_id: UUID, channel: str) -> str | None:
    """The code of a sharer's link for a channel; None where there is none. Raises `Unavailable`."""
    asked = {"group_id": group_id, "sharer_id": sharer_id, "channel": channel}
    return await fetch_json(engine, _CODE, asked) or None


async def find_sharer_of(engine: AsyncEngine, code: str) -> UUID | None:
    """Who shares a link; None for a code of nobody's. Raises `Unavailable`."""
    sharer_id: UUID | None = _decode_id(await fetch_json(engine, _SHARER, {"code": code}))
    return sharer_id


async def find_locale(engine: AsyncEngine, account_id: UUID) -> str | None:
    """The language an account says it reads; None where it says nothing. Raises `Unavailable`."""
    locale: str | None = _decode_locale(await fetch_json(engine, _LOCALE, {"account_id": account_id}))
    return locale
