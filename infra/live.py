"""Placeholder of the interface until the hub lands."""

from collections.abc import Iterable

from redis.asyncio import Redis

from infra.group_views import GroupViews
from infra.views import GroupView


class Hub:
    def __init__(self, redis: Redis, groups: GroupViews) -> None:
        self._redis, self._groups = redis, groups

    def offer(self, views: Iterable[GroupView]) -> None: ...

    async def stop(self) -> None: ...
