"""The live view: whoever watches a group in this process gets its newest state, soon after every change.

A watched group has one newest state, shared by its watchers: no queue, so a slow reader skips to the newest instead of
holding memory. Changes come from this process's own commits at once and from others' through Redis; both are hints,
ordered by the group's version. While Redis is away, or may not tell all, PostgreSQL is asked twice a second, for
watched groups only.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import msgspec
import structlog
from redis.asyncio import Redis

from infra.changes_feed import ChangesFeed
from infra.ending import end
from infra.freshness import FreshnessWatch
from infra.group_views import GroupViews
from infra.unavailable import Overloaded, Unavailable
from infra.views import GroupView

WATCHERS_MAX = 10_000
# A change that nobody told is 0.6 s old when its missing proof is seen, 0.1 s more when that is looked at: with the
# question itself the promised second. From then on all is asked every half second.
UNPROVEN_S_MAX = 0.6
LOOK_EVERY_S = 0.1
ASK_EVERY_S = 0.5
GROUPS_ASKED_AT_ONCE = 500
WOKEN_AT_ONCE = 50
# One clock for all watchers: a timer for each of them and each change would cost more than the change itself.
BEAT_EVERY_S = 5.0
QUIET_BEATS_MAX = 3
TAKING_NOTHING_BEATS_MAX = 6
# Telling one costs the process about as much; of changes that come faster than all can be told the last is told.
REST_PER_WATCHER_S = 0.000_05

_log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder(GroupView).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Seen:
    """A group's public state at a version, as JSON; the last one of a closed group is final."""

    version: int
    document: bytes
    is_closed: bool


