"""What an order looks like to the two whose it is, its shopper and its merchant."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.groupbuy.address import Address
from domain.groupbuy.order import RefundStatus
from domain.groupbuy.state import State
from infra.payments.payment_rows import awaited_payment
from infra.reading.order_rows import OrderRow, RefundRow, ShownStatus
from infra.views import AwaitedPayment

_CHANGING = (
    "unit_price",
    "captured_minor",
    "refunded_minor",
    "carrier",
    "tracking_number",
    "placed_at",
    "shipped_at",
    "delivered_at",
    "cancelled_at",
    "returned_at",
    "version",
)
"""What of an order decisions change, by the same names in rows and in the domain."""


class VariantName(msgspec.Struct, frozen=True):
    """What of the product was bought."""

    id: UUID
    title: str


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """Money of an order that goes back: `pending` until the gateway has made it, `dead` where a person must look."""

    id: UUID
    amount: int
    reason: str
    status: RefundStatus
    created_at: datetime
    made_at: datetime | None


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order; amounts are minor units of `currency`.

    `hold` is what was asked for, the most it could cost; `unit_price` is null until it is final. Of what is `captured`
    `refunded` is decided to go back; `refunds` says how far each is. `address` is null where nothing is sent. `payment`
    is what its shopper still has to do while it is `awaiting_payment`.
    """

    id: UUID
    deal_id: UUID
    group_id: UUID | None
    deal_title: str
    variant: VariantName
    quantity: int
    unit_price: int | None
    currency: str
    hold: int
    captured: int
    refunded: int
    status: ShownStatus
    address: Address | None
    payment: AwaitedPayment | None
    carrier: str | None
    tracking_number: str | None
    created_at: datetime
    placed_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled_at: datetime | None
    returned_at: datetime | None
    refunds: list[RefundView]
    version: int


def order_view(row: OrderRow) -> OrderView:
    """An order as the two whose it is see it."""
    return OrderView(
        id=row.id,
        deal_id=row.deal_id,
        group_id=row.group_id,
        deal_title=row.deal_title,
        variant=VariantName(row.variant_id, row.variant_title),
        quantity=row.quantity,
        unit_price=row.unit_price,
        currency=row.currency,
        hold=row.hold_minor,
        captured=row.captured_minor,
        refunded=row.refunded_minor,
        status=row.status,
        address=row.address,
        payment=awaited_payment(row, row.gateway, row.next_step)
        if row.status is ShownStatus.AWAITING_PAYMENT
        else None,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        created_at=row.created_at,
        placed_at=row.placed_at,
        shipped_at=row.shipped_at,
        delivered_at=row.delivered_at,
        cancelled_at=row.cancelled_at,
        returned_at=row.returned_at,
        refunds=[_refund_view(refund) for refund in row.refunds or ()],
        version=row.version,
    )


def changed_order(before: OrderRow, state: State) -> OrderView:
    """An order as a decision left it, who knew it before; of its refunds the one that was decided is added.

    One that somebody else had decided in between counts in `refunded` and is listed when the order is read again.
    """
    order, refund = state.order, state.refund
    assert order is not None
    refunds = {row.id: row for row in before.refunds or ()}
    if refund is not None:
        refunds[refund.id] = RefundRow(
            id=refund.id,
            amount_minor=refund.amount_minor,
            reason=refund.reason,
            status=refund.status,
            created_at=refund.created_at,
            made_at=None,
        )
    changes = {name: getattr(order, name) for name in _CHANGING}
    after = msgspec.structs.replace(
        before, **changes, status=ShownStatus(order.status.value), refunds=list(refunds.values())
    )
    return order_view(after)


def _refund_view(row: RefundRow) -> RefundView:
    return RefundView(
        id=row.id,
        amount=row.amount_minor,
        reason=row.reason,
        status=row.status,
        created_at=row.created_at,
        made_at=row.made_at,
    )
