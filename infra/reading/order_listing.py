"""The statements that read orders, built once for each shape of question.

The newest is first. Each answers `rows_max` rows, and where it is not the first page those after a place.
"""

from functools import cache
from typing import Final

from sqlalchemy import TextClause, text

from infra.reading.order_rows import COLUMNS, OF_A_PAYMENT, SHOWN_STATUS

_ORDER_OF_PAYMENT = "LEFT JOIN orders o ON o.deal_id = p.deal_id AND o.id = p.order_id"
_PAYMENT_OF_ORDER = "JOIN payments p ON p.deal_id = o.deal_id AND p.order_id = o.id"


def _listed(rows: str) -> TextClause:
    return text(f"SELECT coalesce(json_agg(q), '[]')::text FROM ({rows}) q")  # noqa: S608 - rows are constants


ONE_ORDER: Final = _listed(
    f"SELECT {COLUMNS} FROM payments p {_ORDER_OF_PAYMENT} {OF_A_PAYMENT} WHERE p.order_id = CAST(:order_id AS uuid)"  # noqa: S608 - constants
)


@cache
def orders_of_shopper(*, is_first: bool, with_status: bool) -> TextClause:
    """What `shopper_id` has tried to buy, of `status`; after `after_id`. Ids are made in the order of time."""
    narrowed = _conditions(
        {"p.order_id < CAST(:after_id AS uuid)": not is_first, f"({SHOWN_STATUS}) = :status": with_status}
    )
    return _listed(f"""
      SELECT {COLUMNS} FROM payments p {_ORDER_OF_PAYMENT} {OF_A_PAYMENT}
      WHERE p.shopper_id = CAST(:shopper_id AS uuid){narrowed}
      ORDER BY p.order_id DESC LIMIT :rows_max""")  # noqa: S608 - constants


@cache
def orders_of_merchant(*, is_first: bool, with_status: bool) -> TextClause:
    """Orders of all deals of `merchant_id`, of `status`; after `after_placed_at`, `after_id`."""
    narrowed = _conditions(
        {
            "(o.placed_at, o.id) < (CAST(:after_placed_at AS timestamptz), CAST(:after_id AS uuid))": not is_first,
            "o.status = :status": with_status,
        }
    )
    return _listed(f"""
      SELECT {COLUMNS} FROM orders o {_PAYMENT_OF_ORDER} {OF_A_PAYMENT}
      WHERE o.merchant_id = CAST(:merchant_id AS uuid){narrowed}
      ORDER BY o.placed_at DESC, o.id DESC LIMIT :rows_max""")  # noqa: S608 - constants


@cache
def orders_of_deal(*, is_first: bool, with_status: bool) -> TextClause:
    """Orders of `deal_id`, which is of `merchant_id`, of `status`; after `after_id`."""
    narrowed = _conditions({"o.id < CAST(:after_id AS uuid)": not is_first, "o.status = :status": with_status})
    return _listed(f"""
      SELECT {COLUMNS} FROM orders o {_PAYMENT_OF_ORDER} {OF_A_PAYMENT}
      WHERE o.deal_id = CAST(:deal_id AS uuid) AND o.merchant_id = CAST(:merchant_id AS uuid){narrowed}
      ORDER BY o.id DESC LIMIT :rows_max""")  # noqa: S608 - constants


@cache
def orders_of_group(*, is_first: bool, with_status: bool, with_deal: bool) -> TextClause:
    """Orders of `group_id`, found by its settlements, of a deal of `merchant_id`, of `status`; after `after_id`."""
    narrowed = _conditions(
        {
            "s.order_id < CAST(:after_id AS uuid)": not is_first,
            "o.status = :status": with_status,
            "s.deal_id = CAST(:deal_id AS uuid)": with_deal,
        }
    )
    return _listed(f"""
      SELECT {COLUMNS} FROM payments p {_ORDER_OF_PAYMENT} {OF_A_PAYMENT}
      WHERE s.group_id = CAST(:group_id AS uuid) AND o.merchant_id = CAST(:merchant_id AS uuid){narrowed}
      ORDER BY s.order_id DESC LIMIT :rows_max""")  # noqa: S608 - constants


def _conditions(wanted: dict[str, bool]) -> str:
    return "".join(f" AND {condition}" for condition, is_wanted in wanted.items() if is_wanted)
