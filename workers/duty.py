"""A duty: work that some process must always be doing, safe to do anywhere, at any time and by two at once."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import has_run_too_long, is_connection_lost
from infra.payments.port import GatewayUnavailable
from infra.runtime import Runtime
from infra.unavailable import Unavailable

REST_AFTER_ERROR_S = 0.5

_log = structlog.get_logger(__name__)


def _wake_nobody(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class Context:
    """What a duty works with: the process's runtime, and an engine for statements that find their rows by an index.

    `wake` tells another duty, by its name, that there may be something to do for it.
    """

    runtime: Runtime
    by_key: AsyncEngine
    wake: Callable[[str], None] = _wake_nobody


Step = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Duty:
    """`step` does what there is to do now and answers how long it may rest, in seconds; `number` is its lock."""

    name: str
    number: int
    step: Callable[[Context], Awaitable[float]]

    def at_work(self, context: Context) -> AbstractAsyncContextManager[Step]:
        """The step, as long as it is needed."""
        return nullcontext(partial(self.step, context))


@dataclass(frozen=True, slots=True)
class LastingDuty:
    """A duty that keeps something from step to step: `at_work` gives its step, and after the last one ends the rest."""

    name: str
    number: int
    at_work: Callable[[Context], AbstractAsyncContextManager[Step]]


AnyDuty = Duty | LastingDuty


class Outages:
    """One line when a duty cannot go on, one when it can again; what repeats in between is not news."""

    def __init__(self, duty: str) -> None:
        self._log = _log.bind(duty=duty)
        self._known = ""

    def failed(self, error: Exception) -> None:
        """A step failed."""
        kind = type(error).__name__
        if kind == self._known:
            return
        self._known = kind
        if is_server_gone(error):
            self._log.warning("duty_waits", why=_first_line(error.__cause__ or error))
        else:
            self._log.error("duty_failed", exc_info=error)

    def over(self) -> None:
        """A step went well."""
        if self._known:
            self._known = ""
            self._log.info("duty_goes_on")


def is_server_gone(error: BaseException) -> bool:
    """Whether PostgreSQL, Redis or a payment gateway is away or too busy, so that the same step will do later."""
    away = Unavailable | GatewayUnavailable | RedisError | OSError | TimeoutError
    return isinstance(error, away) or is_connection_lost(error) or has_run_too_long(error)


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", maxsplit=1)[0] or type(error).__name__
