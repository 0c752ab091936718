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

from infra.redis_keys import LEASE_KEY, SERVER_KEY, VIEWS_PATTERN
from infra.redis_together import Command, ask_together

LEASE_S = 0.7
KEYS_AT_ONCE = 1_000
WATCHED_EVERY_S = 0.1

IS_FRESH: Command = ("EXISTS", LEASE_KEY)
"""Asked before the states themselves: they are then no older than the lease, plus the time until the answer came."""

_WHICH_RUN: Command = ("INFO", "server")
_RUN_ID = b"run_id:"


class Beginning(NamedTuple):
    """When a proof began, in milliseconds by Redis's clock, and in which run of the server."""

    at_ms: int
    run: bytes


async def begin_proof(redis: Redis) -> Beginning | None:
    """Read Redis's clock, then make sure that it holds nothing of an earlier run; raises `RedisError`.

    In this order, so that the time which forgetting takes shortens the proof. None where the server does not say
    which run it is: then nothing can be proven.
    """
    (seconds, microseconds), about, filled = await ask_together(redis, [("TIME",), _WHICH_RUN, ("GET", SERVER_KEY)])
    run = _run_in(about)
    if run is None:
        return None
    if run != filled:
        await _forget_all(redis)
        await redis.set(SERVER_KEY, run)
    return Beginning(int(seconds) * 1000 + int(microseconds) // 1000, run)


async def prove(redis: Redis, since: Beginning) -> None:
    """Put the lease down: all that PostgreSQL had at `since` is in Redis; raises `RedisError`.

    A server that started anew in between does not keep it.
    """
    until_ms = since.at_ms + round(LEASE_S * 1000)
    _, about = await ask_together(redis, [("SET", LEASE_KEY, 1, "PXAT", until_ms), _WHICH_RUN])
    if _run_in(about) != since.run:
        await redis.delete(LEASE_KEY)


def _run_in(about: bytes) -> bytes | None:
    return next((line.removeprefix(_RUN_ID) for line in about.splitlines() if line.startswith(_RUN_ID)), None)


async def _forget_all(redis: Redis) -> None:
    """Forget every group's state: who needs one brings it from PostgreSQL."""
    await redis.delete(LEASE_KEY)
    cursor = 0
    while True:
        cursor, keys = await redis.scan(cursor, match=VIEWS_PATTERN, count=KEYS_AT_ONCE)
        if keys:
            await redis.unlink(*keys)
        if cursor == 0:
            return


class FreshnessWatch:
    """Knows how old the last proof is; asks Redis for it again and again while `run` runs."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._proven_at = time.monotonic()

    @property
    def unproven_s(self) -> float:
        """How long ago all was in Redis that PostgreSQL had."""
        return time.monotonic() - self._proven_at

    async def run(self) -> None:
        """Ask, until cancelled."""
        self._proven_at = time.monotonic()
        while True:
            asked_at = time.monotonic()
            with suppress(RedisError, OSError, TimeoutError):
                left_ms = await self._redis.pttl(LEASE_KEY)
                if left_ms > 0:
                    self._proven_at = asked_at + left_ms / 1000 - LEASE_S
            await asyncio.sleep(WATCHED_EVERY_S)
