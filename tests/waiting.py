"""Waiting for a condition with a deadline, instead of sleeping for a guess."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

POLL_S = 0.01

Found = TypeVar("Found")


def until(condition: Callable[[], Found], what: str, limit_s: float = 10) -> Found:
    """The first truthy answer of `condition`; fails the test, naming `what`, when there is none in time."""
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        time.sleep(POLL_S)
    return found


async def eventually(condition: Callable[[], Awaitable[Found]], what: str, limit_s: float = 10) -> Found:
    """The same for a condition that must be awaited."""
    deadline = time.monotonic() + limit_s
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        await asyncio.sleep(POLL_S)
    return found
