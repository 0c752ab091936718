"""The join as it is usually written: one transaction per request that locks the group's and the variant's row.

The same checks (the domain's own), the same rows, the same answer, a pool as an ordinary application has. A deal is
read once and kept, which is more than such an application would do.
"""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.access import caller_of
from api.answers import Answer
from api.group_answers import display_name, taken_place
from api.place_body import read_place
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.who_may import Access
from domain.groupbuy.commands import JoinGroup
from domain.groupbuy.deal import Deal
from domain.groupbuy.events import ParticipantJoined
from domain.groupbuy.world import Accepted, Refused, World
from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.loading import Loader
from infra.loading_sql import GROUP_COLUMNS, PLACE_COLUMNS
from infra.rows import GroupRow, PlaceRow, group_from, place_from
from infra.settings import Settings
from infra.views import group_view
from infra.wanted import Wanted

POOL_CONNECTIONS = 16

_LOCK_GROUP = text(f"""
  SELECT row_to_json(g)::text, clock_timestamp()
  FROM (SELECT {GROUP_COLUMNS} FROM groups WHERE id = :group_id FOR UPDATE) g""")
_LOCK_VARIANTS = text("SELECT id, stock_left FROM variants WHERE deal_id = :deal_id ORDER BY id FOR UPDATE")
_PLACES = text(f"""
  SELECT json_agg(q)::text FROM (
    SELECT {PLACE_COLUMNS} FROM participants p JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
    WHERE p.deal_id = :deal_id AND p.shopper_id = :shopper_id AND g.status IN ('open', 'succeeded')) q""")
_INSERT_PLACE = text("""
  INSERT INTO participants (deal_id, shopper_id, group_id, variant_id, quantity, hold_minor, number, joined_at,
                            invite_code, display_name)
  VALUES (:deal_id, :shopper_id, :group_id, :variant_id, :quantity, :hold_minor, :number, :joined_at,
          :invite_code, :display_name)""")
_UPDATE_GROUP = text("""
  UPDATE groups SET status = :status, participants = :participants, units_by_variant = CAST(:units AS text)::jsonb,
                    next_tier_at = :next_tier_at, version = :version, closed_at = :closed_at, closed_by = :closed_by
  WHERE deal_id = :deal_id AND id = :group_id""")
_UPDATE_VARIANT = text("UPDATE variants SET stock_left = :stock_left WHERE deal_id = :deal_id AND id = :variant_id")
_INSERT_EVENT = text("""
  INSERT INTO outbox (deal_id, group_id, version, events, at)
  VALUES (:deal_id, :group_id, :version, CAST(:events AS text)::json, :at)""")

_deals: dict[UUID, Deal] = {}


@route("POST", "/v1/groups/{group_id}/participants/by-locking", access=Access.SHOPPER)
async def join_by_locking(request: AnyRequest) -> Answer:
    group_id = path_id(request, "group_id")
    body = await read_place(request)
    caller, runtime = caller_of(request), runtime_of(request)
    command = JoinGroup(
        order_id=uuid4(),
        group_id=group_id,
        shopper_id=caller.subject,
        quantity=body.quantity,
        variant_id=body.variant_id,
        display_name=display_name(caller.name),
    )
    async with _engine(runtime.settings).begin() as connection:
        accepted = await _join(connection, command)
    if accepted.state.group is not None:
        runtime.counters.offer([group_view(accepted.state.group)])
    return taken_place(accepted)


@cache
def _engine(settings: Settings) -> AsyncEngine:
    return make_engine(settings, "tuan bench", connections_max=POOL_CONNECTIONS, planner=ALWAYS_BY_INDEX)


async def _join(connection: AsyncConnection, command: JoinGroup) -> Accepted:
    world, now = await _load(connection, command)
    outcome = world.tell(command, now)
    if isinstance(outcome, Refused):
        raise outcome.error
    for event in outcome.events:
        if isinstance(event, ParticipantJoined):
            await _save(connection, world, event)
    group = outcome.state.group
    if outcome.events and group is not None:
        row = {"deal_id": group.deal_id, "group_id": group.id, "version": group.version, "at": now}
        await connection.execute(_INSERT_EVENT, row | {"events": _json(outcome.events)})
    return outcome


async def _load(connection: AsyncConnection, command: JoinGroup) -> tuple[World, datetime]:
    document, now = (await connection.execute(_LOCK_GROUP, {"group_id": command.group_id})).one()
    group = group_from(msgspec.json.decode(document, type=GroupRow))
    deal_id = group.deal_id
    stock = (await connection.execute(_LOCK_VARIANTS, {"deal_id": deal_id})).all()
    asked = {"deal_id": deal_id, "shopper_id": command.shopper_id}
    places = (await connection.execute(_PLACES, asked)).scalar_one()
    world = World(
        deals={deal_id: await _deal(connection, deal_id)},
        groups={group.id: group},
        stock_left={deal_id: dict(row.tuple() for row in stock)},
    )
    for row in msgspec.json.decode(places, type=list[PlaceRow]) if places else ():
        world.places.setdefault((deal_id, row.shopper_id), {})[row.group_id] = place_from(row)
    return world, now


async def _deal(connection: AsyncConnection, deal_id: UUID) -> Deal:
    if deal_id not in _deals:
        driver = (await connection.get_raw_connection()).driver_connection
        loaded = await Loader().load(driver, Wanted(deal_ids={deal_id}))
        _deals[deal_id] = loaded.world.deals[deal_id]
    return _deals[deal_id]


async def _save(connection: AsyncConnection, world: World, joined: ParticipantJoined) -> None:
    group = world.groups[joined.group_id]
    place = world.places[(joined.deal_id, joined.shopper_id)][joined.group_id]
    coming = group.terms.schedule.next_tier(group.participants)
    key: dict[str, Any] = {"deal_id": group.deal_id, "group_id": group.id}
    await connection.execute(_INSERT_PLACE, key | {name: getattr(place, name) for name in place.__slots__})
    changed = {
        "status": group.status.value,
        "participants": group.participants,
        "units": _json(group.units_by_variant),
        "next_tier_at": coming.participants if coming else None,
        "version": group.version,
        "closed_at": group.closed_at,
        "closed_by": group.closed_by and group.closed_by.value,
    }
    await connection.execute(_UPDATE_GROUP, key | changed)
    stock_left = world.stock_left[joined.deal_id][joined.variant_id]
    stock = {"deal_id": joined.deal_id, "variant_id": joined.variant_id, "stock_left": stock_left}
    await connection.execute(_UPDATE_VARIANT, stock)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
