"""Two thousand watchers of one group, in a process of their own.

Arguments: port, path, watchers. For every version it writes `VERSION SECONDS`, when the last of them had it: seconds of
the monotonic clock, which all processes of a machine share.
"""

import asyncio
import sys
import time

import uvloop

from benchmarks.streams import Stream
from cli.serve import allow_many_connections

OPEN_AT_ONCE = 50


class Counting:
    """How many watchers have been told each version; one that skips to a newer version has had the older ones."""

    def __init__(self, watchers: int) -> None:
        self._watchers = watchers
        self._told: dict[int, int] = {}

    def add(self, version: int) -> None:
        """One more has it."""
        told = self._told[version] = self._told.get(version, 0) + 1
        if told == self._watchers:
            print(version, time.monotonic(), flush=True)


async def watch(port: int, path: str, watchers: int) -> None:
    counting = Counting(watchers)
    streams: list[Stream] = []
    while len(streams) < watchers:
        several = range(min(OPEN_AT_ONCE, watchers - len(streams)))
        streams += await asyncio.gather(*(Stream.opened(port, path, counting.add) for _ in several))
    await asyncio.gather(*(stream.closed for stream in streams))


def main() -> None:
    port, path, watchers = sys.argv[1:]
    allow_many_connections()
    uvloop.run(watch(int(port), path, int(watchers)))


if __name__ == "__main__":
    main()
