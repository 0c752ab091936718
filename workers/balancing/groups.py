"""What groups keep of their money, compared with their rows counted anew, and their accounts in the ledger."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from workers.balancing.difference import Difference, What

GROUPS_AT_ONCE = 500
PAYMENTS_AT_ONCE = 20_000
_BEGINNING = UUID(int=0)
_ADVICE = "a fault of Tuan: compare the group's row with its payments, settlements, orders and ledger"

_GROUPS_AFTER = text("""
  SELECT deal_id, id, participants + awaiting FROM groups
  WHERE (deal_id, id) > (:deal_id, :id) AND (closed_at IS NULL OR closed_at >= :begin)
    AND jsonb_typeof(terms -> 'payment') = 'object'
  ORDER BY deal_id, id LIMIT :groups_max""")

# One statement, so that everything in it is of one moment.
_DIFFERENCES = text("""
  WITH named AS MATERIALIZED (
    SELECT group_id, order_id FROM settlements WHERE group_id = ANY(CAST(:group_ids AS uuid[]))
    UNION
    SELECT group_id, order_id FROM participants WHERE group_id = ANY(CAST(:group_ids AS uuid[]))
    UNION
    SELECT group_id, order_id FROM payments
    WHERE group_id = ANY(CAST(:group_ids AS uuid[])) AND status = 'awaiting'
  ), counted AS (
    SELECT named.group_id, count(*) FILTER (WHERE payments.status = 'awaiting') AS awaiting,
      count(*) FILTER (WHERE settlements.status IN ('done', 'failed') AND held_at IS NOT NULL AND left_at IS NULL)
        AS settled,
      coalesce(sum(captured_minor), 0) AS captured_minor, coalesce(sum(refunded_minor), 0) AS refunded_minor
    FROM named JOIN payments USING (order_id)
      LEFT JOIN settlements ON settlements.deal_id = payments.deal_id AND settlements.order_id = payments.order_id
      LEFT JOIN orders ON orders.id = payments.order_id
    GROUP BY named.group_id
  ), sums AS (
    SELECT id, name, kept, counted FROM groups LEFT JOIN counted ON group_id = id CROSS JOIN LATERAL (VALUES
      ('awaiting', groups.awaiting::bigint, coalesce(counted.awaiting, 0)::bigint),
      ('settled', groups.settled, coalesce(counted.settled, 0)),
      ('captured', groups.captured_minor, coalesce(counted.captured_minor, 0)::bigint),
      ('refunded', groups.refunded_minor, coalesce(counted.refunded_minor, 0)::bigint)) AS sum (name, kept, counted)
    WHERE id = ANY(CAST(:group_ids AS uuid[]))
  ), booked AS (
    SELECT named.group_id, currency, account, sum(amount_minor) AS balance_minor
    FROM named JOIN ledger_entries USING (order_id) GROUP BY named.group_id, currency, account
  )
  SELECT id, counted || ' ' || name || ' by its rows', kept || ' ' || name FROM sums WHERE kept <> counted
  UNION ALL
  SELECT group_id, balance_minor || ' minor ' || currency || ' in ' || account || ' by the ledger',
    CASE account WHEN 'gateway_clearing' THEN 'never above zero' ELSE 'never below zero' END
  FROM booked WHERE CASE account WHEN 'gateway_clearing' THEN balance_minor > 0 ELSE balance_minor < 0 END
  UNION ALL
  SELECT group_id, sum(balance_minor) || ' minor ' || currency || ' over all accounts', 'always zero'
  FROM booked GROUP BY group_id, currency HAVING sum(balance_minor) <> 0""")


async def groups_since(engine: AsyncEngine, begin: datetime) -> AsyncIterator[Sequence[UUID]]:
    """Groups that take money and are open, or were closed since, in parts of about as many payments."""
    deal_id = group_id = _BEGINNING
    while True:
        asked = {"deal_id": deal_id, "id": group_id, "begin": begin, "groups_max": GROUPS_AT_ONCE}
        async with engine.connect() as connection:
            found = (await connection.execute(_GROUPS_AFTER, asked)).all()
        part: list[UUID] = []
        payments = 0
        for deal_id, group_id, places in found:  # noqa: B007 - the last ones taken are where the next part begins
            part.append(group_id)
            payments += places
            if payments >= PAYMENTS_AT_ONCE:
                break
        if not part:
            return
        yield part


async def group_differences(engine: AsyncEngine, group_ids: Sequence[UUID]) -> list[Difference]:
    """Where these groups keep something else than counting gives, or an account is where it must not be."""
    async with engine.connect() as connection:
        rows = await connection.execute(_DIFFERENCES, {"group_ids": list(group_ids)})
        return [
            Difference(what=What.GROUP, group_id=group_id, theirs=counted, ours=kept, advice=_ADVICE)
            for group_id, counted, kept in rows
        ]
