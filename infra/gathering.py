"""Gathering: keys that many requests wait for are fetched together, each once; an idle process adds no delay."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import chain, islice
from typing import Generic, TypeVar

KEYS_AT_ONCE_MAX = 500

Key = TypeVar("Key")
Value = TypeVar("Value")


class Gathering(Generic[Key, Value]):
    """While one fetch is under way the next one collects its keys; a key asked for twice is fetched once.

    A fetch begins after all it serves have asked: an answer is never older than the question.
    """

    def __init__(self, fetch: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._fetch = fetch
        self._waiting: dict[Key, list[asyncio.Future[Value | None]]] = {}
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Value | None:
        """The value of a key, None where there is none; raises what the fetch raises."""
        # A future for each caller: one that goes away takes no answer from the others, and none has to be shielded.
        answer: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        callers = self._waiting.get(key)
        if callers is None:
            self._waiting[key] = [answer]
            if self._fetching is None:
                self._fetching = asyncio.create_task(self._run())
        else:
            callers.append(answer)
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                taken = dict(islice(self._waiting.items(), KEYS_AT_ONCE_MAX))
                for key in taken:
                    del self._waiting[key]
                await self._answer(taken)
        finally:
            self._fetching = None

    async def _answer(self, taken: dict[Key, list[asyncio.Future[Value | None]]]) -> None:
        try:
            found = await self._fetch(list(taken))
        except Exception as error:  # noqa: BLE001 - every waiting caller gets it
            for answer in chain.from_iterable(taken.values()):
                if not answer.done():  # else its caller has gone
                    answer.set_exception(error)
                    answer.exception()  # its caller may be going right now; that is no fault to report
            return
        for key, callers in taken.items():
            value = found.get(key)
            for answer in callers:
                if not answer.done():
                    answer.set_result(value)
