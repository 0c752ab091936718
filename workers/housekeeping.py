"""Tidying: what lists are sorted by, answers nobody will ask for again, and codes that are good for nothing."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

KEYS_KEPT_FOR_H = 72
KEYS_AT_ONCE = 1_000
CODES_KEPT_FOR_H = 24
CODES_AT_ONCE = 1_000
DEALS_AT_ONCE = 50

_POPULAR_NOW = text("""
  SELECT deal_id FROM deals JOIN variants ON variants.deal_id = deals.id
  GROUP BY deal_id, units_taken HAVING sum(stock - stock_left) <> units_taken ORDER BY deal_id""")
# In the order of ids, as every other lock of deals, so that nobody waits for us while we wait for him.
_REFRESH = text("""
  WITH locked AS MATERIALIZED (
    SELECT id FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE
  )
  UPDATE deals SET units_taken = (SELECT sum(stock - stock_left) FROM variants WHERE deal_id = deals.id)
  FROM locked WHERE deals.id = locked.id""")
_FORGET = text("""
  DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < clock_timestamp() - make_interval(hours => :hours)
    LIMIT :keys_max FOR UPDATE SKIP LOCKED))""")
_FORGET_CODES = text("""
  DELETE FROM sign_in_codes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM sign_in_codes WHERE expires_at < clock_timestamp() - make_interval(hours => :hours)
    LIMIT :codes_max FOR UPDATE SKIP LOCKED))""")


async def refresh_units_taken(engine: AsyncEngine) -> None:
    """Bring `deals.units_taken`, by which popular deals are found, up to date."""
    async with engine.connect() as connection:
        deal_ids = (await connection.execute(_POPULAR_NOW)).scalars().all()
    for part in _parts(deal_ids):
        async with engine.begin() as connection:
            await connection.execute(_REFRESH, {"deal_ids": part})


async def forget_old_keys(engine: AsyncEngine) -> int:
    """Delete idempotency keys that no retry will bring any more; answers how many."""
    forgotten, last = 0, KEYS_AT_ONCE
    while last == KEYS_AT_ONCE:
        async with engine.begin() as connection:
            last = (await connection.execute(_FORGET, {"hours": KEYS_KEPT_FOR_H, "keys_max": KEYS_AT_ONCE})).rowcount
        forgotten += last
    return forgotten


async def forget_old_codes(engine: AsyncEngine) -> int:
    """Delete what is left of codes a day after they expired, and with it where they went; answers how many."""
    forgotten, last = 0, CODES_AT_ONCE
    while last == CODES_AT_ONCE:
        async with engine.begin() as connection:
            old = {"hours": CODES_KEPT_FOR_H, "codes_max": CODES_AT_ONCE}
            last = (await connection.execute(_FORGET_CODES, old)).rowcount
        forgotten += last
    return forgotten


def _parts(deal_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(deal_ids), DEALS_AT_ONCE):
        yield deal_ids[start : start + DEALS_AT_ONCE]
