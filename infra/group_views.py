"""Groups as anyone may see them: from this process's memory for a moment, else from Redis, else from PostgreSQL."""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.counters import Counters
from infra.gathering import Gathering
from infra.loading_sql import GROUP_COLUMNS
from infra.reading.fetching import fetch_json
from infra.rows import GroupRow, group_from
from infra.views import GroupView, group_view

FRESH_S = 0.2
"""How old a state from Redis may get, from the question on: with `LEASE_S` before it, under the promised second."""
REMEMBERED_MAX = 50_000

_LOAD_GROUPS = text(
    "SELECT coalesce(json_agg(g), '[]')::text"  # noqa: S608 - a constant
    f" FROM (SELECT {GROUP_COLUMNS} FROM groups WHERE id = ANY(CAST(:group_ids AS uuid[]))) g"
)
_decode = msgspec.json.Decoder(list[GroupRow]).decode


async def load_views(engine: AsyncEngine, group_ids: Sequence[UUID]) -> dict[UUID, GroupView]:
    """The states PostgreSQL has; raises `Unavailable`."""
    rows = _decode(await fetch_json(engine, _LOAD_GROUPS, {"group_ids": list(group_ids)}))
    return {row.id: group_view(group_from(row)) for row in rows}


class _Seen(NamedTuple):
    """What Redis shows of a group, and whether that is fresh."""

    view: GroupView
    is_fresh: bool


class GroupViews:
    """Reads states of groups and keeps each for a moment."""

    def __init__(self, engine: AsyncEngine, counters: Counters) -> None:
        self._engine = engine
        self._counters = counters
        self._remembered: dict[UUID, tuple[float, GroupView]] = {}
        self._in_redis = Gathering(self._look)
        self._in_postgresql = Gathering(self.get_all_fresh)

    async def get(self, group_id: UUID) -> GroupView | None:
        """A state at most a second old; None for no such group. Raises `Unavailable`."""
        known = self.peek(group_id, FRESH_S)
        if known is not None:
            return known
        seen = await self._in_redis.get(group_id)
        if seen is not None and (seen.is_fresh or seen.view.is_final):
            return seen.view
        view = await self.get_fresh(group_id)
        if view is not None:
            self._counters.offer([view])
        return view

    async def get_fresh(self, group_id: UUID) -> GroupView | None:
        """The state PostgreSQL has now, asked together with others but not before this; raises `Unavailable`."""
        return await self._in_postgresql.get(group_id)

    async def get_all_fresh(self, group_ids: Sequence[UUID]) -> dict[UUID, GroupView]:
        """The states PostgreSQL has now of these groups; raises `Unavailable`."""
        asked_at = time.monotonic()
        found = await load_views(self._engine, group_ids)
        self.offer(found.values(), asked_at)
        return found

    async def get_cheap(self, group_id: UUID, age_s_max: float) -> GroupView | None:
        """A state that needs no PostgreSQL, perhaps old; None where neither memory nor Redis has one."""
        known = self.peek(group_id, age_s_max)
        if known is not None:
            return known
        seen = await self._in_redis.get(group_id)
        return None if seen is None else seen.view

    def peek(self, group_id: UUID, age_s_max: float) -> GroupView | None:
        """The remembered state, if it is no older than that or final."""
        remembered = self._remembered.get(group_id)
        if remembered is None:
            return None
        seen_at, view = remembered
        return view if view.is_final or time.monotonic() - seen_at <= age_s_max else None

    def offer(self, views: Iterable[GroupView], seen_at: float | None = None) -> None:
        """Remember states, seen now or then; an older version never replaces a newer one."""
        if seen_at is None:
            seen_at = time.monotonic()
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        for view in views:
            remembered = self._remembered.get(view.id)
            if remembered is None or (remembered[1].version, remembered[0]) <= (view.version, seen_at):
                self._remembered[view.id] = (seen_at, view)

    async def _look(self, group_ids: list[UUID]) -> dict[UUID, _Seen]:
        """What Redis shows; an answer that took long is not fresh, as Redis may have stopped before the last of it."""
        asked_at = time.monotonic()
        views, is_proven = await self._counters.look(group_ids)
        is_fresh = is_proven and time.monotonic() - asked_at <= FRESH_S
        self.offer((view for view in views.values() if is_fresh or view.is_final), asked_at)
        return {group_id: _Seen(view, is_fresh) for group_id, view in views.items()}
