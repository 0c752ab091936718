"""What came of a place somebody had reserved in a group, and whether a guest has anything to lose."""

from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json
from infra.reading.selves import SELVES

MISSED = text(f"""
WITH selves AS {SELVES},
mine AS MATERIALIZED (
  SELECT * FROM payments WHERE shopper_id IN (SELECT id FROM selves) AND group_id = CAST(:group_id AS uuid)),
last AS (SELECT * FROM mine ORDER BY order_id DESC LIMIT 1)
SELECT coalesce((
  SELECT json_build_object('ran_out', s.created_at >= last.pay_by, 'came_late', last.late_at IS NOT NULL)
  FROM last JOIN settlements s ON s.deal_id = last.deal_id AND s.order_id = last.order_id
  WHERE last.status = 'lapsed'), 'null')::text""")  # noqa: S608 - a constant
"""Materialized: the last of all payments is not where to begin looking for somebody's."""
HAS_ANYTHING = text("""
SELECT (EXISTS (SELECT FROM participants WHERE shopper_id = :shopper_id)
  OR EXISTS (SELECT FROM payments WHERE shopper_id = :shopper_id))::text""")


class Missed(msgspec.Struct, frozen=True):
    """A place that was reserved and is free again, unpaid.

    `ran_out`: because its time was over; else it was declined or given up, or the group closed. `came_late`: money came
    when it was gone, and goes back.
    """

    ran_out: bool = False
    came_late: bool = False


_decode = msgspec.json.Decoder(Missed | None).decode


async def find_missed(engine: AsyncEngine, shopper_id: UUID, group_id: UUID) -> Missed | None:
    """The place somebody missed in a group; None where there was none. Raises `Unavailable`."""
    missed: Missed | None = _decode(await fetch_json(engine, MISSED, {"shopper_id": shopper_id, "group_id": group_id}))
    return missed


async def has_anything(engine: AsyncEngine, shopper_id: UUID) -> bool:
    """Whether an account has a place, or a payment, anywhere; raises `Unavailable`."""
    return await fetch_json(engine, HAS_ANYTHING, {"shopper_id": shopper_id}) == "true"
