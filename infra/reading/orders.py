"""Orders as their shopper and their merchant see them."""

from collections.abc import Callable
from uuid import UUID

import msgspec
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.order import OrderStatus
from infra.reading.cursors import MomentUs, Position, decode, microseconds, moment
from infra.reading.fetching import fetch_json
from infra.reading.order_listing import (
    ONE_ORDER,
    orders_of_deal,
    orders_of_group,
    orders_of_merchant,
    orders_of_shopper,
)
from infra.reading.order_rows import OrderRow, ShownStatus
from infra.reading.order_views import OrderView, order_view
from infra.reading.page import LIMIT_DEFAULT, Page, page_of


class MyOrdersPosition(Position, frozen=True, tag="my_orders"):
    """A place in the list of a shopper's orders."""

    order_id: UUID


class MerchantOrdersPosition(Position, frozen=True, tag="orders"):
    """A place in the list of a merchant's orders."""

    placed_at_us: MomentUs
    order_id: UUID


class NarrowedOrdersPosition(Position, frozen=True, tag="orders_of"):
    """A place in the list of the orders of one deal or group."""

    order_id: UUID


_decode_orders = msgspec.json.Decoder(list[OrderRow]).decode


async def get_order(engine: AsyncEngine, order_id: UUID) -> OrderRow | None:
    """An order, or the payment that may become one; whoever shows it judges whose it is."""
    rows = _decode_orders(await fetch_json(engine, ONE_ORDER, {"order_id": order_id}))
    return rows[0] if rows else None


async def list_my_orders(  # noqa: PLR0913 - each is a parameter of the route, but for who asks
    engine: AsyncEngine,
    shopper_id: UUID,
    *,
    has_merged: bool = False,
    status: ShownStatus | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[OrderView]:
    """Everything a shopper has tried to buy, paid or not, the newest first; `has_merged`: under other ids too."""
    given: dict[str, object] = {"shopper_id": shopper_id, "status": status, "rows_max": limit + 1}
    if cursor is not None:
        given["after_id"] = decode(cursor, MyOrdersPosition).order_id
    statement = orders_of_shopper(is_first=cursor is None, with_status=status is not None, has_merged=has_merged)
    return await _page(engine, statement, given, limit, lambda row: MyOrdersPosition(row.id))


async def list_orders(  # noqa: PLR0913 - each is a parameter of the route
    engine: AsyncEngine,
    merchant_id: UUID,
    *,
    status: OrderStatus | None = None,
    deal_id: UUID | None = None,
    group_id: UUID | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[OrderView]:
    """A merchant's orders, of one deal or group if given, the newest first."""
    given: dict[str, object] = {"merchant_id": merchant_id, "rows_max": limit + 1}
    given |= {"deal_id": deal_id, "group_id": group_id}
    is_first = cursor is None
    if deal_id is None and group_id is None:
        if cursor is not None:
            after = decode(cursor, MerchantOrdersPosition)
            given |= {"after_placed_at": moment(after.placed_at_us), "after_id": after.order_id}
        statement = orders_of_merchant(is_first=is_first, status=status)
        return await _page(engine, statement, given, limit, _merchants_position)
    if cursor is not None:
        given["after_id"] = decode(cursor, NarrowedOrdersPosition).order_id
    if group_id is None:
        statement = orders_of_deal(is_first=is_first, status=status)
    else:
        statement = orders_of_group(is_first=is_first, status=status, with_deal=deal_id is not None)
    return await _page(engine, statement, given, limit, lambda row: NarrowedOrdersPosition(row.id))


async def _page(
    engine: AsyncEngine,
    statement: TextClause,
    given: dict[str, object],
    limit: int,
    position_of: Callable[[OrderRow], Position],
) -> Page[OrderView]:
    rows = _decode_orders(await fetch_json(engine, statement, given))
    return page_of(rows, limit, order_view, position_of)


def _merchants_position(row: OrderRow) -> MerchantOrdersPosition:
    assert row.placed_at is not None
    return MerchantOrdersPosition(microseconds(row.placed_at), row.id)
