"""arq, behind this one module: it is in maintenance mode, and nothing may depend on a job surviving.

A job here is a hint to a duty to look now. Arguments are JSON, never pickles; no result is kept, because a kept result
blocks the next job of the same id. arq's worker ends when Redis goes away, so it is begun anew until stopped.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from arq.connections import ArqRedis
from arq.cron import cron
from arq.worker import Worker, func
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

from domain.groupbuy.events import GroupOpened
from infra.ending import end
from infra.lane import Committed
from infra.redis_client import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S
from infra.runtime import Runtime
from infra.settings import Settings

QUEUE_NAME = "tuan:wakes"
CONNECTIONS_MAX = 4
SECONDS_REMEMBERED_MAX = 10_000
SECONDS_WAITING_MAX = 10_000
REST_AFTER_ERROR_S = 1.0
JOB_TIMEOUT_S = 10
# A wake that comes later than this is no hint any more: the sweep has long been there.
EXPIRES_AFTER_S = 60

_log = structlog.get_logger(__name__)

Wake = Callable[[str], None]


class WakeUps:
    """Asks for a look at each second in which a group's deadline falls; one job for all groups of that second."""

    def __init__(self, settings: Settings) -> None:
        self._queue = _queue(settings)
        self._asked: OrderedDict[int, None] = OrderedDict()
        self._waiting: dict[int, None] = {}
        self._asking: asyncio.Task[None] | None = None

    def offer(self, deadlines: Iterable[datetime]) -> None:
        """Ask soon, without waiting and without ever failing: a hint that gets lost costs nothing."""
        for second in {int(deadline.timestamp()) for deadline in deadlines}:
            if second not in self._asked and len(self._waiting) < SECONDS_WAITING_MAX:
                self._waiting[second] = None
        if self._waiting and self._asking is None:
            self._asking = asyncio.create_task(self._ask())

    async def stop(self) -> None:
        """Ask what is left to ask, if Redis takes it."""
        if self._asking is not None:
            await self._asking
        await self._queue.aclose(close_connection_pool=True)

    async def _ask(self) -> None:
        try:
            while self._waiting:
                second = next(iter(self._waiting))
                await self._queue.enqueue_job(
                    "wake",
                    "closing",
                    _job_id=f"wake:{second}",
                    _defer_until=datetime.fromtimestamp(second, UTC),
                    _expires=max(second - datetime.now(UTC).timestamp(), 0) + EXPIRES_AFTER_S,
                )
                del self._waiting[second]
                self._remember(second)
        except (RedisError, OSError, TimeoutError) as error:
            self._waiting.clear()
            _log.debug("wake_up_lost", error=str(error))
        finally:
            self._asking = None

    def _remember(self, second: int) -> None:
        self._asked[second] = None
        if len(self._asked) > SECONDS_REMEMBERED_MAX:
            self._asked.popitem(last=False)


@asynccontextmanager
async def waking_up(runtime: Runtime) -> AsyncIterator[None]:
    """Ask for a wake-up for every group that this process opens meanwhile."""
    wake_ups = WakeUps(runtime.settings)

    def offer(committed: Committed) -> None:
        wake_ups.offer(event.expires_at for event in committed.events if isinstance(event, GroupOpened))

    runtime.after_commit.append(offer)
    try:
        yield
    finally:
        runtime.after_commit.remove(offer)
        await wake_ups.stop()


async def work(settings: Settings, wake: Wake) -> None:
    """Hand every hint of the queue to `wake`, until cancelled; Redis may go and come back meanwhile."""
    logging.getLogger("arq").setLevel(logging.ERROR)  # what it does each second is not news
    is_away = False

    def reached() -> None:
        nonlocal is_away
        if is_away:
            _log.info("queue_is_back")
        is_away = False

    while True:
        try:
            await _work_until_redis_goes(settings, wake, reached)
        except (RedisError, OSError, TimeoutError) as error:
            if not is_away:
                _log.warning("queue_away", why=str(error), meanwhile="PostgreSQL says what is due; nothing is lost")
            is_away = True
        await asyncio.sleep(REST_AFTER_ERROR_S)


async def _work_until_redis_goes(settings: Settings, wake: Wake, reached: Callable[[], None]) -> None:
    async def hint(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG001 - arq's shape
        wake(str(args[0]))

    async def reconcile(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG001 - arq's shape
        wake("reconciling")

    async def on_startup(ctx: dict[Any, Any]) -> None:  # noqa: ARG001 - arq's shape
        reached()

    queue = _queue(settings)
    worker = Worker(
        functions=[func(hint, name="wake")],
        cron_jobs=[cron(reconcile, second=0, timeout=JOB_TIMEOUT_S)],
        queue_name=QUEUE_NAME,
        redis_pool=queue,
        on_startup=on_startup,
        handle_signals=False,
        job_timeout=JOB_TIMEOUT_S,
        keep_result=0,
        max_tries=1,
        log_results=False,
        job_serializer=msgspec.json.encode,
        job_deserializer=msgspec.json.decode,
        timezone=UTC,
    )
    running = asyncio.create_task(worker.async_run())
    try:
        await asyncio.wait([running])
        running.result()
    finally:
        # Not `worker.close()`: it logs a signal that nobody sent, and raises when Redis is away.
        await end(running, *worker.tasks.values())
        await queue.aclose(close_connection_pool=True)


def _queue(settings: Settings) -> ArqRedis:
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=CONNECTIONS_MAX,
        timeout=ANSWER_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
    )
    return ArqRedis(
        pool,
        job_serializer=msgspec.json.encode,
        job_deserializer=msgspec.json.decode,
        default_queue_name=QUEUE_NAME,
    )
