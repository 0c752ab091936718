"""Ending tasks that work with Redis."""

import asyncio
from typing import Any

CANCEL_AGAIN_AFTER_S = 0.1


async def end(*tasks: "asyncio.Task[Any] | None") -> None:
    """Cancel tasks until all have ended.

    Once is not enough: redis-py 5 was seen to swallow a cancellation that came while it connected.
    """
    pending = {task for task in tasks if task is not None}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_AFTER_S)
