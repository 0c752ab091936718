"""Rows of orders, from the first try to pay on, and the parts of the statements that read them."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from domain.groupbuy.address import Address
from domain.groupbuy.order import OrderStatus, RefundStatus
from infra.payments.payment_rows import NextStep


class ShownStatus(StrEnum):
    """Where an order is, for its shopper: before its payment is captured, and after it as in `OrderStatus`.

    `awaiting_payment`: a place is kept until it is paid. `waiting_for_group`: paid, and nothing can be shipped before
    the group has succeeded. `settling`: the group is closed, money is being taken or given back. `not_paid`: it came to
    nothing, and all money is or goes back.
    """

    AWAITING_PAYMENT = "awaiting_payment"
    WAITING_FOR_GROUP = "waiting_for_group"
    SETTLING = "settling"
    NOT_PAID = "not_paid"
    TO_SHIP = OrderStatus.TO_SHIP
    SHIPPED = OrderStatus.SHIPPED
    DELIVERED = OrderStatus.DELIVERED
    CANCELLED = OrderStatus.CANCELLED
    RETURNED = OrderStatus.RETURNED


class RefundRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `refunds`."""

    id: UUID
    amount_minor: int
    reason: str
    status: RefundStatus
    created_at: datetime
    made_at: datetime | None


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payment, and the order it became where it was captured; `version` is 0 before that."""

    id: UUID
    deal_id: UUID
    group_id: UUID | None
    merchant_id: UUID
    shopper_id: UUID
    deal_title: str
    variant_id: UUID
    variant_title: str
    quantity: int
    unit_price: int | None
    currency: str
    hold_minor: int
    captured_minor: int
    refunded_minor: int
    status: ShownStatus
    address: Address | None
    gateway: str
    pay_by: datetime
    next_step: NextStep | None
    carrier: str | None
    tracking_number: str | None
    created_at: datetime
    placed_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled_at: datetime | None
    returned_at: datetime | None
    refunds: list[RefundRow] | None
    version: int

    @property
    def is_order(self) -> bool:
        """Whether it was captured: only then is it its merchant's to see."""
        return self.placed_at is not None


SHOWN_STATUS: Final = """
  CASE WHEN o.id IS NOT NULL THEN o.status
       WHEN p.status = 'awaiting' AND coalesce(g.status, 'open') = 'open' THEN 'awaiting_payment'
       WHEN p.status = 'held' AND g.status = 'open' AND p.left_at IS NULL THEN 'waiting_for_group'
       WHEN p.status = 'held' THEN 'settling'
       ELSE 'not_paid' END"""

_REFUNDS = """
  (SELECT json_agg(r ORDER BY r.created_at, r.id) FROM (
     SELECT id, amount_minor, reason, status, created_at, made_at FROM refunds WHERE order_id = o.id) r)"""
COLUMNS: Final = f"""
  p.order_id AS id, p.deal_id, p.group_id, d.merchant_id, p.shopper_id, d.title AS deal_title, p.variant_id,
  v.title AS variant_title, p.quantity, p.currency, p.hold_minor, p.address, p.gateway, p.pay_by, p.next_step,
  p.created_at, {SHOWN_STATUS} AS status,
  coalesce(o.unit_price, CASE WHEN p.status = 'held' THEN s.unit_price END) AS unit_price,
  coalesce(o.captured_minor, 0) AS captured_minor, coalesce(o.refunded_minor, 0) AS refunded_minor,
  o.carrier, o.tracking_number, o.placed_at, o.shipped_at, o.delivered_at, o.cancelled_at, o.returned_at,
  {_REFUNDS} AS refunds, coalesce(o.version, 0) AS version"""
OF_A_PAYMENT: Final = """
  JOIN deals d ON d.id = p.deal_id
  JOIN variants v ON v.deal_id = p.deal_id AND v.id = p.variant_id
  LEFT JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
  LEFT JOIN settlements s ON s.deal_id = p.deal_id AND s.order_id = p.order_id"""
"""What else there is to know of `payments p`, beside its order `o`."""