class Watcher:
    """One reader of a group's changes, read by the task that made it."""

    def __init__(self, watched: "_Watched", loop: asyncio.AbstractEventLoop) -> None:
        self._watched = watched
        self._loop = loop
        self._task = asyncio.current_task()
        self._version = 0
        self._waiting: asyncio.Future[None] | None = None
        self._beats = 0
        self.has_ended = False

    async def next(self) -> Seen | None:
        """The newest state this reader has not had yet; None after a while without one, and after the end."""
        if self._watched.newest.version == self._version and not self.has_ended:
            self._beats = 0
            self._waiting = self._loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        self._beats = 0
        newest = self._watched.newest
        if newest.version == self._version:
            return None
        self._version = newest.version
        return newest

    def wake(self) -> None:
        """There may be something new."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def end(self) -> None:
        """Nothing more will come."""
        self.has_ended = True
        self.wake()

    def beat(self) -> None:
        """Time passes: one that waits for long gets a sign of life, one that takes nothing for long is cut off."""
        self._beats += 1
        if self._waiting is not None:
            if self._beats >= QUIET_BEATS_MAX:
                self.wake()
        elif self._beats >= TAKING_NOTHING_BEATS_MAX:
            self.has_ended = True
            if self._task is not None:
                self._task.cancel()


class Hub:
    """Watched groups and their watchers."""

    def __init__(self, redis: Redis, groups: GroupViews) -> None:
        self._groups = groups
        self._watched: dict[UUID, _Watched] = {}
        self._watchers = 0
        self._feed = ChangesFeed(redis, on_change=self._changed, on_listening=self._listening)
        self._freshness = FreshnessWatch(redis)
        self._asked_all_at = 0.0
        self._to_ask: set[UUID] = set()
        self._something_to_ask = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def watchers(self) -> int:
        """How many watch in this process."""
        return self._watchers

    def watch(self, view: GroupView) -> Watcher:
        """A new watcher of a group, whose first state is at least as new as `view`; give it back with `leave`.

        Raises `Overloaded` where this process has as many as it takes, or is stopping.
        """
        if self._watchers >= WATCHERS_MAX or self._stopping:
            raise Overloaded
        if not self._tasks:
            self._tasks = [asyncio.create_task(loop) for loop in (self._ask(), self._beat(), self._freshness.run())]
        watched = self._watched.get(view.id)
        if watched is None:
            watched = self._watched[view.id] = _Watched(view, asyncio.get_running_loop())
            self._feed.add(view.id)
        else:
            watched.offer(view)
        self._watchers += 1
        return watched.add()

    def leave(self, watcher: Watcher) -> None:
        """End a watcher."""
        watched = watcher._watched  # noqa: SLF001 - a watcher is this module's own
        watcher.end()
        if not watched.discard(watcher):
            return
        self._watchers -= 1
        if not watched.watchers:
            del self._watched[watched.group_id]
            self._feed.discard(watched.group_id)

    def offer(self, views: Iterable[GroupView]) -> None:
        """States this process has seen; of groups nobody watches here nothing is kept."""
        if self._watched:
            for view in views:
                watched = self._watched.get(view.id)
                if watched is not None:
                    watched.offer(view)

    async def stop(self) -> None:
        """End every watcher and stop listening."""
        self.end_all()
        await self._feed.stop()
        await end(*self._tasks)

    def end_all(self) -> None:
        """End every watcher and take no more."""
        self._stopping = True
        for watched in self._watched.values():
            watched.end()

    def _changed(self, group_id: UUID, document: bytes) -> None:
        watched = self._watched.get(group_id)
        if watched is not None:
            watched.offer(_decode(document), document)

    def _listening(self, group_id: UUID) -> None:
        """From now on its changes arrive; those before may have been missed."""
        self._to_ask.add(group_id)
        self._something_to_ask.set()

    async def _ask(self) -> None:
        """Ask PostgreSQL for groups whose changes may have been missed; all watched ones while any change may be."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._something_to_ask.wait()
            self._something_to_ask.clear()
            if self._may_miss_changes() and time.monotonic() - self._asked_all_at >= ASK_EVERY_S:
                self._asked_all_at = time.monotonic()
                self._to_ask.update(self._watched)
            await self._ask_now()

    def _may_miss_changes(self) -> bool:
        """Whether Redis tells nothing now, or has not been proven to tell everything."""
        return not self._feed.is_listening or self._freshness.unproven_s > UNPROVEN_S_MAX

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY_S)
            for watched in list(self._watched.values()):
                for watcher in list(watched.watchers):
                    watcher.beat()
                await asyncio.sleep(0)

    async def _ask_now(self) -> None:
        while group_ids := [self._to_ask.pop() for _ in range(min(len(self._to_ask), GROUPS_ASKED_AT_ONCE))]:
            wanted = [group_id for group_id in group_ids if group_id in self._watched]
            try:
                self.offer((await self._groups.get_all_fresh(wanted)).values())
            except Unavailable as error:
                self._to_ask.update(group_ids)
                _log.debug("live_view_waits", why=str(error.__cause__ or error))
                await asyncio.sleep(ASK_EVERY_S)


class _Watched:
    """A group with watchers here, and its newest state."""

    def __init__(self, view: GroupView, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.group_id = view.id
        self.newest = Seen(view.version, _encode(view), view.is_closed)
        self.watchers: dict[Watcher, None] = {}
        self._telling: asyncio.Task[None] | None = None
        self._told_version = view.version

    def add(self) -> Watcher:
        watcher = Watcher(self, self._loop)
        self.watchers[watcher] = None
        return watcher

    def discard(self, watcher: Watcher) -> bool:
        """Whether it was there."""
        return self.watchers.pop(watcher, self) is None

    def offer(self, view: GroupView, document: bytes | None = None) -> None:
        """Take a state if it is newer than the one known."""
        if view.version <= self.newest.version:
            return
        self.newest = Seen(view.version, document or _encode(view), view.is_closed)
        if self._telling is None:
            self._telling = self._loop.create_task(self._tell())

    def end(self) -> None:
        for watcher in self.watchers:
            watcher.end()

    async def _tell(self) -> None:
        """Wake the watchers, a few at a time, so that requests are answered in between; then rest in proportion."""
        try:
            while self._told_version < self.newest.version:
                self._told_version = self.newest.version
                for number, watcher in enumerate(list(self.watchers)):
                    watcher.wake()
                    if number % WOKEN_AT_ONCE == WOKEN_AT_ONCE - 1:
                        await asyncio.sleep(0)
                await asyncio.sleep(REST_PER_WATCHER_S * len(self.watchers))
        finally:
            self._telling = None
