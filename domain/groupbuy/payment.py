"""Payments: the money of one order, from the reservation of a place to its end, as decisions see it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.groupbuy.address import Address


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """How a deal takes money: through which gateway, and what of it the platform keeps (basis points)."""

    gateway: str
    fee_bps: int


class PaymentStatus(StrEnum):
    """Where the money of an order is.

    `awaiting`: the place is reserved, the gateway has not approved. `held`: approved; it counts. `lapsed`: the place is
    free again, whatever still comes is released. `captured` and `released`: how a held one ended.
    """

    AWAITING = "awaiting"
    HELD = "held"
    LAPSED = "lapsed"
    CAPTURED = "captured"
    RELEASED = "released"


class LapsedBecause(StrEnum):
    """Why a reservation came to nothing."""

    DEADLINE = "deadline"
    DECLINED = "declined"
    LEFT = "left"
    GROUP_CLOSED = "group_closed"
    TOO_LATE = "too_late"
    HOLD_TOO_SHORT = "hold_too_short"


class SettlementStatus(StrEnum):
    """How far a settlement is: `failed` is the gateway's clear no, `dead` means a person must look at it."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What is to become of a payment: `capture_minor` of it is kept, at `unit_price`, and the rest goes back."""

    capture_minor: int
    unit_price: int | None
    status: SettlementStatus = SettlementStatus.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The payment of one order; `hold_minor` is the ceiling price (alone: the solo price) x quantity.

    `holds_units`: units of stock are kept for it and for no place: while awaiting, and for an order without a group.
    `late_at`: when money came although it had lapsed; `left_at`: when its shopper gave the place up. `address` is where
    the goods go, None for digital ones; `reference` is what the gateway calls the payment.
    """

    order_id: UUID
    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    variant_id: UUID
    quantity: int
    hold_minor: int
    currency: str
    terms: PaymentTerms
    status: PaymentStatus
    holds_units: bool
    pay_by: datetime
    created_at: datetime
    invite_code: str | None = None
    display_name: str | None = None
    address: Address | None = None
    held_at: datetime | None = None
    late_at: datetime | None = None
    left_at: datetime | None = None
    reference: str | None = None
    settlement: Settlement | None = None
