"""Refusing joins of closed groups without PostgreSQL: a fate is final, so what is known once is known for ever.

A closed group's members must still get the answer to a repeated join, so its members are read once; only somebody
who is not among them is refused here. What Redis says may be late, so it may refuse only what is final.
"""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.errors import GroupClosed, GroupFull
from domain.groupbuy.group import ClosedBy
from infra.gathering import Gathering
from infra.group_views import GroupViews
from infra.reading.fetching import fetch_json
from infra.unavailable import Unavailable
from infra.views import GroupView

VIEW_AGE_S_MAX = 1.0
MEMBERS_OF_ONE_MAX = 20_000
MEMBERS_REMEMBERED_MAX = 1_000_000

_MEMBERS = text("""
SELECT coalesce(json_object_agg(group_id, members), '{}')::text FROM (
  SELECT group_id, json_agg(shopper_id) AS members FROM participants
  WHERE group_id = ANY(CAST(:group_ids AS uuid[])) GROUP BY group_id) m
""")
_decode = msgspec.json.Decoder(dict[UUID, frozenset[UUID]]).decode


@dataclass(frozen=True, slots=True)
class _Closed:
    is_full: bool
    members: frozenset[UUID]


class ClosedGroups:
    """Remembers closed groups with their members, the least recently asked for going first."""

    def __init__(self, engine: AsyncEngine, views: GroupViews) -> None:
        self._engine = engine
        self._views = views
        self._closed: OrderedDict[UUID, _Closed] = OrderedDict()
        self._members_remembered = 0
        self._gathering = Gathering(self._load_members)

    async def refuse_join(self, group_id: UUID, shopper_id: UUID) -> None:
        """Raise `GroupFull` or `GroupClosed` where joining can no longer succeed; return where it may."""
        closed = self._closed.get(group_id) or await self._learn(group_id)
        if closed is None or shopper_id in closed.members:
            return
        self._closed.move_to_end(group_id)
        raise GroupFull if closed.is_full else GroupClosed

    async def _learn(self, group_id: UUID) -> _Closed | None:
        view = await self._views.get_cheap(group_id, VIEW_AGE_S_MAX)
        if view is None or not view.is_closed or view.participants > MEMBERS_OF_ONE_MAX:
            return None
        try:
            members = await self._gathering.get(group_id)
        except Unavailable:
            return None
        return self._closed.get(group_id) or self._remember(view, members or frozenset())

    def _remember(self, view: GroupView, members: frozenset[UUID]) -> _Closed:
        closed = self._closed[view.id] = _Closed(view.closed_by == ClosedBy.FULL, members)
        self._members_remembered += len(members) + 1
        while self._members_remembered > MEMBERS_REMEMBERED_MAX:
            _, forgotten = self._closed.popitem(last=False)
            self._members_remembered -= len(forgotten.members) + 1
        return closed

    async def _load_members(self, group_ids: list[UUID]) -> dict[UUID, frozenset[UUID]]:
        return _decode(await fetch_json(self._engine, _MEMBERS, {"group_ids": group_ids}))
