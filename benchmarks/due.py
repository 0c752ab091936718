"""Groups that fall due together, as rows: every counter agrees with them."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg

from benchmarks.offers import open_groups
from domain.pricing.schedule import Tier
from infra.settings import Settings

DEALS = 100
TIPS_AT = 3

_OPEN = """
  INSERT INTO groups (deal_id, id, leader_id, terms, group_size_max, status, participants, units_by_variant,
                      next_tier_at, version, opened_at, expires_at)
  SELECT g.deal_id, gen_random_uuid(), gen_random_uuid(), g.terms, g.group_size_max, 'open', size,
         jsonb_build_object(v.id, size), CASE WHEN size < $2 THEN $2 END, size + 1, clock_timestamp(), $3
  FROM groups g JOIN variants v ON v.deal_id = g.deal_id
  CROSS JOIN LATERAL (SELECT 2 + n % 2 AS size FROM generate_series(1, $4::int) AS n) AS new
  WHERE g.id = ANY($1::uuid[])
  RETURNING id"""
_JOIN = """
  INSERT INTO participants (deal_id, shopper_id, group_id, variant_id, quantity, hold_minor, number, joined_at)
  SELECT g.deal_id, CASE n WHEN 1 THEN g.leader_id ELSE gen_random_uuid() END, g.id, v.id, 1, 900, n + 1, g.opened_at
  FROM groups g JOIN variants v ON v.deal_id = g.deal_id CROSS JOIN LATERAL generate_series(1, g.participants) AS n
  WHERE g.id = ANY($1::uuid[])"""
_TAKE = """
  UPDATE variants SET stock_left = stock_left - taken.units
  FROM (SELECT deal_id, sum(participants) AS units FROM groups WHERE id = ANY($1::uuid[]) GROUP BY 1) AS taken
  WHERE variants.deal_id = taken.deal_id"""


def open_due(settings: Settings, count: int, in_s: float) -> tuple[datetime, list[str]]:
    """Groups of 2 and of 3 participants, half and half, with one deadline in so many seconds; the deadline and ids."""
    templates = open_groups(settings, DEALS, tiers=(Tier(TIPS_AT, 900),), group_size_max=5)
    return asyncio.run(_insert(settings, [str(group.group_id) for group in templates], count // DEALS, in_s))


async def _insert(settings: Settings, templates: list[str], per_deal: int, in_s: float) -> tuple[datetime, list[str]]:
    connection = await asyncpg.connect(settings.database_url)
    try:
        expires_at = datetime.now(UTC) + timedelta(seconds=in_s)
        async with connection.transaction():
            rows = await connection.fetch(_OPEN, templates, TIPS_AT, expires_at, per_deal)
            group_ids = [str(row["id"]) for row in rows]
            await connection.execute(_JOIN, group_ids)
            await connection.execute(_TAKE, group_ids)
        await connection.execute("ANALYZE groups, participants")
    finally:
        await connection.close()
    return expires_at, group_ids
