"""What the clock has to do: PostgreSQL says which groups are due and which crowds wait, from its partial indexes."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Float, bindparam, cast, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.groupbuy.deal import DealStatus
from infra.reading.deal_status import has_status
from infra.reading.documents import literal, now
from infra.tables import deals, groups

_IS_OPEN = groups.c.status == literal("open")
_FIRST_DEADLINE = select(func.min(groups.c.expires_at)).where(_IS_OPEN).scalar_subquery()

DUE_GROUPS = (
    select(groups.c.deal_id, groups.c.id, groups.c.expires_at)
    .where(
        _IS_OPEN,
        groups.c.expires_at <= now(),
        tuple_(groups.c.expires_at, groups.c.id) > tuple_(bindparam("after"), bindparam("after_id")),
    )
    .order_by(groups.c.expires_at, groups.c.id)
    .limit(bindparam("limit"))
)
SECONDS_TO_FIRST_DEADLINE = select(cast(func.extract("epoch", _FIRST_DEADLINE - now()), Float))
WAITING_CROWDS = (
    select(deals.c.id)
    .where(
        deals.c.grouping == literal("crowd"),
        deals.c.crowd_group_id.is_(None),
        has_status(DealStatus.LIVE, now()),
    )
    .order_by(deals.c.starts_at)
    .limit(bindparam("limit"))
)


class Due(NamedTuple):
    """A group to close; its deadline and id are its place in the order."""

    deal_id: UUID
    id: UUID
    expires_at: datetime


BEGINNING = Due(UUID(int=0), UUID(int=0), datetime(1970, 1, 1, tzinfo=UTC))


async def due_groups(connection: AsyncConnection, limit: int, after: Due = BEGINNING) -> list[Due]:
    """Open groups whose deadline has come, the oldest first, beginning after one of them."""
    rows = await connection.execute(DUE_GROUPS, {"limit": limit, "after": after.expires_at, "after_id": after.id})
    return [Due(*row) for row in rows]


async def next_deadline(connection: AsyncConnection) -> float | None:
    """Seconds until the next deadline of an open group: 0 where one has come already, None where no group is open."""
    seconds = await _seconds_to_first_deadline(connection)
    return None if seconds is None else max(seconds, 0.0)


async def sweep_lag_s(connection: AsyncConnection) -> float:
    """How long the oldest due group has been waiting to be closed, in seconds; 0 where none is due."""
    seconds = await _seconds_to_first_deadline(connection)
    return 0.0 if seconds is None else max(-seconds, 0.0)


async def waiting_crowds(connection: AsyncConnection, limit: int) -> list[UUID]:
    """Crowd deals that are live and have no group yet, the one that began first in front."""
    return list((await connection.execute(WAITING_CROWDS, {"limit": limit})).scalars())


async def _seconds_to_first_deadline(connection: AsyncConnection) -> float | None:
    seconds: float | None = (await connection.execute(SECONDS_TO_FIRST_DEADLINE)).scalar_one()
    return seconds
