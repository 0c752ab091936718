"""Bytes kept by name: so many in all, for a while; what was used longest ago goes first."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

Kept = TypeVar("Kept")


class _Entry(NamedTuple, Generic[Kept]):
    value: Kept
    size_bytes: int
    until: float


class Shelf(Generic[Kept]):
    """Values with their sizes; one that is larger than the shelf is not kept."""

    OVERHEAD_BYTES = 512
    """What an entry costs besides its content, so that empty ones are bounded too."""

    def __init__(self, size_bytes_max: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size_bytes_max = size_bytes_max
        self._clock = clock
        self._entries: OrderedDict[str, _Entry[Kept]] = OrderedDict()
        self.size_bytes = 0

    def get(self, name: str) -> Kept | None:
        """What is kept under a name."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        if entry.until < self._clock():
            self._drop(name)
            return None
        self._entries.move_to_end(name)
        return entry.value

    def put(self, name: str, value: Kept, content_bytes: int, lifetime_s: float) -> None:
        """Keep a value."""
        if name in self._entries:
            self._drop(name)
        size_bytes = content_bytes + self.OVERHEAD_BYTES
        if size_bytes > self._size_bytes_max:
            return
        self._entries[name] = _Entry(value, size_bytes, self._clock() + lifetime_s)
        self.size_bytes += size_bytes
        while self.size_bytes > self._size_bytes_max:
            self._drop(next(iter(self._entries)))

    def _drop(self, name: str) -> None:
        self.size_bytes -= self._entries.pop(name).size_bytes
