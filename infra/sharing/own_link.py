"""The link somebody already has into a group, to be shared anywhere."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json

_CODE = text("""
SELECT coalesce((SELECT code FROM invites
  WHERE group_id = CAST(:group_id AS uuid) AND sharer_id = CAST(:sharer_id AS uuid) AND channel = :channel), '')""")


async def find_own_link(engine: AsyncEngine, group_id: UUID, sharer_id: UUID, channel: str) -> str | None:
    """The code of a sharer's link for a channel; None where there is none. Raises `Unavailable`."""
    asked = {"group_id": group_id, "sharer_id": sharer_id, "channel": channel}
    return await fetch_json(engine, _CODE, asked) or None
