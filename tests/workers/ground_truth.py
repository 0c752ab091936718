"""What the database says afterwards."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

CLOSINGS = ("GroupSucceeded", "GroupFailed", "GroupCancelled")


async def statuses(engine: AsyncEngine, group_ids: Sequence[UUID]) -> list[str]:
    """The status of each group, in the order given."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT id, status FROM groups WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": list(group_ids)}
        )
        known: dict[UUID, str] = dict(rows.all())
    return [known[group_id] for group_id in group_ids]


async def closings(engine: AsyncEngine, group_id: UUID) -> list[str]:
    """The closing events that were told of a group."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT type FROM events WHERE group_id = :id AND type = ANY(:types)"),
            {"id": group_id, "types": list(CLOSINGS)},
        )
        return list(rows.scalars())


async def number(engine: AsyncEngine, query: str, **parameters: object) -> int:
    """The one number a query answers."""
    async with engine.connect() as connection:
        return int((await connection.execute(text(query), parameters)).scalar_one())


async def all_closed(engine: AsyncEngine, group_ids: Sequence[UUID]) -> bool:
    return "open" not in await statuses(engine, group_ids)


async def closing_delays_s(engine: AsyncEngine, group_ids: Sequence[UUID]) -> list[float]:
    """How long after its deadline each group was closed."""
    query = text("""
      SELECT extract(epoch FROM closed_at - expires_at)::float FROM groups WHERE id = ANY(CAST(:ids AS uuid[]))""")
    async with engine.connect() as connection:
        return list((await connection.execute(query, {"ids": list(group_ids)})).scalars())
