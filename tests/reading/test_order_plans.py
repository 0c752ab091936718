"""Orders, explanations and statements cost what is on the page, however much a merchant has sold."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.groupbuy.order import OrderStatus
from infra.reading.explain import FACTS
from infra.reading.order_listing import (
    ONE_ORDER,
    orders_of_deal,
    orders_of_group,
    orders_of_merchant,
    orders_of_shopper,
)
from infra.reading.own_affairs import HAS_ANYTHING, MISSED
from infra.reading.statement_sql import statement_lines
from tests.money_shop import MoneyShop, Purchase
from tests.reading.plans import plan_of
from tests.reading.shop import Shop

ORDERS = 20_000
BLOCKS_MAX = 400
"""A page of 21 orders with all that belongs to each, a few blocks for every row."""

_MANY_ORDERS = """
WITH made AS MATERIALIZED (
  SELECT gen_random_uuid() AS id, gen_random_uuid() AS shopper_id, number
  FROM generate_series(1, CAST(:orders AS int)) AS number
), paid AS (
  INSERT INTO payments SELECT (jsonb_populate_record(p, jsonb_build_object(
    'order_id', made.id, 'shopper_id', made.shopper_id))).*
  FROM payments p, made WHERE p.order_id = :id
), settled AS (
  INSERT INTO settlements SELECT (jsonb_populate_record(s, jsonb_build_object(
    'order_id', made.id, 'shopper_id', made.shopper_id))).*
  FROM settlements s, made WHERE s.order_id = :id
)
INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', made.id, 'shopper_id', made.shopper_id,
  'status', 'delivered',
  'placed_at', o.placed_at + number * interval '1 min'))).*
FROM orders o, made WHERE o.id = :id
"""
_MANY_MOVEMENTS = """
INSERT INTO ledger (
  deal_id, order_id, cause, cause_id, from_account, to_account, merchant_id, currency, amount_minor, at)
SELECT deal_id, gen_random_uuid(), cause, gen_random_uuid(), from_account, to_account, merchant_id, currency,
       amount_minor, at + number * interval '1 min'
FROM ledger, generate_series(1, CAST(:orders AS int)) AS number WHERE order_id = :id
"""


async def test_pages_cost_what_is_on_them(shop: Shop, connection: AsyncConnection) -> None:
    """Beside 20,000 orders: lists, one's explanation and the middle of a statement are read along their indexes.

    The few orders to ship are found without the many delivered.
    """
    bought = await _sold_much(shop)
    middle = datetime.now(UTC) + timedelta(minutes=ORDERS // 2)
    given: dict[str, object] = {
        "rows_max": 21,
        "merchant_id": shop.merchant_id,
        "deal_id": bought.deal_id,
        "group_id": bought.group_id,
        "shopper_id": bought.shopper_id,
        "order_id": bought.order_id,
        "after_id": UUID(int=2**127),
        "after_placed_at": middle,
    }
    of_ledger = {"begin": datetime.now(UTC), "end": middle + timedelta(days=99), "after_at": middle, "currency": "EUR"}
    walks = {
        "orders_of_merchant_index": orders_of_merchant(is_first=False, status=None),
        "orders_to_ship_index": orders_of_merchant(is_first=True, status=OrderStatus.TO_SHIP),
        "orders_pkey": orders_of_deal(is_first=False, status=None),
        "settlements_of_group_index": orders_of_group(is_first=False, status=None, with_deal=False),
        "payments_of_shopper_index": orders_of_shopper(is_first=False, with_status=False),
        "payments_order_id_index": ONE_ORDER,
        "ledger_of_order_index": FACTS,
    }
    for index, statement in walks.items():
        plan, blocks = await plan_of(connection, statement, **given)
        assert index in plan, plan
        assert blocks < BLOCKS_MAX, plan
    of_several_ids = orders_of_shopper(is_first=True, with_status=False, has_merged=True)
    for of_shopper in (of_several_ids, MISSED, HAS_ANYTHING):
        plan, blocks = await plan_of(connection, of_shopper, **given)
        assert "payments_of_shopper_index" in plan, plan
        assert blocks < BLOCKS_MAX, plan
    for is_first in (True, False):
        lines = statement_lines(is_first=is_first)
        plan, blocks = await plan_of(connection, lines, **(given | of_ledger | {"after_id": 1, "after_part": 0}))
        assert "ledger_of_merchant_index" in plan, plan
        assert blocks < BLOCKS_MAX, plan


async def _sold_much(shop: Shop) -> Purchase:
    """A purchase among 20,000 of the same group and deal."""
    money_shop = MoneyShop(shop.engine, shop.batcher, shop.merchant_id)
    bought = (await money_shop.orders_of(await money_shop.live(needs_shipping=True), None, None))[0]
    for statement in (_MANY_ORDERS, _MANY_MOVEMENTS):
        await shop.make(statement, orders=ORDERS, id=bought.order_id)
    for table in ("payments", "settlements", "orders", "ledger"):
        await shop.make(f"ANALYZE {table}")
    return bought
