"""A group with a million participants, as rows: every counter agrees with them."""

import asyncio

import asyncpg

from benchmarks.offers import Opened, open_groups
from infra.settings import Settings

MILLION = 1_000_000

_FILL = """
  INSERT INTO participants (deal_id, shopper_id, group_id, variant_id, quantity, hold_minor, number, joined_at)
  SELECT $1, gen_random_uuid(), $2, $3, 1, 900, version + n, opened_at
  FROM groups CROSS JOIN generate_series(1, $4::int) AS n WHERE id = $2"""
_COUNT = """
  UPDATE groups SET participants = participants + $3::int, version = version + $3::int, next_tier_at = NULL,
         units_by_variant = jsonb_build_object($2::uuid, participants + $3::int)
  WHERE id = $1"""
_TAKE = "UPDATE variants SET stock_left = stock_left - $2::int WHERE deal_id = $1"


def open_million(settings: Settings) -> Opened:
    """A group with a leader and a million others."""
    group = open_groups(settings)[0]
    asyncio.run(_fill(settings, group))
    return group


async def _fill(settings: Settings, group: Opened) -> None:
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(_FILL, group.deal_id, group.group_id, group.variant_id, MILLION)
            await connection.execute(_COUNT, group.group_id, group.variant_id, MILLION)
            await connection.execute(_TAKE, group.deal_id, MILLION)
        # Writing a million rows is not what is measured: let it come to rest.
        await connection.execute("VACUUM ANALYZE participants")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
