"""What must be true of the rows of a deal whatever happened: counters equal members, closings happen once."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

_LAWS = {
    "a group counts its places": """
        SELECT id FROM groups g WHERE deal_id = ANY($1)
          AND participants <> (SELECT count(*) FROM participants p WHERE p.group_id = g.id)""",
    "a group counts its units": """
        SELECT id FROM groups g WHERE deal_id = ANY($1) AND status IN ('open', 'succeeded')
          AND (SELECT coalesce(sum(units.value::int), 0) FROM jsonb_each_text(units_by_variant) units)
            <> (SELECT coalesce(sum(quantity), 0) FROM participants p WHERE p.group_id = g.id)""",
    "stock left is stock less the units in open and succeeded groups, and those kept until they are paid": """
        SELECT id FROM variants v WHERE deal_id = ANY($1) AND stock - stock_left <> (
          SELECT coalesce(sum(p.quantity), 0) FROM participants p JOIN groups g ON g.id = p.group_id
          WHERE p.variant_id = v.id AND g.status IN ('open', 'succeeded') AND p.dropped_at IS NULL) + (
          SELECT coalesce(sum(quantity), 0) FROM payments WHERE variant_id = v.id AND holds_units)""",
    "nobody holds more units of a deal than it allows": """
        SELECT p.shopper_id FROM participants p JOIN groups g ON g.id = p.group_id JOIN deals d ON d.id = p.deal_id
        WHERE p.deal_id = ANY($1) AND g.status IN ('open', 'succeeded')
        GROUP BY p.deal_id, p.shopper_id HAVING sum(p.quantity) > min(d.units_per_shopper_max)""",
    "a group that is full is closed": """
        SELECT id FROM groups WHERE deal_id = ANY($1) AND status = 'open' AND participants >= group_size_max""",
    "a group closes once, an open one has not": """
        SELECT id FROM groups g WHERE deal_id = ANY($1) AND (status <> 'open')::int <> (
          SELECT count(*) FROM events o WHERE o.group_id = g.id
            AND o.type IN ('GroupSucceeded', 'GroupFailed', 'GroupCancelled'))""",
    "every place was told once": """
        SELECT group_id FROM events WHERE deal_id = ANY($1) AND type = 'ParticipantJoined'
        GROUP BY group_id, payload ->> 'shopper_id' HAVING count(*) > 1
        UNION ALL
        SELECT p.group_id FROM participants p WHERE deal_id = ANY($1) AND NOT EXISTS (
          SELECT FROM events o WHERE o.group_id = p.group_id AND o.type = 'ParticipantJoined'
            AND o.payload ->> 'shopper_id' = p.shopper_id::text)""",
    "places are told in the order of their numbers, and the price never rises": """
        SELECT group_id FROM (
          SELECT group_id, (payload ->> 'participants')::int AS participants,
            row_number() OVER told AS told, (payload ->> 'unit_price')::bigint AS price,
            lag((payload ->> 'unit_price')::bigint) OVER told AS price_before
          FROM events WHERE deal_id = ANY($1) AND type = 'ParticipantJoined'
          WINDOW told AS (PARTITION BY group_id ORDER BY id, number)) joins
        WHERE participants <> told OR price > price_before""",
}
"""Each names those who break it. The last one holds where nobody leaves."""


async def broken_laws(database_url: str, deal_ids: Sequence[str]) -> dict[str, list[UUID]]:
    """The laws that do not hold for these deals, with a few of those that break them."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = {law: await connection.fetch(f"{query} LIMIT 5", deal_ids) for law, query in _LAWS.items()}
    finally:
        await connection.close()
    return {law: [row[0] for row in breaking] for law, breaking in rows.items() if breaking}
