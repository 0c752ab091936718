"""The statements that read orders, built once for each shape of question.

The newest is first. Each answers `rows_max` rows, and where it is not the first page those after a place. The page is
chosen from one table along one index; what belongs to its rows is read for them alone.
"""

from functools import cache
from typing import Final

from sqlalchemy import TextClause, text

from domain.groupbuy.order import OrderStatus
from infra.reading.order_rows import COLUMNS, OF_A_PAYMENT, SHOWN_STATUS
from infra.reading.page import LIMIT_MAX
from infra.reading.selves import SELVES

_ORDER_OF_PAYMENT = "LEFT JOIN orders o ON o.deal_id = p.deal_id AND o.id = p.order_id"
_PAYMENT_OF_ORDER = "JOIN payments p ON p.deal_id = o.deal_id AND p.order_id = o.id"


def _listed(rows: str) -> TextClause:
    return text(f"SELECT coalesce(json_agg(q), '[]')::text FROM ({rows}) q")  # noqa: S608 - rows are constants


ONE_ORDER: Final = _listed(
    f"SELECT {COLUMNS} FROM payments p {_ORDER_OF_PAYMENT} {OF_A_PAYMENT} WHERE p.order_id = CAST(:order_id AS uuid)"  # noqa: S608 - constants
)


@cache
def orders_of_shopper(*, is_first: bool, with_status: bool, has_merged: bool = False) -> TextClause:
    """What `shopper_id` has tried to buy, of `status`; after `after_id`. Ids are made in the order of time."""
    is_mine = f"IN {SELVES}" if has_merged else "= CAST(:shopper_id AS uuid)"
    mine = f"""
      SELECT * FROM payments WHERE shopper_id {is_mine}
      {_conditions({"order_id < CAST(:after_id AS uuid)": not is_first})} ORDER BY order_id DESC"""  # noqa: S608 - constants
    # what a status is follows from more than the payment, so all that one shopper ever tried is looked at
    page, of_status = (mine, f"WHERE ({SHOWN_STATUS}) = :status") if with_status else (_page(mine), "")
    return _listed(f"""
      SELECT {COLUMNS} FROM ({page}) p {_ORDER_OF_PAYMENT} {OF_A_PAYMENT} {of_status}
      ORDER BY p.order_id DESC LIMIT :rows_max""")  # noqa: S608 - constants


@cache
def orders_of_merchant(*, is_first: bool, status: OrderStatus | None) -> TextClause:
    """Orders of all deals of `merchant_id`, of a status; after `after_placed_at`, `after_id`."""
    narrowed = _conditions(
        {
            "(placed_at, id) < (CAST(:after_placed_at AS timestamptz), CAST(:after_id AS uuid))": not is_first,
            _has(status): status is not None,
        }
    )
    order = "o.placed_at DESC, o.id DESC"
    of_merchant = f"SELECT * FROM orders o WHERE merchant_id = CAST(:merchant_id AS uuid){narrowed} ORDER BY {order}"  # noqa: S608 - constants
    return _of_page(of_merchant, order)


@cache
def orders_of_deal(*, is_first: bool, status: OrderStatus | None) -> TextClause:
    """Orders of `deal_id`, which is of `merchant_id`, of a status; after `after_id`."""
    narrowed = _conditions({"id < CAST(:after_id AS uuid)": not is_first, _has(status): status is not None})
    of_deal = f"""
      SELECT * FROM orders o
      WHERE o.deal_id = CAST(:deal_id AS uuid) AND o.merchant_id = CAST(:merchant_id AS uuid){narrowed}
      ORDER BY o.id DESC"""  # noqa: S608 - constants
    return _of_page(of_deal, "o.id DESC")


@cache
def orders_of_group(*, is_first: bool, status: OrderStatus | None, with_deal: bool) -> TextClause:
    """Orders of `group_id`, found by its settlements, of a deal of `merchant_id`, of a status; after `after_id`."""
    narrowed = _conditions(
        {
            "s.order_id < CAST(:after_id AS uuid)": not is_first,
            f"o.{_has(status)}": status is not None,
            "s.deal_id = CAST(:deal_id AS uuid)": with_deal,
        }
    )
    # `OFFSET 0`: each order by its key, as those between two of this group are other groups'
    of_group = f"""
      SELECT o.* FROM settlements s
      CROSS JOIN LATERAL (SELECT * FROM orders WHERE deal_id = s.deal_id AND id = s.order_id OFFSET 0) o
      WHERE s.group_id = CAST(:group_id AS uuid) AND o.merchant_id = CAST(:merchant_id AS uuid){narrowed}
      ORDER BY s.order_id DESC"""  # noqa: S608 - constants
    return _of_page(of_group, "o.id DESC")


def _page(rows: str) -> str:
    """The first `rows_max` of rows in order; a bound that is a number tells the planner how few they are."""
    return f"SELECT * FROM ({rows} LIMIT {LIMIT_MAX + 1}) page LIMIT :rows_max"  # noqa: S608 - constants


def _of_page(orders: str, order: str) -> TextClause:
    return _listed(f"""
      SELECT {COLUMNS} FROM ({_page(orders)}) o {_PAYMENT_OF_ORDER} {OF_A_PAYMENT} ORDER BY {order}""")  # noqa: S608 - constants


def _conditions(wanted: dict[str, bool]) -> str:
    return "".join(f" AND {condition}" for condition, is_wanted in wanted.items() if is_wanted)


def _has(status: OrderStatus | None) -> str:
    """No parameter: what is to be shipped has an index of its own, found only by its word."""
    return f"status = '{status}'"
