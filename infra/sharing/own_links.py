"""Whose a link is, and which language somebody reads: what is asked before a link's kit is shown."""

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json

_SHARER: Final = text("SELECT coalesce((SELECT to_json(sharer_id)::text FROM invites WHERE code = :code), 'null')")
_LOCALE: Final = text("SELECT coalesce((SELECT to_json(locale)::text FROM accounts WHERE id = :account_id), 'null')")

_decode_id: Final = msgspec.json.Decoder(UUID | None).decode
_decode_locale: Final = msgspec.json.Decoder(str | None).decode


async def find_sharer(engine: AsyncEngine, code: str) -> UUID | None:
    """Who shares a link; None for a code of nobody's. Raises `Unavailable`."""
    sharer_id: UUID | None = _decode_id(await fetch_json(engine, _SHARER, {"code": code}))
    return sharer_id


async def find_locale(engine: AsyncEngine, account_id: UUID) -> str | None:
    """The language an account says it reads; None where it says nothing. Raises `Unavailable`."""
    locale: str | None = _decode_locale(await fetch_json(engine, _LOCALE, {"account_id": account_id}))
    return locale
