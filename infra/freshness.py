"""Freshness: proof, by Redis's own clock, that what it shows of groups is at most a moment behind PostgreSQL.

Redis may hang and come back with the state from before, lose a write, or start from an old snapshot, and a reader
sees nothing of it. So whoever relays the outbox puts down a lease: for `LEASE_S` after the time that Redis showed
before PostgreSQL was asked what is not relayed yet, and only once all of that was. No two clocks are compared. Where
there is no lease a reader asks PostgreSQL. See docs/decisions/0014.
"""

import asyncio
import time
from contextlib import suppress
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.redis_together import Command, ask_together

LEASE_S = 0.7
LEASE_KEY = "groups:fresh"
SERVER_KEY = "groups:server"
"""Which run of the server holds what was written; another run may have started from an old snapshot, or as a replica
that had not heard all."""
VIEWS_PATTERN = "group:*:view"
KEYS_AT_ONCE = 1_000
WATCHED_EVERY_S = 0.25

IS_FRESH: Command = ("EXISTS", LEASE_KEY)
"""Asked before the states themselves: they are then no older than the lease, plus the time until the answer came."""

_RUN_ID = b"run_id:"


class Instant(NamedTuple):
    """A time by Redis's clock, in milliseconds."""

    milliseconds: int


async def begin_proof(redis: Redis) -> Instant:
    """Redis's time, after it was made sure that it holds nothing of an earlier run; raises `RedisError`."""
    (seconds, microseconds), about, filled = await ask_together(
        redis, [("TIME",), ("INFO", "server"), ("GET", SERVER_KEY)]
    )
    run = next((line.removeprefix(_RUN_ID) for line in about.splitlines() if line.startswith(_RUN_ID)), b"")
    if run != filled:
        await _forget_all(redis)
        await redis.set(SERVER_KEY, run)
    return Instant(int(seconds) * 1000 + int(microseconds) // 1000)


async def prove(redis: Redis, since: Instant) -> None:
    """Put the lease down: all that PostgreSQL had at `since` is in Redis; raises `RedisError`."""
    await redis.set(LEASE_KEY, 1, pxat=since.milliseconds + round(LEASE_S * 1000))


async def _forget_all(redis: Redis) -> None:
    """Forget every group's state: who needs one brings it from PostgreSQL."""
    cursor = 0
    while True:
        cursor, keys = await redis.scan(cursor, match=VIEWS_PATTERN, count=KEYS_AT_ONCE)
        if keys:
            await redis.unlink(*keys)
        if cursor == 0:
            return


class FreshnessWatch:
    """Knows for how long Redis has not been proven fresh; asks it again and again while `run` runs."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._fresh_at = time.monotonic()

    @property
    def unproven_s(self) -> float:
        """How long ago the last question was asked that found Redis fresh."""
        return time.monotonic() - self._fresh_at

    async def run(self) -> None:
        """Ask, until cancelled."""
        self._fresh_at = time.monotonic()
        while True:
            asked_at = time.monotonic()
            with suppress(RedisError, OSError, TimeoutError):
                if await self._redis.exists(LEASE_KEY):
                    self._fresh_at = asked_at
            await asyncio.sleep(WATCHED_EVERY_S)
