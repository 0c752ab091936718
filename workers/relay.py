"""The relay: every event of the outbox reaches the counters, also when the process that wrote it died right after.

Whoever commits writes the counters at once; the relay compares and writes only what did not arrive. Rows are claimed
with SKIP LOCKED, never by `id > last seen`: identity values commit out of order.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.counters import Counters
from infra.freshness import begin_proof, prove
from infra.group_views import load_views
from workers.counted import counted_versions
from workers.duty import Context, Duty

ROWS_AT_ONCE = 2_000
LOOK_EVERY_S = 0.25

# One statement, so that the claim and the count go by one snapshot: rows that another relay holds are in the count, not
# in the claim. It answers a row also where nothing is claimed.
_CLAIM = text("""
  WITH claimed AS MATERIALIZED (
    SELECT id, group_id, version FROM outbox WHERE relayed_at IS NULL
    ORDER BY id LIMIT :rows_max FOR UPDATE SKIP LOCKED)
  SELECT id, group_id, version, (
    SELECT count(*) FROM (SELECT FROM outbox WHERE relayed_at IS NULL LIMIT :rows_max + 1) AS unrelayed) AS unrelayed
  FROM (SELECT) AS always LEFT JOIN claimed ON true""")
_MARK = text("UPDATE outbox SET relayed_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS bigint[]))")


class Relayed(NamedTuple):
    """How many rows one batch relayed, and whether nothing else waited when it was claimed."""

    rows: int
    was_all: bool


async def step(context: Context) -> float:
    """Relay one batch and, where that was all, prove it; answers how long there is nothing more to do."""
    redis = context.runtime.redis
    since = await begin_proof(redis)
    relayed = await relay_batch(context.by_key, redis, context.runtime.counters)
    if relayed.was_all and since is not None:
        await prove(redis, since)
    return 0 if relayed.rows == ROWS_AT_ONCE else LOOK_EVERY_S


RELAYING = Duty("relaying", 2, step)


async def relay_batch(engine: AsyncEngine, redis: Redis, counters: Counters) -> Relayed:
    """Bring the groups of the oldest unrelayed events to the counters, then mark the events.

    The claim is held while Redis is asked, which locks nothing that anybody else writes. A crash before the marking
    only means that the same rows are relayed again, which changes nothing.
    """
    async with engine.begin() as connection:
        rows = (await connection.execute(_CLAIM, {"rows_max": ROWS_AT_ONCE})).all()
        claimed = [row for row in rows if row.id is not None]
        if claimed:
            late = await _late(redis, ((row.group_id, row.version) for row in claimed if row.group_id is not None))
            await counters.write(list((await load_views(engine, late)).values()) if late else [])
            await connection.execute(_MARK, {"ids": [row.id for row in claimed]})
    return Relayed(len(claimed), len(claimed) == rows[0].unrelayed)


async def _late(redis: Redis, told: Iterable[tuple[UUID, int]]) -> list[UUID]:
    """Groups that Redis does not know in the version that was told of them, or a later one."""
    newest: dict[UUID, int] = {}
    for group_id, version in told:
        newest[group_id] = max(version, newest.get(group_id, 0))
    counted = await counted_versions(redis, newest) if newest else {}
    return [group_id for group_id, version in newest.items() if counted.get(group_id, 0) < version]
