"""Money that has not moved as it should: what an operator is shown of settlements and refunds, and trying again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json

STUCK_AFTER_S = 600
"""What is still pending after so long has met something that does not pass by itself, or nobody is at work."""
SHOWN_MAX = 1_000

_SETTLEMENTS = """
  SELECT CASE WHEN capture_minor > 0 THEN 'capture' ELSE 'release' END AS what, order_id AS id, order_id, deal_id,
    group_id, CASE WHEN capture_minor > 0 THEN capture_minor ELSE release_minor END AS amount, currency, status,
    attempts, created_at AS since, next_attempt_at, last_error
  FROM settlements"""
_REFUNDS = """
  SELECT 'refund', refunds.id, order_id, refunds.deal_id, refunds.group_id, amount_minor, orders.currency,
    refunds.status, attempts, created_at, next_attempt_at, last_error
  FROM refunds JOIN orders ON orders.deal_id = refunds.deal_id AND orders.id = refunds.order_id"""
_IS_STUCK = """
  {table}.status = 'pending' AND created_at < now() - make_interval(secs => :stuck_after_s)
  AND (attempts > 0 OR next_attempt_at < now() - make_interval(secs => :stuck_after_s))"""
_FIND = text(f"""
  SELECT coalesce(json_agg(q), '[]')::text FROM (
    SELECT * FROM (
      {_SETTLEMENTS} WHERE settlements.status = 'dead'
      UNION ALL {_SETTLEMENTS} WHERE {_IS_STUCK.format(table="settlements")}
      UNION ALL {_REFUNDS} WHERE refunds.status = 'dead'
      UNION ALL {_REFUNDS} WHERE {_IS_STUCK.format(table="refunds")}) AS waiting
    ORDER BY status, since LIMIT {SHOWN_MAX}) q""")  # noqa: S608 - constants

# One attempt is counted as made: so the next one looks at the gateway before it does anything.
_RETRY = """
  UPDATE {table} SET status = 'pending', attempts = 1, next_attempt_at = clock_timestamp()
  WHERE status = 'dead' AND (:is_all OR {keys})
  RETURNING {ids}"""
_RETRY_SETTLEMENTS = text(
    _RETRY.format(table="settlements", keys="order_id = ANY(CAST(:ids AS uuid[]))", ids="order_id, order_id AS id")
)
_RETRY_REFUNDS = text(
    _RETRY.format(
        table="refunds",
        keys="id = ANY(CAST(:ids AS uuid[])) OR order_id = ANY(CAST(:ids AS uuid[]))",
        ids="order_id, id",
    )
)


class Unsettled(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement or refund that is dead or long pending; `amount` is in minor units, `id` names it for a retry."""

    what: str
    id: UUID
    order_id: UUID
    deal_id: UUID
    group_id: UUID | None
    amount: int
    currency: str
    status: str
    attempts: int
    since: datetime
    next_attempt_at: datetime
    last_error: str | None


_decode = msgspec.json.Decoder(list[Unsettled]).decode


async def unsettled(engine: AsyncEngine) -> list[Unsettled]:
    """What needs a person, the dead first, then by age; `SHOWN_MAX` at most."""
    return _decode(await fetch_json(engine, _FIND, {"stuck_after_s": STUCK_AFTER_S}))


async def try_again(engine: AsyncEngine, ids: Sequence[UUID] | None) -> set[UUID]:
    """Put dead settlements and refunds back to pending: those of these orders or refunds, or all of them (None).

    Answers the ids of what was put back, its orders' among them.
    """
    asked = {"is_all": ids is None, "ids": list(ids or ())}
    async with engine.begin() as connection:
        rows = [
            row
            for statement in (_RETRY_SETTLEMENTS, _RETRY_REFUNDS)
            for row in await connection.execute(statement, asked)
        ]
    return {found for row in rows for found in row}
