"""Changes of groups as Redis tells them: one connection of this process, subscribed to the groups watched in it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from infra.ending import end
from infra.redis_keys import changes_channel

REST_AFTER_ERROR_S = 0.5
# A connection that is silent for so long is asked whether it still lives, and given up if it stays silent.
SILENT_FOR_S_MAX = 2.0
CHANNELS_AT_ONCE = 1_000

_log = structlog.get_logger(__name__)


class ChangesFeed:
    """Listens to channels that come and go; after any gap it says so, as what was told meanwhile is lost."""

    def __init__(
        self,
        redis: Redis,
        *,
        on_change: Callable[[UUID, bytes], None],
        on_listening: Callable[[UUID], None],
    ) -> None:
        self._redis = redis
        self._on_change = on_change
        self._on_listening = on_listening
        self._wanted: set[UUID] = set()
        self._touched: set[UUID] = set()
        self._wanted_changed = asyncio.Event()
        self._subscribed: dict[bytes, UUID] = {}
        self._running: asyncio.Task[None] | None = None
        self._is_listening = False
        self._is_away = False

    @property
    def is_listening(self) -> bool:
        """Whether changes arrive now."""
        return self._is_listening

    def add(self, group_id: UUID) -> None:
        """Listen to a group."""
        self._wanted.add(group_id)
        self._touched.add(group_id)
        self._wanted_changed.set()
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    def discard(self, group_id: UUID) -> None:
        """Listen to it no more."""
        self._wanted.discard(group_id)
        self._touched.add(group_id)
        self._wanted_changed.set()

    async def stop(self) -> None:
        """Listen to nothing more."""
        await end(self._running)

    async def _run(self) -> None:
        while True:
            if not self._wanted:
                await self._wanted_changed.wait()
                self._wanted_changed.clear()
                continue
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if not self._is_away:
                    _log.warning("live_view_polls", why=str(error), until="Redis is back")
                self._is_away = True
                await asyncio.sleep(REST_AFTER_ERROR_S)

    async def _listen(self) -> None:
        """Listen until the connection breaks or nobody watches anything."""
        self._touched = set(self._wanted)
        pubsub = self._redis.pubsub()
        reading: asyncio.Task[None] | None = None
        try:
            while self._wanted:
                self._wanted_changed.clear()
                await self._subscribe(pubsub)
                reading = reading or asyncio.create_task(self._read(pubsub))
                changed = asyncio.create_task(self._wanted_changed.wait())
                await asyncio.wait([reading, changed], return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if reading.done():
                    return reading.result()
        finally:
            self._is_listening = False
            self._subscribed.clear()
            await end(reading)
            await pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py 5 leaves it out

    async def _subscribe(self, pubsub: PubSub) -> None:
        """Make the subscriptions of the groups that came or went those that are wanted."""
        touched, self._touched = self._touched, set()
        channels = {changes_channel(group_id).encode(): group_id for group_id in touched}
        gone = [channel for channel, group_id in channels.items() if group_id not in self._wanted]
        new = [channel for channel, group_id in channels.items() if group_id in self._wanted]
        self._subscribed.update((channel, channels[channel]) for channel in new)
        for part in _parts(new):
            await pubsub.subscribe(*part)
        for channel in gone:
            self._subscribed.pop(channel, None)
        for part in _parts(gone):
            await pubsub.unsubscribe(*part)

    async def _read(self, pubsub: PubSub) -> None:
        """Hand on what comes; raises where the connection is broken or dead."""
        is_asked = False
        while True:
            message = await pubsub.get_message(timeout=SILENT_FOR_S_MAX)
            if message is None:
                if is_asked:
                    raise RedisConnectionError("Redis has not been heard of")
                await pubsub.ping()
            is_asked = message is None
            if message is not None:
                self._take(message)

    def _take(self, message: Mapping[str, Any]) -> None:
        group_id = self._subscribed.get(message["channel"])
        if group_id is None:
            return
        if message["type"] == "message":
            self._on_change(group_id, message["data"])
        elif message["type"] == "subscribe":
            if self._is_away:
                _log.info("live_view_listens")
            self._is_listening, self._is_away = True, False
            self._on_listening(group_id)


def _parts(channels: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(channels), CHANNELS_AT_ONCE):
        yield channels[start : start + CHANNELS_AT_ONCE]
