"""What administrators find: merchants, groups and orders of everybody, newest first."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.group import GroupStatus
from domain.identity.permissions import Standing
from infra.reading.cursors import MomentUs, Position, decode, microseconds, moment
from infra.reading.fetching import fetch_json
from infra.reading.finding import Sought
from infra.reading.merchants import MerchantRow
from infra.reading.order_rows import COLUMNS, OF_A_PAYMENT, SHOWN_STATUS, OrderRow, ShownStatus
from infra.reading.order_views import OrderView, order_view
from infra.reading.page import Page, page_of
from infra.rows import GroupRow, group_from
from infra.views import GroupView, group_view

_GROUP_COLUMNS = ", ".join(f"g.{name}" for name in GroupRow.__struct_fields__)


class MerchantFound(MerchantRow, frozen=True, kw_only=True):
    """A merchant as the platform sees it; `is_winding_down`: suspended, and its groups are being cancelled."""

    is_winding_down: bool


class GroupFound(GroupView, frozen=True, kw_only=True):
    """A group with whose it is."""

    merchant_id: UUID
    deal_title: str


class OrderFound(OrderView, frozen=True, kw_only=True):
    """An order with whose it is; `payment` is its shopper's alone, so it is null."""

    merchant_id: UUID
    shopper_id: UUID


class MerchantsPosition(Position, frozen=True, tag="merchants_found"):
    """A place in the list of merchants."""

    applied_at_us: MomentUs
    id: UUID


class GroupsPosition(Position, frozen=True, tag="groups_found"):
    """A place in the list of groups; ids are made in the order of time."""

    id: UUID


class OrdersPosition(Position, frozen=True, tag="orders_found"):
    """A place in the list of orders; ids are made in the order of time."""

    id: UUID


class _GroupRow(GroupRow, frozen=True, kw_only=True):
    merchant_id: UUID
    deal_title: str


_decode_merchants = msgspec.json.Decoder(list[MerchantFound]).decode
_decode_groups = msgspec.json.Decoder(list[_GroupRow]).decode
_decode_orders = msgspec.json.Decoder(list[OrderRow]).decode


async def find_merchants(
    engine: AsyncEngine, standing: Standing | None, limit: int, cursor: str | None
) -> Page[MerchantFound]:
    """Merchants, whoever applied last first; raises `Unavailable`."""
    given: dict[str, object] = {"rows_max": limit + 1, "standing": standing}
    if cursor is not None:
        after = decode(cursor, MerchantsPosition)
        given |= {"after_applied_at": moment(after.applied_at_us), "after_id": after.id}
    statement = _merchants(is_first=cursor is None, with_standing=standing is not None)
    rows = _decode_merchants(await fetch_json(engine, statement, given))
    return page_of(rows, limit, lambda row: row, lambda row: MerchantsPosition(microseconds(row.applied_at), row.id))


async def get_found_merchant(engine: AsyncEngine, merchant_id: UUID) -> MerchantFound | None:
    """A merchant as the platform sees it; raises `Unavailable`."""
    rows = _decode_merchants(await fetch_json(engine, _ONE_MERCHANT, {"merchant_id": merchant_id}))
    return rows[0] if rows else None


async def find_groups(
    engine: AsyncEngine, sought: Sought, status: GroupStatus | None, limit: int, cursor: str | None
) -> Page[GroupFound]:
    """Groups that fit, the one opened last first; raises `Unavailable`."""
    given: dict[str, object] = {**sought.parameters, "rows_max": limit + 1, "status": status}
    conditions = [*sought.conditions, *(["g.status = :status"] if status else [])]
    if cursor is not None:
        conditions.append("g.id < CAST(:after_id AS uuid)")
        given["after_id"] = decode(cursor, GroupsPosition).id
    rows = _decode_groups(await fetch_json(engine, _groups(tuple(conditions)), given))
    return page_of(rows, limit, _group_found, lambda row: GroupsPosition(row.id))


async def find_orders(
    engine: AsyncEngine, sought: Sought, status: ShownStatus | None, limit: int, cursor: str | None
) -> Page[OrderFound]:
    """Everything anybody has tried to buy that fits, paid or not, the last first; raises `Unavailable`."""
    given: dict[str, object] = {**sought.parameters, "rows_max": limit + 1, "status": status}
    conditions = [*sought.conditions, *([f"({SHOWN_STATUS}) = :status"] if status else [])]
    if cursor is not None:
        conditions.append("p.order_id < CAST(:after_id AS uuid)")
        given["after_id"] = decode(cursor, OrdersPosition).id
    rows = _decode_orders(await fetch_json(engine, _orders(tuple(conditions)), given))
    return page_of(rows, limit, _order_found, lambda row: OrdersPosition(row.id))


_MERCHANT_COLUMNS = """
  id, name, contact, country, about, status AS standing, status_reason AS standing_reason, applied_at, decided_at,
  version, winding_down AS is_winding_down"""


def _listed(rows: str) -> TextClause:
    return text(f"SELECT coalesce(json_agg(q), '[]')::text FROM ({rows}) q")  # noqa: S608 - rows are constants


_ONE_MERCHANT = _listed(f"SELECT {_MERCHANT_COLUMNS} FROM merchants WHERE id = CAST(:merchant_id AS uuid)")  # noqa: S608 - constants


@cache
def _merchants(*, is_first: bool, with_standing: bool) -> TextClause:
    conditions = ["status = :standing"] if with_standing else []
    if not is_first:
        conditions.append("(applied_at, id) < (CAST(:after_applied_at AS timestamptz), CAST(:after_id AS uuid))")
    return _listed(f"""
      SELECT {_MERCHANT_COLUMNS} FROM merchants {_where(conditions)}
      ORDER BY applied_at DESC, id DESC LIMIT :rows_max""")  # noqa: S608 - constants


@cache
def _groups(conditions: tuple[str, ...]) -> TextClause:
    return _listed(f"""
      SELECT {_GROUP_COLUMNS}, d.merchant_id, d.title AS deal_title
      FROM groups g JOIN deals d ON d.id = g.deal_id {_where(conditions)}
      ORDER BY g.id DESC LIMIT :rows_max""")  # noqa: S608 - constants


@cache
def _orders(conditions: tuple[str, ...]) -> TextClause:
    return _listed(f"""
      SELECT {COLUMNS} FROM payments p LEFT JOIN orders o ON o.deal_id = p.deal_id AND o.id = p.order_id
      {OF_A_PAYMENT} {_where(conditions)} ORDER BY p.order_id DESC LIMIT :rows_max""")  # noqa: S608 - constants


def _where(conditions: tuple[str, ...] | list[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _group_found(row: _GroupRow) -> GroupFound:
    view = group_view(group_from(row))
    return GroupFound(**msgspec.structs.asdict(view), merchant_id=row.merchant_id, deal_title=row.deal_title)


def _order_found(row: OrderRow) -> OrderFound:
    shown: Mapping[str, Any] = msgspec.structs.asdict(order_view(row)) | {"payment": None}
    return OrderFound(**shown, merchant_id=row.merchant_id, shopper_id=row.shopper_id)
