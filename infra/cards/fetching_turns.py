"""Whose image is fetched next: so many at once in all, and fewer of one host, so that a slow one takes no more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final
from weakref import WeakValueDictionary

FETCHES_MAX: Final = 8
FETCHES_PER_HOST_MAX: Final = 2


class FetchingTurns:
    """Turns by host; a host is known while somebody fetches from it or waits."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(FETCHES_MAX)
        self._by_host: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def taken(self, host: str) -> AsyncIterator[None]:
        """A turn of this host's; who waits for one keeps none from the others."""
        of_host = self._by_host.setdefault(host, asyncio.Semaphore(FETCHES_PER_HOST_MAX))
        async with of_host, self._turns:
            yield
