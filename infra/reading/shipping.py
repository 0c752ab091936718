"""Where the orders of an upload belong."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json

_DEALS_OF_ORDERS = text("""
  SELECT coalesce(json_object_agg(p.order_id, p.deal_id), '{}')::text
  FROM payments p JOIN deals d ON d.id = p.deal_id
  WHERE p.order_id = ANY(CAST(:order_ids AS uuid[])) AND d.merchant_id = CAST(:merchant_id AS uuid)""")

_decode = msgspec.json.Decoder(dict[UUID, UUID]).decode


async def deals_of_orders(engine: AsyncEngine, merchant_id: UUID, order_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The deal of each of these orders that is the merchant's, paid or not."""
    return _decode(await fetch_json(engine, _DEALS_OF_ORDERS, {"order_ids": order_ids, "merchant_id": merchant_id}))
