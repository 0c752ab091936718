"""The limiter: requests that come together are charged in one message to Redis, and in memory while it is away."""

import asyncio
import time
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from infra.gathering import Gathering
from infra.limits.in_memory import WindowsInMemory
from infra.limits.script import TAKE, taking, told
from infra.limits.window import Charge, Ruling
from infra.redis_together import ask_each
from infra.unavailable import LimiterUnavailable

ANSWER_WITHIN_S = 0.25
REST_AFTER_ERROR_S = 0.5
"""As long nobody waits for a Redis that failed a moment ago."""

_log = structlog.get_logger(__name__)


class _Asked:
    """One request waiting to be charged; two that are alike are two all the same."""

    __slots__ = ("charges",)

    def __init__(self, charges: tuple[Charge, ...]) -> None:
        self.charges = charges


class _Resting(Exception):  # noqa: N818 - what the limiter does
    """Redis failed a moment ago and is not asked."""


class Limiter:
    """Says which requests pass."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._gathering: Gathering[_Asked, Ruling] = Gathering(self._take_together)
        self._here = WindowsInMemory()
        self._resting_until = 0.0

    async def take(self, charges: tuple[Charge, ...], *, needs_the_count: bool) -> Ruling:
        """Charge a request for all of these or none; no charge at all passes while Redis answers.

        While Redis tells no count, what needs it raises `LimiterUnavailable`; anything else is counted in this process.
        """
        try:
            self._raise_if_resting()
            ruling = await self._gathering.get(_Asked(charges))
        except _Resting:
            ruling = None
        except (RedisError, OSError, TimeoutError) as error:
            self._rest(error)
            ruling = None
        if ruling is not None:
            return ruling
        if needs_the_count:
            raise LimiterUnavailable
        return self._here.take(charges, time.monotonic_ns() // 1_000_000)

    async def _take_together(self, asked: list[_Asked]) -> dict[_Asked, Ruling]:
        self._raise_if_resting()
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answers = await self._answers(asked)
        for answer in answers.values():
            if isinstance(answer, RedisError):
                raise answer
        return {one: told(one.charges, answer) for one, answer in answers.items()}

    async def _answers(self, asked: list[_Asked]) -> dict[_Asked, Any]:
        """What Redis says to each; those it knew no script for are asked again, and only those: none counts twice."""
        answers = dict(zip(asked, await ask_each(self._redis, [taking(one.charges) for one in asked]), strict=True))
        again = [one for one, answer in answers.items() if isinstance(answer, NoScriptError)]
        if again:
            await self._redis.script_load(TAKE)
            answers |= zip(again, await ask_each(self._redis, [taking(one.charges) for one in again]), strict=True)
        return answers

    def _raise_if_resting(self) -> None:
        if time.monotonic() < self._resting_until:
            raise _Resting

    def _rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + REST_AFTER_ERROR_S
        _log.debug("limits_not_counted", error=str(error))
