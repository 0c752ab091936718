"""What pages show of groups, kept for a moment: a link that everybody opens costs PostgreSQL a question a second.

The group's own state is as fresh as everywhere else (`GroupViews`). What stands around it - the deal, its merchant, who
is in, where else one could join - is at most `KEPT_S` old, and of who is in a newer group asks again after `REST_S`.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.deal import Terms
from infra.group_views import GroupViews
from infra.reading.deal_orders import DealSort
from infra.reading.deals import DealView, get_deal, list_deals
from infra.reading.group_terms import find_terms
from infra.reading.groups import ParticipantView, list_open_groups, list_participants
from infra.reading.merchants import get_merchant
from infra.recent import Recent
from infra.sharing.landing import FACES_MAX, Landing
from infra.sharing.links import KEPT_S, Link, Links
from infra.views import GroupView

REST_S: Final = 0.1
TERMS_KEPT_S: Final = 3_600.0  # they never change: only so that groups nobody asks about make room
DEALS_MAX: Final = 2_000
GROUPS_MAX: Final = 5_000
OTHER_GROUPS_MAX: Final = 5
OTHER_DEALS_MAX: Final = 4
AT_ONCE_MAX: Final = 4
_THE_ONE: Final = "popular"

Value = TypeVar("Value")


class _Sold(msgspec.Struct, frozen=True):
    deal: DealView
    merchant_name: str | None


class _People(msgspec.Struct, frozen=True):
    """Who is in a group at a version, or later."""

    of_version: int
    people: list[ParticipantView]


class Elsewhere(msgspec.Struct, frozen=True):
    """A deal with a group of it that one can join now."""

    deal: DealView
    group: GroupView


class Landings:
    """Reads what pages show."""

    def __init__(self, engine: AsyncEngine, groups: GroupViews) -> None:
        self._engine = engine
        self._groups = groups
        self.links = Links(engine)
        self._sold = Recent(_each(self._fetch_sold), kept_s=KEPT_S, keys_max=DEALS_MAX)
        self._terms = Recent(_each(self._fetch_terms), kept_s=TERMS_KEPT_S, keys_max=GROUPS_MAX)
        self._people = Recent(_each(self._fetch_people), kept_s=KEPT_S, keys_max=GROUPS_MAX)
        self._others = Recent(_each(self._fetch_others), kept_s=KEPT_S, keys_max=DEALS_MAX)
        self._seen_version: OrderedDict[UUID, int] = OrderedDict()
        self._elsewhere = Recent(self._fetch_elsewhere, kept_s=KEPT_S, keys_max=1)

    async def of_link(self, link: Link) -> Landing | None:
        """Where a link leads; None where its group cannot be shown. Raises `Unavailable`."""
        landing = await self.of_group(link.invite.group_id)
        return landing and msgspec.structs.replace(landing, invite=link.invite)

    async def of_group(self, group_id: UUID) -> Landing | None:
        """A group's own page; None for no such group. Raises `Unavailable`."""
        group = await self._groups.get(group_id)
        return None if group is None else await self.around(group)

    async def without_people(self, group_id: UUID) -> Landing | None:
        """As `of_group`, for what shows nobody who is in: texts and pictures. Raises `Unavailable`."""
        group = await self._groups.get(group_id)
        return None if group is None else await self._landing(group, [])

    async def around(self, group: GroupView, *, waits: bool = False) -> Landing | None:
        """A group in a state with what stands around it; raises `Unavailable`.

        Of who is in, the state before is shown for `REST_S` after the last question; one who `waits` gets the new one.
        """
        return await self._landing(group, await self._people_of(group, waits=waits))

    async def where_else(self, landing: Landing) -> tuple[list[GroupView], list[Elsewhere]]:
        """Groups and deals to go to once a group is closed or its deal sold out, none before; raises `Unavailable`."""
        if not landing.group.is_closed and landing.deal.units_left:
            return [], []
        return await self.other_groups(landing.group), await self.elsewhere()

    async def other_groups(self, group: GroupView) -> list[GroupView]:
        """Groups of the same deal that one can join; raises `Unavailable`."""
        others = await self._others.get(group.deal_id) or []
        return [other for other in others if other.id != group.id][:OTHER_GROUPS_MAX]

    async def elsewhere(self) -> list[Elsewhere]:
        """What is popular and can be joined; raises `Unavailable`."""
        return await self._elsewhere.get(_THE_ONE) or []

    async def _landing(self, group: GroupView, people: list[ParticipantView]) -> Landing | None:
        sold = await self._sold.get(group.deal_id)
        terms = await self._terms.get(group.id)
        if sold is None or terms is None:
            return None
        return Landing(deal=sold.deal, group=group, terms=terms, people=people, merchant_name=sold.merchant_name)

    async def _people_of(self, group: GroupView, *, waits: bool) -> list[ParticipantView]:
        """Who is in, as `around` says.

        One who `waits` gets no answer to a question of before this state was seen, not even when woken a little early:
        uvloop's timers count whole milliseconds.
        """
        self._note_seen(group)
        known = await self._people.get(group.id)
        while known is not None and known.of_version < group.version:
            rest_s = REST_S - (self._people.age_s(group.id) or 0.0)
            if rest_s > 0 and not waits:
                break
            await asyncio.sleep(max(rest_s, 0))
            self._note_seen(group)
            known = await self._people.get(group.id, REST_S)
        return known.people if known else []

    def _note_seen(self, group: GroupView) -> None:
        """Note which state has been seen: whatever PostgreSQL tells from now on is at least as new."""
        version = max(group.version, self._seen_version.pop(group.id, 0))
        self._seen_version[group.id] = version
        while len(self._seen_version) > GROUPS_MAX:
            self._seen_version.popitem(last=False)

    async def _fetch_people(self, group_id: UUID) -> _People:
        version = self._seen_version.get(group_id, 0)
        return _People(version, (await list_participants(self._engine, group_id, FACES_MAX)).items)

    async def _fetch_terms(self, group_id: UUID) -> Terms | None:
        return await find_terms(self._engine, group_id)

    async def _fetch_sold(self, deal_id: UUID) -> _Sold | None:
        deal = await get_deal(self._engine, deal_id)
        if deal is None:
            return None
        merchant = await get_merchant(self._engine, deal.merchant_id)
        return _Sold(deal, merchant.name if merchant else None)

    async def _fetch_others(self, deal_id: UUID) -> list[GroupView]:
        return (await list_open_groups(self._engine, deal_id, OTHER_GROUPS_MAX + 1)).items

    async def _fetch_elsewhere(self, keys: list[str]) -> Mapping[str, list[Elsewhere]]:
        popular = await list_deals(self._engine, sort=DealSort.POPULAR, limit=2 * OTHER_DEALS_MAX)
        joinable = await _each(self._fetch_nearest)([deal.id for deal in popular.items])
        found = [Elsewhere(deal, joinable[deal.id]) for deal in popular.items if deal.id in joinable]
        return dict.fromkeys(keys, found[:OTHER_DEALS_MAX])

    async def _fetch_nearest(self, deal_id: UUID) -> GroupView | None:
        return next(iter((await list_open_groups(self._engine, deal_id, 1)).items), None)


def _each(fetch: Callable[[UUID], Awaitable[Value | None]]) -> Callable[[list[UUID]], Awaitable[Mapping[UUID, Value]]]:
    """A look-up of several keys by one of a single key: a few at a time, so that others find a connection too."""

    async def fetch_each(keys: list[UUID]) -> Mapping[UUID, Value]:
        turns = asyncio.Semaphore(AT_ONCE_MAX)

        async def fetch_one(key: UUID) -> Value | None:
            async with turns:
                return await fetch(key)

        values = await asyncio.gather(*map(fetch_one, keys))
        return {key: value for key, value in zip(keys, values, strict=True) if value is not None}

    return fetch_each
