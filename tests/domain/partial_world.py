"""What a loader fetches for a batch, cut out of the whole world, and the saving of what the batch made of it.

The law that the database relies on: a batch decided in this part comes out as it would in the whole world.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from uuid import UUID

from domain.groupbuy.commands import (
    CancelGroup,
    CloseGroup,
    Command,
    CreateInvite,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
    RevokeInvite,
)
from domain.groupbuy.events import Event, InviteCreated, InviteRevoked, ParticipantJoined, ParticipantLeft
from domain.groupbuy.group import Place
from domain.groupbuy.world import World


def loaded_for(world: World, commands: Sequence[Command]) -> World:
    """Only the rows this batch needs, in containers of its own: no other group and no other member."""
    groups = {group_id: world.groups[group_id] for group_id in _groups_asked(commands) if group_id in world.groups}
    deal_ids = {group.deal_id for group in groups.values()}
    deal_ids |= {command.deal_id for command in commands if hasattr(command, "deal_id")} & world.deals.keys()
    part = World(
        deals={deal_id: world.deals[deal_id] for deal_id in deal_ids},
        groups=groups,
        stock_left={deal_id: dict(world.stock_left[deal_id]) for deal_id in deal_ids},
    )
    for deal_id, shopper_id in _askers(part, commands):
        places = _places_needed(world, part, deal_id, shopper_id)
        if places:
            part.places[(deal_id, shopper_id)] = places
    _load_invites(world, part, commands)
    _load_lines(world, part, commands)
    return part


def saved_into(world: World, part: World, before: World, events: Iterable[Event]) -> None:
    """Write what the batch made of its part into the whole; an invite's joins are counted from the events.

    The invite that brought somebody who leaves is not among the rows loaded.
    """
    world.deals |= part.deals
    world.groups |= part.groups
    world.stock_left |= {deal_id: dict(units) for deal_id, units in part.stock_left.items()}
    for key in part.places.keys() | before.places.keys():
        given_up = before.places.get(key, {}).keys() - part.places.get(key, {}).keys()
        kept = {group_id: place for group_id, place in world.places.get(key, {}).items() if group_id not in given_up}
        world.places[key] = kept | part.places.get(key, {})
    for event in events:
        match event:
            case InviteCreated():
                world.take_in_invite(replace(part.invites[event.code], joins=0))
            case InviteRevoked():
                world.take_in_invite(replace(world.invites[event.code], revoked_at=event.at))
            case ParticipantJoined(invite_code=str(code)):
                world.invites[code] = replace(world.invites[code], joins=world.invites[code].joins + 1)
            case ParticipantLeft(invite_code=str(code)):
                world.invites[code] = replace(world.invites[code], joins=world.invites[code].joins - 1)
            case _:
                pass


def contents(world: World) -> World:
    """The world without empty shelves, for comparing."""
    copy = deepcopy(world)
    copy.places = {key: places for key, places in copy.places.items() if places}
    return copy


def _groups_asked(commands: Iterable[Command]) -> set[UUID]:
    return {
        command.group_id
        for command in commands
        if isinstance(command, JoinGroup | LeaveGroup | CloseGroup | CancelGroup | CreateInvite | RevokeInvite)
    }


def _askers(part: World, commands: Iterable[Command]) -> set[tuple[UUID, UUID]]:
    """Who asks in which deal."""
    askers = set()
    for command in commands:
        match command:
            case OpenGroup():
                askers.add((command.deal_id, command.shopper_id))
            case JoinGroup() | LeaveGroup() if command.group_id in part.groups:
                askers.add((part.groups[command.group_id].deal_id, command.shopper_id))
            case CreateInvite() if command.group_id in part.groups:
                askers.add((part.groups[command.group_id].deal_id, command.sharer_id))
            case _:
                pass
    return askers


def _places_needed(world: World, part: World, deal_id: UUID, shopper_id: UUID) -> dict[UUID, Place]:
    """A shopper's places in the groups asked for, and in those of the deal that are open or succeeded."""
    return {
        group_id: place
        for group_id, place in world.places.get((deal_id, shopper_id), {}).items()
        if group_id in part.groups or world.groups[group_id].status in {"open", "succeeded"}
    }


def _places_asked(world: World, part: World, deal_id: UUID, shopper_id: UUID) -> dict[UUID, Place]:
    """A shopper's places in the groups asked for."""
    places = world.places.get((deal_id, shopper_id), {})
    return {group_id: place for group_id, place in places.items() if group_id in part.groups}


def _load_invites(world: World, part: World, commands: Iterable[Command]) -> None:
    """Invites that commands name, and all that a sharer has of the group."""
    codes = {command.invite_code for command in commands if isinstance(command, OpenGroup | JoinGroup)}
    codes |= {command.code for command in commands if isinstance(command, RevokeInvite)}
    sharing = {(command.group_id, command.sharer_id) for command in commands if isinstance(command, CreateInvite)}
    for invite in world.invites.values():
        if invite.code in codes or (invite.group_id, invite.sharer_id) in sharing:
            part.take_in_invite(invite)


def _load_lines(world: World, part: World, commands: Sequence[Command]) -> None:
    """The invites before those by which a sharer comes, and the places their sharers have in the groups asked for."""
    sharing = {command.sharer_id for command in commands if isinstance(command, CreateInvite)}
    sharers = sharing | {invite.sharer_id for invite in world.invites.values()}
    coming = [command for command in commands if isinstance(command, OpenGroup | JoinGroup)]
    waiting = [command.invite_code for command in coming if command.shopper_id in sharers]
    for key in _askers(part, commands):
        if key[1] in sharing:
            waiting += [place.invite_code for place in _places_asked(world, part, *key).values()]
    for code in waiting:
        invite = world.invites.get(code) if code else None
        if invite is None:
            continue
        part.take_in_invite(invite)
        key = (invite.deal_id, invite.sharer_id)
        places = _places_asked(world, part, *key)
        if places:
            part.places[key] = part.places.get(key, {}) | places
        before = {invite.parent_code, *(place.invite_code for place in places.values())}
        waiting += before.difference(waiting)
