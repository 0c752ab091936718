"""The world again from the outbox alone: each event is taken in by `evolve`, from nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import msgspec

from domain.groupbuy import events as happenings
from domain.groupbuy.events import Event, GroupEvent, InviteCreated, InviteRevoked, ParticipantJoined, ParticipantLeft
from domain.groupbuy.evolve import evolve
from domain.groupbuy.state import State
from domain.groupbuy.world import World


@dataclass(frozen=True, slots=True)
class Chapter:
    """A row of the outbox: what one transaction did to one group, or to a deal itself, and the version it left."""

    deal_id: UUID
    group_id: UUID | None
    version: int
    events: list[Event]


class _Named(msgspec.Struct, frozen=True):
    type: str


async def chapters_told(connection: asyncpg.Connection) -> list[Chapter]:
    """The whole outbox in the order of its numbers: given under the deal's lock, they order each deal's rows."""
    rows = await connection.fetch("SELECT deal_id, group_id, version, events::text FROM outbox ORDER BY id")
    return [Chapter(row["deal_id"], row["group_id"], row["version"], _events(row["events"])) for row in rows]


def replayed(chapters: list[Chapter]) -> World:
    """What the events add up to; each row must leave its group in the version it names.

    Invites first: rows of one transaction do not say which group's came first, and a join in one may name another's.
    """
    world = World()
    for event in _all(chapters):
        if isinstance(event, InviteCreated):
            _take_in(world, event)
    for chapter in chapters:
        for event in chapter.events:
            if not isinstance(event, InviteCreated):
                _take_in(world, event)
        if chapter.group_id is not None:
            assert world.groups[chapter.group_id].version == chapter.version
    return world


def _events(column: str) -> list[Event]:
    parts = msgspec.json.decode(column, type=list[msgspec.Raw])
    return [msgspec.json.decode(part, type=getattr(happenings, _type_of(part))) for part in parts]


def _type_of(part: msgspec.Raw) -> str:
    return msgspec.json.decode(part, type=_Named).type


def _all(chapters: Iterable[Chapter]) -> Iterable[Event]:
    return (event for chapter in chapters for event in chapter.events)


def _take_in(world: World, event: Event) -> None:
    state = evolve(_state_before(world, event), event)
    if state.deal is not None:
        world.deals[event.deal_id] = state.deal
        world.stock_left[event.deal_id] = dict(state.stock_left)
    if isinstance(event, GroupEvent) and state.group is not None:
        world.groups[event.group_id] = state.group
    if isinstance(event, ParticipantJoined | ParticipantLeft):
        world.places[(event.deal_id, event.shopper_id)] = dict(state.places)
    if state.invite is not None:
        world.take_in_invite(state.invite)


def _state_before(world: World, event: Event) -> State:
    group = world.groups.get(event.group_id) if isinstance(event, GroupEvent) else None
    state = State(deal=world.deals.get(event.deal_id), group=group, stock_left=world.stock_left.get(event.deal_id, {}))
    if isinstance(event, InviteRevoked):
        return replace(state, invite=world.invites[event.code])
    if not isinstance(event, ParticipantJoined | ParticipantLeft):
        return state
    return replace(
        state,
        places=world.places.get((event.deal_id, event.shopper_id), {}),
        invite=world.invites[event.invite_code] if event.invite_code else None,
    )
