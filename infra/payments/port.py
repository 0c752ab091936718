"""The port to whoever moves the money: what Tuan asks of a payment gateway, and what it hears back.

GatewayTrouble
├── GatewayUnavailable   no answer, or one that leaves open what happened: look the payment up before trying again
├── GatewayRefused       a clear no to this step, and no later try will change it
└── WebhookRefused       a message that cannot be trusted: unsigned, wrongly signed, stale or unreadable
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from domain.pricing.steps import Strategy

CALL_TIMEOUT_S = 10.0
"""No call of a gateway takes longer."""
CLOCKS_DIFFER = timedelta(minutes=1)
"""How much earlier than in our rows a payment may have been made by its gateway's clock."""


class GatewayTrouble(Exception):  # noqa: N818 - its kinds are named after what is the matter
    """Anything a gateway can answer other than what was asked for."""


class GatewayUnavailable(GatewayTrouble):
    """The gateway gave no answer in time, or one that leaves open whether the step was done."""


class GatewayRefused(GatewayTrouble):
    """The gateway says no for good; `reason` is a word such as `card_declined` or `hold_expired`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(detail or reason)


class WebhookRefused(GatewayTrouble):
    """A webhook that is unsigned, wrongly signed, stale or unreadable; `str()` says which."""


OUR_FAULT = "gateway_credentials"
"""The reason of a refusal that is about our account at the gateway, not about anybody's money."""


class GatewayState(StrEnum):
    """Where a payment stands at the gateway."""

    PENDING = "pending"
    """Nothing is held yet: the shopper has a step to take, or the gateway is still at work."""
    HELD = "held"
    """Approved and not captured (hold and capture)."""
    PAID = "paid"
    """Money has been taken: captured from a hold, or paid at once (pay and refund)."""
    CANCELLED = "cancelled"
    """Nothing is held and nothing can be any more: cancelled, declined for good, or its hold expired."""


class PaymentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be held (or paid) for one order; `amount_minor` are minor units of `currency`.

    `order_id` is the idempotency key: asking twice for one order holds once. `method` names the shopper's payment
    method as the gateway knows it; None lets the shopper choose in the gateway's own step (the sandbox approves).
    """

    order_id: UUID
    shopper_id: UUID
    amount_minor: int
    currency: str
    method: str | None = None
    description: str = ""


class GatewayPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as the gateway knows it; amounts in minor units.

    `captured_minor` is what was taken before refunds, `refunded_minor` what of it went back. `client_secret` and
    `redirect_url` are what the app needs for the shopper's step while `PENDING`; `declined_because` is the last
    decline, for a person. `hold_expires_at` is the gateway's own word on how long the hold lives.
    """

    reference: str
    order_id: UUID
    state: GatewayState
    amount_minor: int
    currency: str
    captured_minor: int = 0
    refunded_minor: int = 0
    client_secret: str | None = None
    redirect_url: str | None = None
    declined_because: str | None = None
    hold_expires_at: datetime | None = None
    created_at: datetime | None = None


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a gateway: a hint that a payment changed; whoever acts on it looks the payment up first.

    `order_id` is None for an event that is about no order of ours, or of a kind we do not know.
    """

    id: str
    kind: str
    order_id: UUID | None
    state: GatewayState | None


class PaymentGateway(Protocol):
    """A gateway by its name; every call is safe to repeat with the same key, and none blocks the event loop.

    All calls raise `GatewayUnavailable`; those that move money raise `GatewayRefused` as well. No call takes longer
    than `CALL_TIMEOUT_S`.
    """

    name: str
    strategy: Strategy
    hold_lifetime_s: int
    """How long money can stay held (or be given back) at least, from the approval on."""

    async def authorise(self, request: PaymentRequest) -> GatewayPayment:
        """Hold (or take) the money of an order, once however often asked; a decline is a `CANCELLED` payment."""

    async def look_up(
        self, order_id: UUID, reference: str | None, created_after: datetime | None = None
    ) -> GatewayPayment | None:
        """The payment of an order as it is now; None where the gateway has none.

        Where the reference is not known (its answer was lost) it is searched for among those made after that moment.
        """

    async def capture(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        """Take so much of a hold and release the rest; once for a key."""

    async def cancel(self, reference: str, key: str) -> GatewayPayment:
        """Release a hold, or end a payment that waits for its shopper; cancelled already is no error."""

    async def refund(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        """Give back so much of what was taken; once for a key. `GatewayRefused` beyond what was taken."""

    def read_webhook(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Sequence[WebhookEvent]:
        """The events in a webhook; header names in lower case. Raises `WebhookRefused`."""

    def payments_between(self, begin: datetime, end: datetime) -> AsyncIterator[GatewayPayment]:
        """Every payment the gateway made in a period, for reconciliation; pages are fetched as it goes."""

    async def close(self) -> None:
        """Give connections back."""
