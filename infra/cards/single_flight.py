"""Work that several ask for at the same time is done once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from infra.ending import end

Made = TypeVar("Made")


class SingleFlight(Generic[Made]):
    """Work under way by name; whoever goes away meanwhile takes nothing from the others."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[Made]] = {}

    async def run(self, name: str, work: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        """What the work of this name makes, begun now unless it is under way."""
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._over(name, done))
        return await asyncio.shield(task)

    def has(self, name: str) -> bool:
        """Whether the work of this name is under way."""
        return name in self._under_way

    async def stop(self) -> None:
        """End all that is under way."""
        await end(*self._under_way.values())

    def _over(self, name: str, task: asyncio.Task[Made]) -> None:
        self._under_way.pop(name, None)
        if not task.cancelled():
            task.exception()  # somebody waited for it; where nobody does any more it is nobody's business
