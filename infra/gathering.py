"""Gathering: keys that many requests wait for are fetched together, each once; an idle process adds no delay."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Generic, TypeVar

KEYS_AT_ONCE_MAX = 500

Key = TypeVar("Key")
Value = TypeVar("Value")


class Gathering(Generic[Key, Value]):
    """While one fetch is under way the next one collects its keys; a key asked for twice is fetched once."""

    def __init__(self, fetch: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._fetch = fetch
        self._waiting: dict[Key, asyncio.Future[Value | None]] = {}
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Value | None:
        """The value of a key, None where there is none; raises what the fetch raises."""
        answer = self._waiting.get(key)
        if answer is None:
            answer = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._fetching is None:
                self._fetching = asyncio.create_task(self._run())
        return await asyncio.shield(answer)

    async def _run(self) -> None:
        try:
            while self._waiting:
                taken = dict(_first(self._waiting.items(), KEYS_AT_ONCE_MAX))
                for key in taken:
                    del self._waiting[key]
                await self._answer(taken)
        finally:
            self._fetching = None

    async def _answer(self, taken: dict[Key, asyncio.Future[Value | None]]) -> None:
        try:
            found = await self._fetch(list(taken))
        except Exception as error:  # noqa: BLE001 - every waiting caller gets it
            for answer in taken.values():
                answer.set_exception(error)
                answer.exception()  # nobody may be waiting any more; that is no fault to report
            return
        for key, answer in taken.items():
            answer.set_result(found.get(key))


def _first(items: Iterable[tuple[Key, Value]], count: int) -> Iterable[tuple[Key, Value]]:
    for _, item in zip(range(count), items, strict=False):
        yield item
