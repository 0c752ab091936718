"""What our own books say of payments: each with its settlement, its order, its refunds and its ledger."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.payment import PaymentStatus, SettlementStatus
from infra.reading.fetching import fetch_json

_READ = text("""
  SELECT coalesce(json_agg(q), '[]')::text FROM (
    SELECT p.order_id, p.deal_id, p.group_id, p.shopper_id, p.gateway, p.reference, p.status, p.hold_minor, p.currency,
      p.fee_bps, p.created_at, p.pay_by, p.late_at, p.left_at,
      s.status AS settlement, s.capture_minor, s.last_error,
      o.captured_minor AS order_captured_minor, o.refunded_minor AS order_refunded_minor,
      g.settled_at IS NOT NULL AS is_group_settled, r.*, l.*
    FROM payments p
    LEFT JOIN settlements s ON s.deal_id = p.deal_id AND s.order_id = p.order_id
    LEFT JOIN orders o ON o.id = p.order_id
    LEFT JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(amount_minor) FILTER (WHERE is_made), 0)::bigint AS refunds_made_minor,
        coalesce(sum(amount_minor) FILTER (WHERE NOT is_made), 0)::bigint AS refunds_due_minor,
        count(*) FILTER (WHERE refunds.status = 'dead') AS refunds_dead
      FROM refunds WHERE refunds.order_id = p.order_id) r
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(amount_minor) FILTER (WHERE account = 'shopper_hold'), 0)::bigint AS booked_hold_minor,
        coalesce(sum(amount_minor) FILTER (WHERE account = 'gateway_clearing'), 0)::bigint AS booked_clearing_minor,
        coalesce(sum(amount_minor) FILTER (WHERE account = 'refunds'), 0)::bigint AS booked_refunds_minor,
        coalesce(sum(amount_minor) FILTER (WHERE account = 'platform_fee'), 0)::bigint AS booked_fee_minor,
        coalesce(json_agg(DISTINCT e.currency) FILTER (WHERE e.currency <> p.currency), '[]') AS other_currencies
      FROM ledger_entries e WHERE e.order_id = p.order_id) l
    WHERE p.order_id = ANY(CAST(:order_ids AS uuid[]))) q""")


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """One payment in our books, minor units; `booked_*` are balances of the ledger's accounts over this order.

    `refunds_due_minor` is decided to go back and not recorded as made. `settlement` is None where nothing is decided
    yet, `order_captured_minor` where there is no order.
    """

    order_id: UUID
    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    gateway: str
    reference: str | None
    status: PaymentStatus
    hold_minor: int
    currency: str
    fee_bps: int
    created_at: datetime
    pay_by: datetime
    late_at: datetime | None
    left_at: datetime | None
    settlement: SettlementStatus | None
    capture_minor: int | None
    last_error: str | None
    order_captured_minor: int | None
    order_refunded_minor: int | None
    is_group_settled: bool
    refunds_made_minor: int
    refunds_due_minor: int
    refunds_dead: int
    booked_hold_minor: int
    booked_clearing_minor: int
    booked_refunds_minor: int
    booked_fee_minor: int
    other_currencies: list[str]

    @property
    def is_settled(self) -> bool:
        """Whether nothing is to be done at the gateway any more."""
        return self.settlement in {SettlementStatus.DONE, SettlementStatus.FAILED}


_decode = msgspec.json.Decoder(list[Ours]).decode


async def read_ours(engine: AsyncEngine, order_ids: Iterable[UUID]) -> Mapping[UUID, Ours]:
    """Our books on these orders, all of one moment; raises `Unavailable`."""
    rows = _decode(await fetch_json(engine, _READ, {"order_ids": list(order_ids)}))
    return {row.order_id: row for row in rows}
