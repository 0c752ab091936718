"""Closing: how many due groups a second in bulk, and how soon after its own deadline a single one."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
from redis.asyncio import Redis

from benchmarks.cannot_measure import CannotMeasure
from benchmarks.due import TIPS_AT, open_due
from benchmarks.figures import Figure, Spread, Wanted, rate
from benchmarks.plain_closing import close_plainly
from benchmarks.stack import Stack
from infra.redis_client import make_redis

DUE_GROUPS = 20_000
PREPARE_S = 12
# For those that SQL closes: the worker must not come first.
NOT_DUE_S = 3_600
ROUNDS = 3
LOOK_EVERY_S = 0.05
LIMIT_S = 120
REDIS_AT_ONCE = 2_000

_OPEN_DUE = "SELECT count(*) FROM groups WHERE status = 'open' AND expires_at = $1"
_EVENTS = """
  SELECT count(*) FROM events WHERE type IN ('GroupSucceeded', 'GroupFailed') AND group_id = ANY($1::uuid[])"""


def bulk(stack: Stack) -> Figure:
    """From the deadline they share until the last one is closed, its event written and its counter in Redis."""
    rates, ceilings = [], []
    for _ in range(ROUNDS):
        _, not_due_ids = open_due(stack.settings, DUE_GROUPS, NOT_DUE_S)
        ceilings.append(asyncio.run(close_plainly(stack.settings, not_due_ids, TIPS_AT)))
        deadline, group_ids = open_due(stack.settings, DUE_GROUPS, PREPARE_S)
        rates.append(len(group_ids) / asyncio.run(_closed(stack, deadline, group_ids)))
    return Figure(
        "due groups closed per second in bulk (2-3 participants, events and counters included)",
        Spread(tuple(rates)),
        Wanted(3_000, 10_000, "{:,.0f}/s"),
        measured=rate(rates),
        ceiling=f"the rows alone, in SQL: {rate(ceilings)}",
        notes=(f"{DUE_GROUPS:,} groups of 100 deals with one deadline, half of them fail and return their stock",),
    )


async def _closed(stack: Stack, deadline: datetime, group_ids: Sequence[str]) -> float:
    """Seconds from the deadline until everything is done."""
    connection = await asyncpg.connect(stack.settings.database_url)
    redis = make_redis(stack.settings)
    try:
        if (ahead_s := (deadline - datetime.now(UTC)).total_seconds()) < 0:
            raise CannotMeasure(f"Preparing took {-ahead_s:.0f} s longer than {PREPARE_S} s.")
        await asyncio.sleep(ahead_s)
        begun_at = time.perf_counter()
        while await connection.fetchval(_OPEN_DUE, deadline) or not await _all_counted(redis, group_ids):
            if time.perf_counter() - begun_at > LIMIT_S:
                raise CannotMeasure(f"Due groups were still open after {LIMIT_S} s.")
            await asyncio.sleep(LOOK_EVERY_S)
        taken_s = time.perf_counter() - begun_at
        if await connection.fetchval(_EVENTS, group_ids) != len(group_ids):
            raise CannotMeasure("Not every closed group has its event.")
        return taken_s
    finally:
        await connection.close()
        await redis.aclose()


async def _all_counted(redis: Redis, group_ids: Sequence[str]) -> bool:
    """Whether Redis shows every group closed; the last ones first, as they are closed last."""
    for end in range(len(group_ids), 0, -REDIS_AT_ONCE):
        async with redis.pipeline(transaction=False) as pipeline:
            for group_id in group_ids[max(0, end - REDIS_AT_ONCE) : end]:
                pipeline.hget(f"group:{{{group_id}}}:view", "status")
            if any(status in {None, b"open"} for status in await pipeline.execute()):
                return False
    return True
