"""All that is kept about one account, a page after the other: no transaction stays open while a slow reader reads."""

from collections.abc import AsyncIterator
from functools import cache
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity.personal import SECTIONS, Section
from infra.reading.fetching import fetch_json

ROWS_AT_ONCE: Final = 500


class _Page(msgspec.Struct, frozen=True):
    """Rows as JSON, and where the next page begins; None behind the last."""

    rows: list[msgspec.Raw]
    after: str | None


_decode = msgspec.json.Decoder(_Page).decode


async def export_of(engine: AsyncEngine, account_id: UUID) -> AsyncIterator[bytes]:
    """Pieces of one JSON object that has a list of rows for each section; raises `Unavailable`."""
    opening = b"{"
    for section in SECTIONS:
        yield opening + b'"%b":[' % section.name.encode()
        opening, separator, page = b",", b"", _Page([], "")
        while page.after is not None:
            asked = {"account_id": account_id, "after": page.after, "rows_max": ROWS_AT_ONCE}
            page = _decode(await fetch_json(engine, _page_of(section), asked))
            if page.rows:
                yield separator + b",".join(page.rows)
                separator = b","
        yield b"]"
    yield b"}"


@cache
def _page_of(section: Section) -> TextClause:
    """The next rows of a section, in the order of its key."""
    key = f'({section.key}) COLLATE "C"'
    return text(f"""
      WITH me AS MATERIALIZED (SELECT id FROM accounts WHERE id = :account_id OR merged_into = :account_id),
      page AS MATERIALIZED (
        SELECT {", ".join(section.told)}, {key} AS key_of_page FROM {section.table}
        WHERE ({section.whose}) AND {key} > :after ORDER BY key_of_page LIMIT :rows_max)
      SELECT json_build_object(
        'rows', (SELECT coalesce(json_agg(told ORDER BY key_of_page), '[]')
          FROM page CROSS JOIN LATERAL (SELECT {", ".join(f"page.{name}" for name in section.told)}) told),
        'after', (SELECT max(key_of_page) FROM page HAVING count(*) = :rows_max)
      )::text""")  # noqa: S608 - constants
