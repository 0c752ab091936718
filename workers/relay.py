"""The relay: every event of the outbox reaches the counters, also when the process that wrote it died right after.

Whoever commits writes the counters at once; the relay compares and writes only what did not arrive. Rows are claimed
with SKIP LOCKED, never by `id > last seen`: identity values commit out of order.
"""

from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.counters import Counters
from infra.group_views import load_views
from workers.counted import counted_versions, true_versions
from workers.duty import Context, Duty

ROWS_AT_ONCE = 2_000
LOOK_EVERY_S = 0.25

_CLAIM = text("""
  SELECT id, group_id FROM outbox WHERE relayed_at IS NULL ORDER BY id LIMIT :rows_max FOR UPDATE SKIP LOCKED""")
_MARK = text("UPDATE outbox SET relayed_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS bigint[]))")


async def step(context: Context) -> float:
    """Relay one batch; answers how long there is nothing more to do."""
    rows = await relay_batch(context.by_key, context.runtime.redis, context.runtime.counters)
    return 0 if rows == ROWS_AT_ONCE else LOOK_EVERY_S


RELAYING = Duty("relaying", 2, step)


async def relay_batch(engine: AsyncEngine, redis: Redis, counters: Counters) -> int:
    """Bring the groups of the oldest unrelayed events to the counters, then mark the events; answers how many.

    The claim is held while Redis is asked, which locks nothing that anybody else writes. A crash before the marking
    only means that the same rows are relayed again, which changes nothing.
    """
    async with engine.begin() as connection:
        claimed = (await connection.execute(_CLAIM, {"rows_max": ROWS_AT_ONCE})).all()
        if claimed:
            group_ids = {group_id for _, group_id in claimed if group_id is not None}
            late = await _late(connection, redis, group_ids)
            await counters.write(list((await load_views(engine, late)).values()) if late else [])
            await connection.execute(_MARK, {"ids": [row_id for row_id, _ in claimed]})
    return len(claimed)


async def _late(connection: AsyncConnection, redis: Redis, group_ids: set[UUID]) -> list[UUID]:
    """Those of the groups that Redis does not know in their present version."""
    if not group_ids:
        return []
    true = await true_versions(connection, group_ids)
    counted = await counted_versions(redis, true)
    return [group_id for group_id, version in true.items() if counted.get(group_id, 0) < version]
