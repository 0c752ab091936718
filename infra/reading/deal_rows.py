"""Rows of deals with their variants and what is left of them, and the statements that read them."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.sql.selectable import FromClause, SelectBase

from infra.reading.documents import list_document
from infra.rows import DealRow
from infra.tables import deals, variants


class ListedDealRow(DealRow, frozen=True, kw_only=True):
    """A row of `deals` with its variants in order, the units left of each, and what popularity goes by."""

    stock_left: dict[UUID, int]
    units_taken: int


class DealRows(msgspec.Struct, frozen=True):
    """Deals as they were at a moment."""

    now: datetime
    rows: list[ListedDealRow] | None


decode_deals = msgspec.json.Decoder(DealRows).decode


def deals_document(chosen: SelectBase) -> Select[tuple[str]]:
    """The JSON document of chosen rows of `deals`; variants are read for these rows only."""
    rows = chosen.subquery("chosen")
    with_variants = select(*rows.c, _variants_of(rows).label("variants"), _stock_of(rows).label("stock_left"))
    return list_document(with_variants.subquery("deal"))


def all_columns() -> Select[tuple[object, ...]]:
    """Every column of `deals`, for `deals_document` to read."""
    return select(*deals.c)


def _variants_of(rows: FromClause) -> ScalarSelect[object]:
    names = ("id", "title", "image_url", "stock")
    variant = func.json_build_object(*(part for name in names for part in (name, variants.c[name])))
    listed = func.json_agg(variant).aggregate_order_by(variants.c.position)
    return select(listed).where(variants.c.deal_id == rows.c.id).scalar_subquery()


def _stock_of(rows: FromClause) -> ScalarSelect[object]:
    left = func.json_object_agg(variants.c.id, variants.c.stock_left)
    return select(left).where(variants.c.deal_id == rows.c.id).scalar_subquery()
