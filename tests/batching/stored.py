"""Everything PostgreSQL holds, read row by row as a world: what the pure core's world is compared with."""

from uuid import UUID

import asyncpg
import msgspec

from domain.groupbuy.group import Invite
from domain.groupbuy.world import World
from infra.rows import DealRow, GroupRow, PlaceRow, deal_from, group_from, place_from

_EVERYTHING = """
SELECT json_build_object(
  'deals', (SELECT coalesce(json_agg(to_jsonb(d) || jsonb_build_object('variants', (
      SELECT jsonb_agg(v ORDER BY v.position) FROM variants v WHERE v.deal_id = d.id))), '[]') FROM deals d),
  'stock', (SELECT coalesce(json_agg(json_build_array(deal_id, id, stock_left)), '[]') FROM variants),
  'groups', (SELECT coalesce(json_agg(g), '[]') FROM groups g),
  'for_lists', (SELECT coalesce(json_object_agg(id, json_build_array(group_size_max, next_tier_at)), '{}') FROM groups),
  'places', (SELECT coalesce(json_agg(p), '[]') FROM participants p),
  'invites', (SELECT coalesce(json_agg(i), '[]') FROM invites i)
)::text
"""


class _Rows(msgspec.Struct, frozen=True):
    deals: list[DealRow]
    stock: list[tuple[UUID, UUID, int]]
    groups: list[GroupRow]
    for_lists: dict[UUID, tuple[int, int | None]]
    places: list[PlaceRow]
    invites: list[Invite]


async def world_stored(connection: asyncpg.Connection) -> World:
    """All rows as the world they stand for; columns kept only for lists must say what the group says."""
    rows = msgspec.json.decode(await connection.fetchval(_EVERYTHING), type=_Rows)
    world = World(deals={row.id: deal_from(row) for row in rows.deals})
    for deal_id, variant_id, stock_left in rows.stock:
        world.stock_left.setdefault(deal_id, {})[variant_id] = stock_left
    for row in rows.groups:
        group = world.groups[row.id] = group_from(row)
        coming = group.terms.schedule.next_tier(group.participants)
        assert rows.for_lists[group.id] == (group.terms.group_size_max, coming.participants if coming else None)
    for place in rows.places:
        world.places.setdefault((place.deal_id, place.shopper_id), {})[place.group_id] = place_from(place)
    for invite in rows.invites:
        world.take_in_invite(invite)
    return world
