"""Groups in lists: those of a deal one could join, who is in one, and a shopper's own."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.cursors import Count, MomentUs, Position, decode, microseconds, moment
from infra.reading.fetching import fetch_json
from infra.reading.group_listing import NO_TIER_TO_COME, groups_of_shopper, open_groups, participants_of_group
from infra.reading.names import Profile, name_now, shown_name
from infra.reading.page import LIMIT_DEFAULT, Page, page_of
from infra.rows import GroupRow, PlaceRow, group_from, place_from
from infra.views import GroupView, PlaceView, group_view, place_view


class ParticipantView(msgspec.Struct, frozen=True, kw_only=True):
    """What anyone may know of a participant: what the account says now, without one what the token said at joining."""

    display_name: str
    avatar_url: str | None
    joined_at: datetime
    is_leader: bool


class MyGroup(GroupView, frozen=True, kw_only=True):
    """A group with the asking shopper's own place in it."""

    you: PlaceView


class OpenGroupsPosition(Position, frozen=True, tag="open_groups"):
    """A place in the list of a deal's open groups."""

    participants_needed: Count
    group_id: UUID


class ParticipantsPosition(Position, frozen=True, tag="participants"):
    """A place in the list of a group's participants."""

    number: Count


class MyGroupsPosition(Position, frozen=True, tag="my_groups"):
    """A place in the list of a shopper's groups."""

    joined_at_us: MomentUs
    group_id: UUID


class _ParticipantRow(msgspec.Struct, frozen=True):
    number: int
    shopper_id: UUID
    display_name: str | None
    joined_at: datetime
    is_leader: bool
    profile: Profile | None


class _MyGroupRow(msgspec.Struct, frozen=True):
    group: GroupRow
    place: PlaceRow


class _Groups(msgspec.Struct, frozen=True):
    rows: list[GroupRow] | None


class _Participants(msgspec.Struct, frozen=True):
    rows: list[_ParticipantRow] | None


class _MyGroups(msgspec.Struct, frozen=True):
    rows: list[_MyGroupRow] | None


async def list_open_groups(
    engine: AsyncEngine, deal_id: UUID, limit: int = LIMIT_DEFAULT, cursor: str | None = None
) -> Page[GroupView]:
    """Groups of a deal that can be joined, nearest to their next tier first, among equals the oldest.

    The order moves with every join: a group that comes nearer while somebody turns pages may be passed over.
    """
    given: dict[str, object] = {"deal_id": deal_id, "rows_max": limit + 1}
    if cursor is not None:
        after = decode(cursor, OpenGroupsPosition)
        given |= {"after_needed": after.participants_needed, "after_id": after.group_id}
    document = await fetch_json(engine, open_groups(is_first=cursor is None), given)
    views = [group_view(group_from(row)) for row in msgspec.json.decode(document, type=_Groups).rows or ()]
    return page_of(views, limit, lambda view: view, _open_groups_position)


async def list_participants(
    engine: AsyncEngine, group_id: UUID, limit: int = LIMIT_DEFAULT, cursor: str | None = None
) -> Page[ParticipantView]:
    """Who is in a group, in the order of joining."""
    after_number = decode(cursor, ParticipantsPosition).number if cursor is not None else 0
    given = {"group_id": group_id, "after_number": after_number, "rows_max": limit + 1}
    document = await fetch_json(engine, participants_of_group(), given)
    rows = msgspec.json.decode(document, type=_Participants).rows or ()
    return page_of(rows, limit, _participant_view, lambda row: ParticipantsPosition(row.number))


async def list_my_groups(
    engine: AsyncEngine,
    shopper_id: UUID,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
    *,
    has_merged: bool = False,
) -> Page[MyGroup]:
    """A shopper's groups, the one joined last first; `has_merged`: those under other ids too."""
    given: dict[str, object] = {"shopper_id": shopper_id, "rows_max": limit + 1}
    if cursor is not None:
        after = decode(cursor, MyGroupsPosition)
        given |= {"after_joined_at": moment(after.joined_at_us), "after_id": after.group_id}
    document = await fetch_json(engine, groups_of_shopper(is_first=cursor is None, has_merged=has_merged), given)
    rows = msgspec.json.decode(document, type=_MyGroups).rows or ()
    return page_of(rows, limit, _my_group, _my_groups_position)


def _open_groups_position(view: GroupView) -> OpenGroupsPosition:
    needed = view.next_tier.participants_needed if view.next_tier else NO_TIER_TO_COME
    return OpenGroupsPosition(needed, view.id)


def _participant_view(row: _ParticipantRow) -> ParticipantView:
    return ParticipantView(
        display_name=shown_name(name_now(row.profile, row.display_name), row.shopper_id),
        avatar_url=row.profile[1] if row.profile else None,
        joined_at=row.joined_at,
        is_leader=row.is_leader,
    )


def _my_group(row: _MyGroupRow) -> MyGroup:
    view = group_view(group_from(row.group))
    return MyGroup(**msgspec.structs.asdict(view), you=place_view(place_from(row.place), view))


def _my_groups_position(row: _MyGroupRow) -> MyGroupsPosition:
    return MyGroupsPosition(microseconds(row.place.joined_at), row.place.group_id)
