"""What a group runs on, as it was frozen at its opening: its deal may be another one by now."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.deal import Terms
from infra.reading.fetching import fetch_json
from infra.rows import terms_from

_TERMS = text("SELECT coalesce((SELECT terms FROM groups WHERE id = :group_id), 'null')::text")


async def find_terms(engine: AsyncEngine, group_id: UUID) -> Terms | None:
    """The terms of a group; None for no such group. Raises `Unavailable`."""
    column = await fetch_json(engine, _TERMS, {"group_id": group_id})
    return None if column == "null" else terms_from(column.encode())
