"""What the rows know of one shopper's money in one group, read at one moment."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.order import OrderStatus
from domain.groupbuy.payment import SettlementStatus
from domain.pricing.ledger import Account, Cause
from infra.loading_sql import GROUP_COLUMNS, PAYMENT_COLUMNS, PLACE_COLUMNS
from infra.reading.fetching import fetch_json
from infra.reading.order_rows import RefundRow
from infra.rows import GroupRow, PlaceRow
from infra.rows_money import PaymentRow

# A shopper may have tried more than once: what counts is the try that has the place, else the last one.
FACTS = text(f"""
  WITH asked AS (SELECT CAST(:group_id AS uuid) AS group_id, CAST(:shopper_id AS uuid) AS shopper_id),
  grp AS (SELECT {GROUP_COLUMNS} FROM groups WHERE id = (SELECT group_id FROM asked)),
  place AS (
    SELECT {PLACE_COLUMNS} FROM participants p, grp
    WHERE p.deal_id = grp.deal_id AND p.group_id = grp.id AND p.shopper_id = (SELECT shopper_id FROM asked)),
  payment AS (
    SELECT {PAYMENT_COLUMNS} FROM payments p, grp
    WHERE p.shopper_id = (SELECT shopper_id FROM asked) AND p.deal_id = grp.deal_id AND p.group_id = grp.id
    ORDER BY coalesce(p.order_id = (SELECT order_id FROM place), false) DESC, p.order_id DESC LIMIT 1)
  SELECT coalesce((SELECT json_build_object(
    'group', to_json(grp),
    'place', (SELECT to_json(place) FROM place),
    'payment', (SELECT to_json(payment) FROM payment),
    'settlement', (SELECT to_json(s) FROM (
      SELECT unit_price, capture_minor, release_minor, status, created_at, done_at FROM settlements
      WHERE order_id = (SELECT order_id FROM payment) AND deal_id = (SELECT deal_id FROM payment)) s),
    'order', (SELECT to_json(o) FROM (
      SELECT status, cancelled_at FROM orders WHERE id = (SELECT order_id FROM payment)) o),
    'movements', (SELECT json_agg(m ORDER BY m.at, m.id) FROM (
      SELECT id, cause, from_account, to_account, amount_minor, at FROM ledger
      WHERE order_id = (SELECT order_id FROM payment)) m),
    'refunds', (SELECT json_agg(r ORDER BY r.created_at, r.id) FROM (
      SELECT id, amount_minor, reason, status, created_at, made_at FROM refunds
      WHERE order_id = (SELECT order_id FROM payment)) r)
  ) FROM grp), 'null')::text""")  # noqa: S608 - constants


class SettlementRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a payment, and whether it is done."""

    unit_price: int | None
    capture_minor: int
    release_minor: int
    status: SettlementStatus
    created_at: datetime
    done_at: datetime | None


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order is."""

    status: OrderStatus
    cancelled_at: datetime | None


class MovementRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger."""

    cause: Cause
    from_account: Account
    to_account: Account
    amount_minor: int
    at: datetime


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All rows about one shopper's money in one group; `payment` is null where the deal takes none."""

    group: GroupRow
    place: PlaceRow | None
    payment: PaymentRow | None
    settlement: SettlementRow | None
    order: OrderRow | None
    movements: list[MovementRow] | None
    refunds: list[RefundRow] | None


_decode = msgspec.json.Decoder(Facts | None).decode


async def read_facts(engine: AsyncEngine, group_id: UUID, shopper_id: UUID) -> Facts | None:
    """What the rows know; None where the shopper has nothing to do with such a group."""
    facts = _decode(await fetch_json(engine, FACTS, {"group_id": group_id, "shopper_id": shopper_id}))
    return facts if facts and (facts.place or facts.payment) else None
