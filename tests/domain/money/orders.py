"""What merchants and shoppers ask of the first order of a shopper."""

from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from domain.groupbuy.commands import CancelOrder, DeliverOrder, RefundOrder, ShipOrder
from tests.domain.catalogue import DEAL, GROUP, MERCHANT
from tests.domain.money.till import order_of

REFUND = UUID(int=0xB1)


def shipping(shopper_id: UUID, **changes: object) -> ShipOrder:
    """The goods are with the carrier."""
    command = ShipOrder(
        deal_id=DEAL, order_id=order_of(shopper_id), merchant_id=MERCHANT, carrier="Post", tracking_number="T1"
    )
    return replace(command, **cast("dict[str, Any]", changes))


def delivering(shopper_id: UUID, **changes: object) -> DeliverOrder:
    """The goods are there, says the shopper."""
    command = DeliverOrder(deal_id=DEAL, order_id=order_of(shopper_id), caller_id=shopper_id)
    return replace(command, **cast("dict[str, Any]", changes))


def cancelling(shopper_id: UUID, **changes: object) -> CancelOrder:
    """The merchant cannot send them."""
    command = CancelOrder(
        deal_id=DEAL,
        group_id=GROUP,
        shopper_id=shopper_id,
        order_id=order_of(shopper_id),
        merchant_id=MERCHANT,
        refund_id=REFUND,
        reason="Sold out",
    )
    return replace(command, **cast("dict[str, Any]", changes))


def refunding(shopper_id: UUID, **changes: object) -> RefundOrder:
    """The merchant gives everything back."""
    command = RefundOrder(
        deal_id=DEAL,
        group_id=GROUP,
        order_id=order_of(shopper_id),
        merchant_id=MERCHANT,
        refund_id=REFUND,
        amount_minor=None,
        currency=None,
        reason="Broken",
        is_return=False,
    )
    return replace(command, **cast("dict[str, Any]", changes))
