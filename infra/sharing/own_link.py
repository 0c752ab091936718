"""Somebody's own links: the one they have into a group, what a code of theirs shares, and the language they read."""

from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json
from infra.reading.selves import SELVES

_CODE: Final = text("""
SELECT coalesce((SELECT code FROM invites
  WHERE group_id = CAST(:group_id AS uuid) AND sharer_id = CAST(:sharer_id AS uuid) AND channel = :channel
    AND revoked_at IS NULL), '')""")
_SHARED: Final = text(f"""
SELECT coalesce((SELECT json_build_array(group_id, sharer_id)::text
  FROM invites WHERE code = :code AND sharer_id IN {SELVES}), 'null')""")  # noqa: S608 - a constant
_LOCALE: Final = text("SELECT coalesce((SELECT to_json(locale)::text FROM accounts WHERE id = :account_id), 'null')")


class Shared(NamedTuple):
    """Which group a link leads to, or led to, and under which id it is its sharer's."""

    group_id: UUID
    sharer_id: UUID


_decode_shared: Final = msgspec.json.Decoder(Shared | None).decode
_decode_locale: Final = msgspec.json.Decoder(str | None).decode


async def find_own_link(engine: AsyncEngine, group_id: UUID, sharer_id: UUID, channel: str) -> str | None:
    """The code of a sharer's link for a channel; None where there is none. Raises `Unavailable`."""
    asked = {"group_id": group_id, "sharer_id": sharer_id, "channel": channel}
    return await fetch_json(engine, _CODE, asked) or None


async def find_shared(engine: AsyncEngine, code: str, shopper_id: UUID) -> Shared | None:
    """What a link of somebody's shares, revoked or not; None for any other code. Raises `Unavailable`."""
    asked = {"code": code, "shopper_id": shopper_id}
    shared: Shared | None = _decode_shared(await fetch_json(engine, _SHARED, asked))
    return shared


async def find_locale(engine: AsyncEngine, account_id: UUID) -> str | None:
    """The language an account says it reads; None where it says nothing. Raises `Unavailable`."""
    locale: str | None = _decode_locale(await fetch_json(engine, _LOCALE, {"account_id": account_id}))
    return locale
