"""The order that is paid for at the stand-in, and what is asked of the gateway about it."""

from datetime import datetime
from uuid import UUID

from infra.ids import new_id
from infra.payments.port import PaymentRequest
from infra.payments.stripe_gateway import StripeGateway

ORDER, SHOPPER = new_id(), new_id()
PI = "pi_3MtwBwLkdIwHu7ix28a3tqPa"


def request_of(method: str | None = "pm_card_visa", currency: str = "EUR") -> PaymentRequest:
    """Ten euros for tea, unless told otherwise."""
    return PaymentRequest(
        order_id=ORDER,
        shopper_id=SHOPPER,
        amount_minor=1_000,
        currency=currency,
        method=method,
        description="Tea, 1 unit",
    )


async def all_of(gateway: StripeGateway, begin: datetime, end: datetime) -> list[UUID]:
    return [payment.order_id async for payment in gateway.payments_between(begin, end)]
