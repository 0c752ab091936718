"""Sandboxes that misbehave as gateways do: away in the middle, refusing, telling what was, answering late."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec

from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState, GatewayUnavailable
from infra.payments.sandbox import SandboxGateway


class Away(SandboxGateway):
    """Breaks off before the end, so many times."""

    times = 1_000

    async def payments_between(self, begin: datetime, end: datetime) -> AsyncIterator[GatewayPayment]:
        async for payment in super().payments_between(begin, end):
            yield payment
        if not self.times:
            return
        self.times -= 1
        raise GatewayUnavailable("The sandbox is away.")


class Stubborn(SandboxGateway):
    """Cancels nothing."""

    async def cancel(self, reference: str, key: str) -> GatewayPayment:
        raise GatewayRefused("not_today", f"We cancel nothing today, not {reference} by {key} either.")


class Stale(SandboxGateway):
    """Lists payments as they were before they were captured."""

    async def payments_between(self, begin: datetime, end: datetime) -> AsyncIterator[GatewayPayment]:
        async for payment in super().payments_between(begin, end):
            yield msgspec.structs.replace(payment, state=GatewayState.HELD, captured_minor=0)


class Racing(Stale):
    """Lists nothing as held any more; and after each look-up, before its answer is heard, something happens."""

    async def payments_between(self, begin: datetime, end: datetime) -> AsyncIterator[GatewayPayment]:
        async for payment in super().payments_between(begin, end):
            yield msgspec.structs.replace(payment, state=GatewayState.CANCELLED)

    async def look_up(
        self, order_id: UUID, reference: str | None, created_after: datetime | None = None
    ) -> GatewayPayment | None:
        found = await super().look_up(order_id, reference, created_after)
        await self.meanwhile()
        return found

    async def meanwhile(self) -> None:
        """What happens; a test says."""
