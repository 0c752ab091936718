"""The relay: every event of the outbox reaches the counters, also when the process that wrote it died right after.

Whoever commits writes the counters at once; the relay compares and writes only what did not arrive. Rows are claimed
with SKIP LOCKED, never by `id > last seen`: identity values commit out of order.
"""

from collections.abc import Iterable
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.counters import Counters
from infra.group_views import load_views
from workers.counted import counted_versions
from workers.duty import Context, Duty

ROWS_AT_ONCE = 2_000
LOOK_EVERY_S = 0.25

_CLAIM = text("""
  SELECT id, group_id, version FROM outbox WHERE relayed_at IS NULL
  ORDER BY id LIMIT :rows_max FOR UPDATE SKIP LOCKED""")
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
            late = await _late(redis, ((group_id, version) for _, group_id, version in claimed if group_id is not None))
            await counters.write(list((await load_views(engine, late)).values()) if late else [])
            await connection.execute(_MARK, {"ids": [row_id for row_id, _, _ in claimed]})
    return len(claimed)


async def _late(redis: Redis, told: Iterable[tuple[UUID, int]]) -> list[UUID]:
    """Groups that Redis does not know in the version that was told of them, or a later one."""
    newest: dict[UUID, int] = {}
    for group_id, version in told:
        newest[group_id] = max(version, newest.get(group_id, 0))
    counted = await counted_versions(redis, newest) if newest else {}
    return [group_id for group_id, version in newest.items() if counted.get(group_id, 0) < version]
