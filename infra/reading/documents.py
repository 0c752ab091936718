"""Statements that answer one JSON document: PostgreSQL writes it, msgspec reads it into typed rows in one pass."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, literal_column, select
from sqlalchemy.sql.selectable import NamedFromClause

clock = select(func.clock_timestamp().label("now")).cte("clock")
"""One moment for all of a statement: `clock_timestamp()` itself moves on while it runs, and no index serves it."""


def now() -> ColumnElement[Any]:
    """The statement's moment."""
    return select(clock.c.now).scalar_subquery()


def literal(value: str) -> ColumnElement[str]:
    """A word of ours as part of the statement: a partial index is only found when its condition is no parameter."""
    assert value.isidentifier(), value
    return literal_column(f"'{value}'")


def list_document(rows: NamedFromClause) -> Select[tuple[str]]:
    """`{"now": ..., "rows": [...] | null}` of rows in the order they come."""
    listed = select(func.json_agg(rows.table_valued())).scalar_subquery()
    return select(cast(func.json_build_object("now", now(), "rows", listed), Text))
