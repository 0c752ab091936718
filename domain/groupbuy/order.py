"""Orders: what a shopper has paid for, until the goods are there or the money is back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

CARRIER_CHARACTERS_MAX = 60
TRACKING_CHARACTERS_MAX = 100
REASON_CHARACTERS_MAX = 500


class OrderStatus(StrEnum):
    """Where the goods are; digital ones are delivered with the payment."""

    TO_SHIP = "to_ship"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A captured payment's goods; amounts in minor units, `refunded_minor` is what is decided to go back."""

    id: UUID
    deal_id: UUID
    group_id: UUID | None
    merchant_id: UUID
    shopper_id: UUID
    variant_id: UUID
    quantity: int
    unit_price: int
    currency: str
    captured_minor: int
    refunded_minor: int
    fee_bps: int
    status: OrderStatus
    version: int
    placed_at: datetime
    carrier: str | None = None
    tracking_number: str | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    returned_at: datetime | None = None

    @property
    def kept_minor(self) -> int:
        """What the shopper has paid and not got back."""
        return self.captured_minor - self.refunded_minor


class RefundStatus(StrEnum):
    """How far a refund is: `dead` means a person must look at it."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money of an order that goes back; `is_made` once the gateway has done it."""

    id: UUID
    order_id: UUID
    deal_id: UUID
    amount_minor: int
    reason: str
    is_made: bool
    created_at: datetime

    @property
    def status(self) -> RefundStatus:
        """As a decision leaves it; that it is dead is found out at the gateway."""
        return RefundStatus.DONE if self.is_made else RefundStatus.PENDING
