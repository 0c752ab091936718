"""The worker process: every duty, and the queue's hints that make them look sooner."""

import asyncio
import signal

import structlog
import uvloop

from infra.ending import end
from infra.runtime import Runtime, started
from infra.settings import Settings
from workers import queue
from workers.duties import Duties, performed

_log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what is begun."""
    uvloop.run(_run(settings))


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with (
        started(settings, "tuan worker") as runtime,
        queue.waking_up(runtime),
        performed(runtime, is_worker=True) as duties,
    ):
        _log.info("worker_started")
        await _work(runtime, duties, stopping)
    _log.info("worker_stopped")


async def _work(runtime: Runtime, duties: Duties, stopping: asyncio.Event) -> None:
    working = asyncio.create_task(queue.work(runtime.settings, duties.wake))
    try:
        await stopping.wait()
    finally:
        await end(working)
