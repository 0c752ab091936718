"""How much of what was told is kept: nobody's inbox grows for ever."""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.deal import GROUP_LIFETIME_S_MAX

NOTICES_PER_ACCOUNT_MAX: Final = 200
NOTICES_KEPT_FOR_DAYS: Final = 90
TELLINGS_KEPT_FOR_DAYS: Final = GROUP_LIFETIME_S_MAX // (24 * 3_600) + 1
"""Longer than any group lives: it goes on counting what it was told from the last telling."""
ROWS_AT_ONCE: Final = 1_000
ACCOUNTS_AT_ONCE: Final = 500

_FORGET_OLD: Final = text("""
  DELETE FROM notices WHERE id = ANY(ARRAY(
    SELECT id FROM notices WHERE at < now() - make_interval(days => :days)
    ORDER BY at LIMIT :rows_max FOR UPDATE SKIP LOCKED))""")
_FORGET_TOLD: Final = text("""
  DELETE FROM tellings WHERE id = ANY(ARRAY(
    SELECT id FROM tellings WHERE done_at < now() - make_interval(days => :days)
    ORDER BY done_at LIMIT :rows_max FOR UPDATE SKIP LOCKED))""")
# From one account that has notices to the next: an index finds each without reading those of the one before.
_TRIM: Final = text("""
  WITH RECURSIVE owner (account_id, number) AS (
    (SELECT account_id, 1 FROM notices WHERE account_id > :after ORDER BY account_id LIMIT 1)
    UNION ALL
    SELECT (SELECT n.account_id FROM notices n WHERE n.account_id > owner.account_id ORDER BY n.account_id LIMIT 1),
      number + 1
    FROM owner WHERE owner.account_id IS NOT NULL AND number < :accounts_max
  ), gone AS (
    DELETE FROM notices USING owner CROSS JOIN LATERAL (
      SELECT id FROM notices n WHERE n.account_id = owner.account_id ORDER BY n.at DESC, n.id DESC
      OFFSET :notices_max FOR UPDATE SKIP LOCKED) surplus
    WHERE notices.id = surplus.id
  )
  SELECT max(account_id::text)::uuid, count(*) FROM owner WHERE account_id IS NOT NULL""")


async def forget_old_notices(engine: AsyncEngine, *, rows_max: int = ROWS_AT_ONCE) -> bool:
    """Delete some notices of long ago, and some of what says that they were told; answers whether there may be more."""
    is_more = False
    for statement, days in ((_FORGET_OLD, NOTICES_KEPT_FOR_DAYS), (_FORGET_TOLD, TELLINGS_KEPT_FOR_DAYS)):
        async with engine.begin() as connection:
            forgotten = (await connection.execute(statement, {"days": days, "rows_max": rows_max})).rowcount
        is_more = is_more or forgotten == rows_max
    return is_more


async def trim_inboxes(engine: AsyncEngine, after: UUID) -> UUID | None:
    """Keep the newest notices of the next accounts behind this one; answers the last of them, None at the end."""
    asked = {"after": after, "accounts_max": ACCOUNTS_AT_ONCE, "notices_max": NOTICES_PER_ACCOUNT_MAX}
    async with engine.begin() as connection:
        last, accounts = (await connection.execute(_TRIM, asked)).one()
    return last if accounts == ACCOUNTS_AT_ONCE else None
