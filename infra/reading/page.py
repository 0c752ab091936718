"""Pages of lists: a bounded number of items and where the next page begins."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from infra.reading.cursors import Position, encode

LIMIT_MAX = 100
LIMIT_DEFAULT = 20
"""How many items a page holds where nobody says; the API refuses a limit out of bounds."""

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """Items in order; `next_cursor` is null on the last page."""

    items: list[Item]
    next_cursor: str | None


def page_of(
    rows: Sequence[Row], limit: int, item_of: Callable[[Row], Item], position_of: Callable[[Row], Position]
) -> Page[Item]:
    """The page made of up to `limit + 1` rows: the one too many only says that more follow."""
    shown = rows[:limit]
    next_cursor = encode(position_of(shown[-1])) if len(rows) > limit else None
    return Page([item_of(row) for row in shown], next_cursor)
