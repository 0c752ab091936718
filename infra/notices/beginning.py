"""Beginning what is due to be told: from here on it is fixed how the group stood, and which places are told."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.notices.facts import standing_of
from domain.notices.happenings import is_still_news
from domain.notices.kinds import Kind
from infra.loading_sql import GROUP_COLUMNS
from infra.rows import GroupRow, group_from
from infra.statement import json_text

TELLINGS_AT_ONCE: Final = 500

_DUE: Final = text(f"""
  SELECT due.id, due.kind, row_to_json(g)::text AS document,
    (SELECT sum(stock_left)::bigint FROM variants WHERE deal_id = g.deal_id) AS stock_left
  FROM (
    SELECT id, kind, group_id FROM tellings WHERE begun_at IS NULL AND done_at IS NULL AND due_at <= :now
    ORDER BY due_at LIMIT :tellings_max) due
  LEFT JOIN LATERAL (SELECT {GROUP_COLUMNS} FROM groups WHERE id = due.group_id) g ON true""")  # noqa: S608 - a constant
_BEGIN: Final = text("""
  UPDATE tellings t SET begun_at = :now, standing = new.standing, numbers_max = new.numbers_max,
    due_at = :now, done_at = CASE WHEN new.standing IS NULL THEN CAST(:now AS timestamptz) END
  FROM json_to_recordset(CAST(:begun AS json)) AS new (id bigint, standing jsonb, numbers_max int)
  WHERE t.id = new.id AND t.begun_at IS NULL""")

_decode: Final = msgspec.json.Decoder(GroupRow).decode


async def begin_due(connection: AsyncConnection, now: datetime) -> bool:
    """Whether anything was due; what is no news any more ends here. The caller has locked the reading."""
    due = (await connection.execute(_DUE, {"now": now, "tellings_max": TELLINGS_AT_ONCE})).all()
    if due:
        await connection.execute(_BEGIN, {"now": now, "begun": json_text(list(_begun(due, now)))})
    return bool(due)


def _begun(due: Sequence[Any], now: datetime) -> Iterator[dict[str, object]]:
    for row in due:
        group = None if row.document is None else group_from(_decode(row.document))
        is_news = group is not None and is_still_news(Kind(row.kind), group, now, row.stock_left)
        yield {
            "id": row.id,
            "standing": standing_of(group, row.stock_left) if group is not None and is_news else None,
            "numbers_max": group.version if group is not None and is_news else None,
        }
