"""Payments that are awaited and not made: their shoppers are reminded once, while there is time.

PostgreSQL says which: nothing is written for those who pay at once, as nearly everybody does.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.notices.kinds import Kind

AFTER_S: Final = 90.0
"""So long somebody is busy paying, and needs no reminder."""
LEFT_S: Final = 30.0
REMINDED_AT_ONCE: Final = 500

_REMIND: Final = text("""
  INSERT INTO tellings (about, kind, stage, deal_id, group_id, order_id, due_at, begun_at)
  SELECT order_id, :kind, 0, deal_id, group_id, order_id, clock_timestamp(), clock_timestamp() FROM payments p
  WHERE status = 'awaiting' AND pay_by > now() + make_interval(secs => :left_s)
    AND created_at <= now() - make_interval(secs => :after_s)
    AND NOT EXISTS (SELECT FROM tellings t WHERE t.about = p.order_id AND t.kind = :kind AND t.stage = 0)
  ORDER BY pay_by LIMIT :rows_max
  ON CONFLICT DO NOTHING""")


async def remind(engine: AsyncEngine, *, rows_max: int = REMINDED_AT_ONCE) -> int:
    """Answers of how many payments is to be told now."""
    asked = {"kind": Kind.PAYMENT_NEEDED, "left_s": LEFT_S, "after_s": AFTER_S, "rows_max": rows_max}
    async with engine.begin() as connection:
        return (await connection.execute(_REMIND, asked)).rowcount
