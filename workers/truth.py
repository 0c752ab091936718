"""Counting anew what the write path keeps as it goes, and comparing: places, units, stock, joins through invites."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

DEALS_AT_ONCE = 1_000

_DEALS_AFTER = text("""
  SELECT id, coalesce((SELECT sum(participants) FROM groups WHERE deal_id = deals.id), 0)::bigint
  FROM deals WHERE id > :after AND lifecycle <> 'draft' ORDER BY id LIMIT :deals_max""")

# One statement, so that everything in it is of one moment.
_DIFFERENCES = text("""
  WITH places AS MATERIALIZED (
    SELECT deal_id, group_id, variant_id, count(*) AS places, sum(quantity) AS units
    FROM participants WHERE deal_id = ANY(CAST(:deal_ids AS uuid[])) GROUP BY deal_id, group_id, variant_id
  ), by_group AS (
    SELECT deal_id, group_id, sum(places) AS participants, jsonb_object_agg(variant_id, units) AS units
    FROM places GROUP BY deal_id, group_id
  ), by_variant AS (
    SELECT places.deal_id, variant_id, sum(units) AS units FROM places
    JOIN groups ON groups.deal_id = places.deal_id AND groups.id = places.group_id
      AND groups.status IN ('open', 'succeeded')
    GROUP BY places.deal_id, variant_id
  ), taken AS (
    SELECT deal_id, variant_id, sum(units) AS units FROM (
      SELECT deal_id, variant_id, units FROM by_variant
      UNION ALL
      SELECT deal_id, variant_id, quantity FROM payments
      WHERE holds_units AND deal_id = ANY(CAST(:deal_ids AS uuid[]))
      UNION ALL
      SELECT p.deal_id, p.variant_id, -p.quantity FROM participants p
      JOIN groups ON groups.deal_id = p.deal_id AND groups.id = p.group_id AND groups.status IN ('open', 'succeeded')
      WHERE p.dropped_at IS NOT NULL AND p.deal_id = ANY(CAST(:deal_ids AS uuid[]))) AS each
    GROUP BY deal_id, variant_id
  ), by_invite AS (
    SELECT invite_code, count(*) AS joins FROM participants
    WHERE deal_id = ANY(CAST(:deal_ids AS uuid[])) AND invite_code IS NOT NULL GROUP BY invite_code
  ), kept AS (
    SELECT groups.*, (
      SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(units_by_variant) WHERE value <> '0') AS units
    FROM groups WHERE deal_id = ANY(CAST(:deal_ids AS uuid[]))
  )
  SELECT 'participants of group' AS what, kept.deal_id, id::text AS id, kept.participants::text AS kept,
    coalesce(by_group.participants, 0)::text AS counted
  FROM kept LEFT JOIN by_group ON by_group.deal_id = kept.deal_id AND group_id = id
  WHERE kept.participants <> coalesce(by_group.participants, 0)
  UNION ALL
  SELECT 'units of group', kept.deal_id, id::text, kept.units::text, coalesce(by_group.units, '{}')::text
  FROM kept LEFT JOIN by_group ON by_group.deal_id = kept.deal_id AND group_id = id
  WHERE kept.units <> coalesce(by_group.units, '{}')
  UNION ALL
  SELECT 'stock left of variant', variants.deal_id, id::text, stock_left::text, (stock - coalesce(units, 0))::text
  FROM variants LEFT JOIN taken ON taken.deal_id = variants.deal_id AND variant_id = id
  WHERE variants.deal_id = ANY(CAST(:deal_ids AS uuid[])) AND stock_left <> stock - coalesce(units, 0)
  UNION ALL
  SELECT 'joins of invite', invites.deal_id, code, invites.joins::text, coalesce(by_invite.joins, 0)::text
  FROM kept JOIN invites ON invites.deal_id = kept.deal_id AND invites.group_id = kept.id
    LEFT JOIN by_invite ON invite_code = code
  WHERE invites.joins <> coalesce(by_invite.joins, 0)""")


class Difference(NamedTuple):
    """Something that is kept otherwise than it is counted; `id` is a group's, a variant's or an invite's code."""

    what: str
    deal_id: UUID
    id: str
    kept: str
    counted: str


async def deals_after(engine: AsyncEngine, after: UUID) -> Sequence[tuple[UUID, int]]:
    """Published deals in the order of their ids, each with about how many places there are to count."""
    async with engine.connect() as connection:
        rows = await connection.execute(_DEALS_AFTER, {"after": after, "deals_max": DEALS_AT_ONCE})
        return [(deal_id, places) for deal_id, places in rows]


async def differences_in(engine: AsyncEngine, deal_ids: Sequence[UUID]) -> list[Difference]:
    """Where these deals keep something else than counting gives."""
    async with engine.connect() as connection:
        rows = await connection.execute(_DIFFERENCES, {"deal_ids": deal_ids})
        return [Difference(*row) for row in rows]
