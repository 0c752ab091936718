"""Rows of payments, orders and refunds as PostgreSQL tells them in JSON, and the domain's things they stand for."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.groupbuy.address import Address
from domain.groupbuy.order import Order, Refund
from domain.groupbuy.payment import Payment, PaymentStatus, PaymentTerms, Settlement, SettlementStatus

Row = dict[str, Any]


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `payments`."""

    order_id: UUID
    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    variant_id: UUID
    quantity: int
    hold_minor: int
    currency: str
    gateway: str
    fee_bps: int
    status: PaymentStatus
    holds_units: bool
    pay_by: datetime
    created_at: datetime
    invite_code: str | None
    display_name: str | None
    address: Address | None
    held_at: datetime | None
    late_at: datetime | None
    left_at: datetime | None
    reference: str | None


class SettledPaymentRow(PaymentRow, frozen=True, kw_only=True):
    """A row of `payments` with its settlement, where one was decided."""

    capture_minor: int | None
    settled_unit_price: int | None
    settlement_status: SettlementStatus | None


def payment_from(row: PaymentRow) -> Payment:
    """The payment a row stands for."""
    return Payment(
        order_id=row.order_id,
        deal_id=row.deal_id,
        group_id=row.group_id,
        shopper_id=row.shopper_id,
        variant_id=row.variant_id,
        quantity=row.quantity,
        hold_minor=row.hold_minor,
        currency=row.currency,
        terms=PaymentTerms(row.gateway, row.fee_bps),
        status=row.status,
        holds_units=row.holds_units,
        pay_by=row.pay_by,
        created_at=row.created_at,
        invite_code=row.invite_code,
        display_name=row.display_name,
        address=row.address,
        held_at=row.held_at,
        late_at=row.late_at,
        left_at=row.left_at,
        reference=row.reference,
        settlement=_settlement_from(row) if isinstance(row, SettledPaymentRow) else None,
    )


def _settlement_from(row: SettledPaymentRow) -> Settlement | None:
    if row.capture_minor is None or row.settlement_status is None:
        return None
    return Settlement(capture_minor=row.capture_minor, unit_price=row.settled_unit_price, status=row.settlement_status)


def reserved_row(payment: Payment) -> Row:
    """A new row of `payments`."""
    return {
        "deal_id": payment.deal_id,
        "order_id": payment.order_id,
        "group_id": payment.group_id,
        "shopper_id": payment.shopper_id,
        "variant_id": payment.variant_id,
        "quantity": payment.quantity,
        "hold_minor": payment.hold_minor,
        "currency": payment.currency,
        "gateway": payment.terms.gateway,
        "fee_bps": payment.terms.fee_bps,
        "pay_by": payment.pay_by,
        "created_at": payment.created_at,
        "invite_code": payment.invite_code,
        "display_name": payment.display_name,
        "address": payment.address,
        **paid_row(payment),
    }


def paid_row(payment: Payment) -> Row:
    """What changes of a payment in its life."""
    return {
        "deal_id": payment.deal_id,
        "order_id": payment.order_id,
        "status": payment.status,
        "holds_units": payment.holds_units,
        "held_at": payment.held_at,
        "late_at": payment.late_at,
        "left_at": payment.left_at,
        "reference": payment.reference,
    }


def settlement_row(payment: Payment, settlement: Settlement, now: datetime) -> Row:
    """A payment's settlement."""
    is_over = settlement.status in {SettlementStatus.DONE, SettlementStatus.FAILED}
    return {
        "deal_id": payment.deal_id,
        "order_id": payment.order_id,
        "group_id": payment.group_id,
        "shopper_id": payment.shopper_id,
        "variant_id": payment.variant_id,
        "quantity": payment.quantity,
        "currency": payment.currency,
        "unit_price": settlement.unit_price,
        "hold_minor": payment.hold_minor,
        "capture_minor": settlement.capture_minor,
        "release_minor": payment.hold_minor - settlement.capture_minor,
        "status": settlement.status,
        "created_at": now,
        "done_at": now if is_over else None,
    }


def order_row(order: Order) -> Row:
    """A row of `orders`."""
    return {name: getattr(order, name) for name in Order.__dataclass_fields__}


def refund_row(refund: Refund, group_id: UUID | None, now: datetime) -> Row:
    """A row of `refunds`."""
    values = {name: getattr(refund, name) for name in Refund.__dataclass_fields__}
    return values | {
        "group_id": group_id,
        "status": refund.status,
        "made_at": now if refund.is_made else None,
    }
