"""Whose image is fetched next: turns are short, so that slow hosts keep none from the others.

A fetch that outlives its turn goes on without one, and its host is remembered: for a while its images have turns apart
from all others', few of them. What is at work is bounded by how many turns there are and how long a fetch may take.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final
from weakref import WeakValueDictionary

from infra.cards.shelf import Shelf

TURNS_MAX: Final = 6
SLOW_TURNS_MAX: Final = 2
FETCHES_PER_HOST_MAX: Final = 2
"""At work, with a turn or without."""
WAITING_MAX: Final = 64
WAITING_OF_HOST_MAX: Final = 32
"""As many as a quick host has sent within the time that a card waits."""
SLOW_S: Final = 600.0
"""How long a host that was slow is one."""
SLOW_BYTES_MAX: Final = 1024 * 1024
"""Of memory for the names of slow hosts."""


class NoTurn(Exception):  # noqa: N818 - named after what happened
    """Too many wait already."""


class FetchingTurns:
    """Turns by host; a host is known while somebody fetches from it or waits, a slow one for longer."""

    def __init__(self, turn_s: float) -> None:
        self._turn_s = turn_s
        self._turns = _Line(TURNS_MAX, WAITING_MAX)
        self._slow_turns = _Line(SLOW_TURNS_MAX, WAITING_MAX)
        self._slow_hosts: Shelf[bool] = Shelf(SLOW_BYTES_MAX)
        self._by_host: WeakValueDictionary[str, _Line] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def taken(self, host: str) -> AsyncIterator[None]:
        """A turn of this host's, over after `turn_s` though the fetch goes on; raises `NoTurn`."""
        of_host = self._by_host.setdefault(host, _Line(FETCHES_PER_HOST_MAX, WAITING_OF_HOST_MAX))
        await of_host.wait()
        try:
            line = self._slow_turns if self._slow_hosts.get(host) else self._turns
            await line.wait()
            with contextlib.ExitStack() as turn:
                turn.callback(line.pass_on)
                turn.callback(asyncio.get_running_loop().call_later(self._turn_s, self._outlived, host, turn).cancel)
                yield
        finally:
            of_host.pass_on()

    def _outlived(self, host: str, turn: contextlib.ExitStack) -> None:
        self._slow_hosts.put(host, value=True, content_bytes=len(host), lifetime_s=SLOW_S)
        turn.close()


class _Line:
    """Turns, and so many who wait for one of them."""

    def __init__(self, turns: int, waiting_max: int) -> None:
        self._free = asyncio.Semaphore(turns)
        self._waiting = 0
        self._waiting_max = waiting_max

    async def wait(self) -> None:
        if self._waiting >= self._waiting_max:
            raise NoTurn
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    def pass_on(self) -> None:
        self._free.release()
