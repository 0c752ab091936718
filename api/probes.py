"""Probes: whether the process is alive, and whether it can do its work."""

import asyncio
from typing import Literal

import msgspec
from redis.exceptions import RedisError

from api.answers import Answer, answered
from api.requests import AnyRequest, runtime_of
from api.routing import route
from infra.reading.sweeping import sweep_lag_s
from infra.runtime import Runtime

ANSWER_TIMEOUT_S = 2.0
LAG_S_MAX = 1.0
"""A group closes within a second of its deadline (promise 5)."""

NEVER_KEPT = ((b"cache-control", b"no-store"),)


class Alive(msgspec.Struct, frozen=True):
    """The process answers; nothing else was asked."""

    status: Literal["alive"] = "alive"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """`degraded` works, and somebody should look: Redis is away, or closings are late."""

    status: Literal["ready", "degraded"]
    postgresql: Literal["up"]
    redis: Literal["up", "down"]
    sweep_lag_s: float


@route("GET", "/healthz")
async def healthz(request: AnyRequest) -> Answer:  # noqa: ARG001 - handlers take the request
    return answered(Alive(), headers=NEVER_KEPT)


@route("GET", "/readyz")
async def readyz(request: AnyRequest) -> Answer:
    """Raises `DatabaseUnavailable` without PostgreSQL; without Redis everything works, only dearer."""
    runtime = runtime_of(request)
    lag_s, redis_answers = await asyncio.gather(_lag_s(runtime), _redis_answers(runtime))
    is_well = redis_answers and lag_s <= LAG_S_MAX
    readiness = Readiness(
        status="ready" if is_well else "degraded",
        postgresql="up",
        redis="up" if redis_answers else "down",
        sweep_lag_s=round(lag_s, 3),
    )
    return answered(readiness, headers=NEVER_KEPT)


async def _lag_s(runtime: Runtime) -> float:
    async with asyncio.timeout(ANSWER_TIMEOUT_S), runtime.engine.connect() as connection:
        return await sweep_lag_s(connection)


async def _redis_answers(runtime: Runtime) -> bool:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await runtime.redis.ping()
    except (RedisError, OSError, TimeoutError):
        return False
    return True
