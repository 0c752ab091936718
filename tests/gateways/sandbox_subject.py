"""The sandbox under the contract, with the shopper's and the clock's hands lent by its own books."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.pricing.steps import Strategy
from infra.payments.port import GatewayPayment, GatewayState, PaymentRequest
from infra.payments.sandbox import SandboxGateway
from infra.payments.sandbox.booked import Status
from infra.payments.sandbox.messages import Message, event_of, signed
from infra.payments.sandbox.signing import sandbox_key
from infra.settings import Settings
from tests.gateways.contract import Methods, Sent
from tests.gateways.subject import payment_request

_STATUS = {
    GatewayState.PENDING: Status.PENDING,
    GatewayState.HELD: Status.HELD,
    GatewayState.PAID: Status.PAID,
    GatewayState.CANCELLED: Status.CANCELLED,
}


@dataclass
class SandboxSubject:
    """A sandbox gateway, and an engine that reaches into its books."""

    gateway: SandboxGateway
    engine: AsyncEngine
    key: bytes
    methods: Methods = field(
        default_factory=lambda: Methods(approve="sandbox_approve", decline="sandbox_decline", step="sandbox_step")
    )
    currency: str = "EUR"

    async def complete_step(self, payment: GatewayPayment, *, approve: bool) -> None:
        """The shopper's page tells the sandbox."""
        assert payment.client_secret is not None
        await self.gateway.complete_step(payment.reference, payment.client_secret, approve=approve)

    async def expire_hold(self, payment: GatewayPayment) -> None:
        """The hold's end is moved to a moment ago."""
        ago = "clock_timestamp() - interval '1 second'"
        await self.write(
            f"UPDATE sandbox_payments SET hold_expires_at = {ago} WHERE order_id = :id", id=payment.order_id
        )

    async def authorise_unanswered(self, request: PaymentRequest) -> None:
        """The method that loses its answer."""
        await self.gateway.authorise(msgspec.structs.replace(request, method="sandbox_timeout_after_success"))

    async def capture_declining(self) -> GatewayPayment:
        """The method whose capture is declined."""
        return await self.gateway.authorise(payment_request(self, method="sandbox_decline_at_capture"))

    def webhook(self, payment: GatewayPayment, at: datetime) -> Sent:
        """A message as the sandbox writes it."""
        event = event_of("evt_1_0", f"payment.{payment.state}", payment.order_id, _STATUS[payment.state], at)
        return self._sent(msgspec.json.encode(Message(events=[event])), at)

    def webhook_of_unknown_kind(self, at: datetime) -> Sent:
        """A kind of a later version, about something else."""
        return self._sent(b'{"events": [{"id": "evt_2_0", "kind": "payout.made", "payout": {"amount_minor": 5}}]}', at)

    async def write(self, statement: str, **parameters: Any) -> None:
        """Change the books behind the gateway's back."""
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), parameters)

    async def read(self, statement: str) -> list[Any]:
        """Look into the books."""
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(statement))).all())

    def _sent(self, body: bytes, at: datetime) -> Sent:
        return Sent(body, signed(self.key, body, at))


@asynccontextmanager
async def sandbox_subject(
    settings: Settings, engine: AsyncEngine, strategy: Strategy = Strategy.HOLD_AND_CAPTURE
) -> AsyncIterator[SandboxSubject]:
    """A sandbox on empty books; its connections are given back at the end."""
    gateway = SandboxGateway(settings, strategy=strategy)
    try:
        yield SandboxSubject(gateway, engine, sandbox_key(settings))
    finally:
        await gateway.close()
