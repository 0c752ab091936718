"""Counters: the state of each group in Redis, with proof of its freshness, and free to be lost at any time.

Whoever commits writes them at once, many at a time; the outbox relay writes them again. The script keeps what is
newer, whoever comes first, and tells watchers when something new was kept. It touches one group, whose id is the
key's hash tag.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from infra.freshness import IS_FRESH
from infra.redis_keys import changes_channel, view_key
from infra.redis_together import Command, ask_together
from infra.views import GroupView

WRITE_GROUPS_MAX = 500
REST_AFTER_WRITE_S = 0.1
"""A group that changes with every commit is written this often, not more: its watchers here are told at once anyway."""
REST_AFTER_ERROR_S = 0.5
KEPT_AFTER_DEADLINE_S = 24 * 3600

_KEEP_NEWER = """
local known = redis.call('HGET', KEYS[1], 'version')
if known and tonumber(known) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'status', ARGV[2], 'participants', ARGV[3], 'unit_price', ARGV[4],
  'seats_left', ARGV[5], 'expires_at', ARGV[6], 'doc', ARGV[7])
redis.call('EXPIREAT', KEYS[1], ARGV[8])
redis.call('PUBLISH', ARGV[9], ARGV[7])
return 1
"""

_KEEP_NEWER_SHA = sha1(_KEEP_NEWER.encode(), usedforsecurity=False).hexdigest()

_log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder(GroupView).decode
_encode = msgspec.json.Encoder().encode


class Look(NamedTuple):
    """What Redis shows of some groups, and whether that was proven to be at most `LEASE_S` old when it was asked."""

    views: dict[UUID, GroupView]
    is_fresh: bool


NOTHING = Look({}, is_fresh=False)


class Counters:
    """Reads and writes the groups' hashes; never fails a caller that only offers."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._offered: dict[UUID, GroupView] = {}
        self._writing: asyncio.Task[None] | None = None
        self._resting_until = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether Redis failed a moment ago, so that asking it now would only cost time."""
        return time.monotonic() < self._resting_until

    def offer(self, views: Iterable[GroupView]) -> None:
        """Write these soon, without waiting; of one group only the newest. What gets lost the relay brings."""
        if self.is_resting:
            return
        for view in views:
            self._offered[view.id] = view
        if self._offered and self._writing is None:
            self._writing = asyncio.create_task(self._write_offered())

    async def write(self, views: Sequence[GroupView]) -> None:
        """Write these now; raises `RedisError` where Redis does not take them."""
        for start in range(0, len(views), WRITE_GROUPS_MAX):
            commands = [_keep_newer(view) for view in views[start : start + WRITE_GROUPS_MAX]]
            try:
                await ask_together(self._redis, commands)
            except NoScriptError:
                await self._redis.script_load(_KEEP_NEWER)
                await ask_together(self._redis, commands)

    async def read(self, group_ids: Sequence[UUID]) -> dict[UUID, GroupView]:
        """The states Redis knows of these groups; raises `RedisError` where it does not answer."""
        return _views(group_ids, await ask_together(self._redis, _asking(group_ids)))

    async def look(self, group_ids: Sequence[UUID]) -> Look:
        """As `read`, with its freshness; nothing where Redis does not answer: PostgreSQL knows it all too."""
        if self.is_resting:
            return NOTHING
        try:
            is_fresh, *documents = await ask_together(self._redis, [IS_FRESH, *_asking(group_ids)])
            return Look(_views(group_ids, documents), bool(is_fresh))
        except (RedisError, OSError, TimeoutError, msgspec.DecodeError) as error:
            self._rest(error)
            return NOTHING

    async def stop(self) -> None:
        """Write what was offered, if Redis takes it."""
        if self._writing is not None:
            await self._writing

    async def _write_offered(self) -> None:
        try:
            while self._offered:
                views, self._offered = list(self._offered.values()), {}
                await self.write(views)
                await asyncio.sleep(REST_AFTER_WRITE_S)
        except (RedisError, OSError, TimeoutError) as error:
            self._offered.clear()
            self._rest(error)
        finally:
            self._writing = None

    def _rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + REST_AFTER_ERROR_S
        _log.debug("redis_unavailable", error=str(error))


def _asking(group_ids: Sequence[UUID]) -> list[Command]:
    return [("HGET", view_key(group_id), "doc") for group_id in group_ids]


def _views(group_ids: Sequence[UUID], documents: Sequence[Any]) -> dict[UUID, GroupView]:
    found = zip(group_ids, documents, strict=True)
    return {group_id: _decode(document) for group_id, document in found if document is not None}


def _keep_newer(view: GroupView) -> Command:
    kept_until = max(view.expires_at, datetime.now(UTC)).timestamp() + KEPT_AFTER_DEADLINE_S
    return (
        "EVALSHA",
        _KEEP_NEWER_SHA,
        1,
        view_key(view.id),
        view.version,
        view.status,
        view.participants,
        view.unit_price,
        view.seats_left,
        view.expires_at.isoformat(),
        _encode(view),
        int(kept_until),
        changes_channel(view.id),
    )
