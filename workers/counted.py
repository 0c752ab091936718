"""What Redis knows of groups, compared with what PostgreSQL knows."""

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID

import structlog
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.counters import Counters
from infra.group_views import load_views
from infra.redis_keys import view_key
from infra.redis_together import ask_together

EVENTS_LOOKED_AT = 5_000
CONTENTS_COMPARED_MAX = 500
# By then whoever committed, or the relay, has written a change: what is late then breaks promise 7.
WRITTEN_WITHIN_S = 1.5

_RECENT = text("""
  SELECT DISTINCT group_id FROM (SELECT group_id FROM outbox ORDER BY id DESC LIMIT :events) AS recent
  WHERE group_id IS NOT NULL""")
_VERSIONS = text("SELECT id, version FROM groups WHERE id = ANY(CAST(:group_ids AS uuid[]))")

_log = structlog.get_logger(__name__)

Versions = dict[UUID, int]


async def counted_versions(redis: Redis, group_ids: Iterable[UUID]) -> Versions:
    """The versions Redis has of these groups; raises `RedisError`."""
    asked = list(group_ids)
    found = await ask_together(redis, [("HGET", view_key(group_id), "version") for group_id in asked])
    return {group_id: int(version) for group_id, version in zip(asked, found, strict=True) if version is not None}


async def true_versions(connection: AsyncConnection, group_ids: Iterable[UUID]) -> Versions:
    """The versions PostgreSQL has of these groups."""
    rows = await connection.execute(_VERSIONS, {"group_ids": list(group_ids)})
    return dict(rows.all())


async def reconcile_counters(engine: AsyncEngine, redis: Redis, counters: Counters) -> int:
    """Compare the groups that changed lately and write anew what is wrong; answers how many were wrong.

    Redis is read before PostgreSQL, so it can only seem late, never ahead, by a change in between; and late only
    counts what was true already before a while. Missing is not wrong: counters may be lost at any time.
    """
    async with engine.connect() as connection:
        recent = (await connection.execute(_RECENT, {"events": EVENTS_LOOKED_AT})).scalars().all()
    _, true_before = await _both(engine, redis, recent)
    await asyncio.sleep(WRITTEN_WITHIN_S)
    counted, true = await _both(engine, redis, true_before)
    missing = [group_id for group_id in true if group_id not in counted]
    late = [group_id for group_id, version in counted.items() if version < true_before[group_id]]
    ahead = [group_id for group_id, version in counted.items() if version > true.get(group_id, 0)]
    same = [group_id for group_id, version in counted.items() if version == true.get(group_id)]
    other = await _of_other_content(engine, counters, same[:CONTENTS_COMPARED_MAX])
    _say(late=late, ahead=ahead, other=other)
    if ahead or other:  # what is ahead or of the same version would be kept by the script that writes
        await _forget(redis, ahead + other)
    wrong = late + ahead + other
    if missing or wrong:
        await counters.write(list((await load_views(engine, missing + wrong)).values()))
    return len(wrong)


async def _both(engine: AsyncEngine, redis: Redis, group_ids: Iterable[UUID]) -> tuple[Versions, Versions]:
    asked = list(group_ids)
    counted = await counted_versions(redis, asked)
    async with engine.connect() as connection:
        return counted, await true_versions(connection, asked)


async def _of_other_content(engine: AsyncEngine, counters: Counters, group_ids: Sequence[UUID]) -> list[UUID]:
    """Groups that Redis shows otherwise than PostgreSQL at the same version."""
    if not group_ids:
        return []
    counted, true = await counters.read(group_ids), await load_views(engine, group_ids)
    return [
        group_id
        for group_id, view in counted.items()
        if group_id in true and true[group_id].version == view.version and true[group_id] != view
    ]


async def _forget(redis: Redis, group_ids: Sequence[UUID]) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        for group_id in group_ids:
            pipeline.delete(view_key(group_id))
        await pipeline.execute()


def _say(**wrong: list[UUID]) -> None:
    for how, group_ids in wrong.items():
        if group_ids:
            _log.error("counters_wrong", how=how, group_ids=[str(group_id) for group_id in group_ids])
