"""What a gateway's test module brings to the contract: the gateway, and the other side's hands."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.pricing.steps import Strategy
from infra.ids import new_id
from infra.payments.port import GatewayPayment, PaymentGateway, PaymentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Methods:
    """Names of payment methods at the gateway that behave as their field says."""

    approve: str
    decline: str
    step: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A webhook as it goes over the wire; header names in lower case."""

    body: bytes
    headers: dict[str, str]


class Subject(Protocol):
    """A gateway under test, and what the shopper, the card network and the provider do on the other side of it.

    A hand that the server cannot lend raises NotImplementedError; the checks that need it are left out by the
    `Capabilities`.
    """

    @property
    def gateway(self) -> PaymentGateway: ...

    @property
    def methods(self) -> Methods: ...

    @property
    def currency(self) -> str: ...

    async def complete_step(self, payment: GatewayPayment, *, approve: bool) -> None:
        """The shopper takes (or fails) the step of a `PENDING` payment; GatewayRefused where none is waited for."""

    async def expire_hold(self, payment: GatewayPayment) -> None:
        """The hold's life is over now, without anybody having cancelled it."""

    async def authorise_unanswered(self, request: PaymentRequest) -> None:
        """`gateway.authorise` where the other side does it and the answer is lost: raises GatewayUnavailable."""

    async def capture_declining(self) -> GatewayPayment:
        """A held payment of 1000 whose capture the card's bank will decline."""

    def webhook(self, payment: GatewayPayment, at: datetime) -> Sent:
        """A signed message, sent at a moment, that this payment is now in its state."""

    def webhook_of_unknown_kind(self, at: datetime) -> Sent:
        """A signed message of a kind that nobody here has heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What can be checked against a server: `left_out` names each check that cannot, with the reason."""

    strategy: Strategy
    left_out: dict[str, str]


Check = Callable[[Subject], Awaitable[None]]


def payment_request(subject: Subject, *, amount_minor: int = 1_000, method: str | None = None) -> PaymentRequest:
    """A request for an order nobody has asked for before; the approving method where none is named."""
    return PaymentRequest(
        order_id=new_id(),
        shopper_id=new_id(),
        amount_minor=amount_minor,
        currency=subject.currency,
        method=method or subject.methods.approve,
        description="Ceiling price, 1 unit",
    )


async def authorised(subject: Subject, amount_minor: int = 1_000) -> GatewayPayment:
    """A payment that was approved at once: held or paid, as the gateway does it."""
    return await subject.gateway.authorise(payment_request(subject, amount_minor=amount_minor))


async def present(subject: Subject, payment: GatewayPayment) -> GatewayPayment:
    """The payment as the gateway has it now."""
    found = await subject.gateway.look_up(payment.order_id, payment.reference)
    assert found is not None
    return found


def key(order_id: UUID, step: str) -> str:
    """The key of a step of an order, as the executor makes them."""
    return f"{order_id}:{step}"
