"""A gateway in memory that remembers no idempotency key, and misbehaves as it is told."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

import msgspec

from domain.pricing.steps import Strategy
from infra.payments.port import (
    GatewayPayment,
    GatewayRefused,
    GatewayState,
    GatewayUnavailable,
    PaymentRequest,
    WebhookEvent,
    WebhookRefused,
)

NO_PAYMENT = GatewayRefused("no_such_payment")


class Trouble(Enum):
    """What a call can come to beside a refusal."""

    NO_ANSWER = "nothing is done, and nothing said"
    ANSWER_LOST = "it is done, and nothing said"


class HostileGateway:
    """Like a gateway that forgets keys after a day, every day: a step done twice is done twice, or refused.

    `done` counts the steps that had an effect, `keys` names those they were asked for with. For an order in `hanging`
    it does nothing before that event.
    """

    name = "sandbox"
    hold_lifetime_s = 7 * 24 * 3600

    def __init__(self, strategy: Strategy = Strategy.HOLD_AND_CAPTURE) -> None:
        self.strategy = strategy
        self.payments: dict[UUID, GatewayPayment] = {}
        self.done: Counter[tuple[str, UUID]] = Counter()
        self.keys: dict[tuple[str, UUID], set[str]] = defaultdict(set)
        self.hanging: dict[UUID, asyncio.Event] = {}
        self._troubles: dict[str, deque[Trouble | GatewayRefused]] = defaultdict(deque)

    def will(self, step: str, *troubles: Trouble | GatewayRefused) -> None:
        """The next calls of a kind come to this, one after the other."""
        self._troubles[step].extend(troubles)

    async def authorise(self, request: PaymentRequest) -> GatewayPayment:
        """Everything is approved."""
        is_paid = self.strategy is Strategy.PAY_AND_REFUND
        payment = GatewayPayment(
            reference=f"ref_{request.order_id.hex}",
            order_id=request.order_id,
            state=GatewayState.PAID if is_paid else GatewayState.HELD,
            amount_minor=request.amount_minor,
            currency=request.currency,
            captured_minor=request.amount_minor if is_paid else 0,
        )
        return self.payments.setdefault(request.order_id, payment)

    async def look_up(
        self,
        order_id: UUID,
        reference: str | None,  # noqa: ARG002 - the port's; here an order is found by its id
        created_after: datetime | None = None,  # noqa: ARG002 - the same
    ) -> GatewayPayment | None:
        """As it is now."""
        if self._troubles["look_up"]:
            self._troubles["look_up"].popleft()
            raise GatewayUnavailable("The gateway said nothing.")
        return self.payments.get(order_id)

    async def capture(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        """Of a hold only, and once."""

        def captured(payment: GatewayPayment) -> GatewayPayment:
            if payment.state is not GatewayState.HELD:
                raise GatewayRefused("hold_expired" if payment.state is GatewayState.CANCELLED else "already_captured")
            return msgspec.structs.replace(payment, state=GatewayState.PAID, captured_minor=amount_minor)

        return await self._do("capture", reference, key, captured)

    async def cancel(self, reference: str, key: str) -> GatewayPayment:
        """Of anything that is not paid."""

        def cancelled(payment: GatewayPayment) -> GatewayPayment:
            if payment.state is GatewayState.PAID:
                raise GatewayRefused("already_captured")
            return msgspec.structs.replace(payment, state=GatewayState.CANCELLED)

        return await self._do("cancel", reference, key, cancelled)

    async def refund(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        """Up to what is left, whatever was refunded under the key before."""

        def refunded(payment: GatewayPayment) -> GatewayPayment:
            if amount_minor > payment.captured_minor - payment.refunded_minor:
                raise GatewayRefused("amount_not_captured")
            return msgspec.structs.replace(payment, refunded_minor=payment.refunded_minor + amount_minor)

        return await self._do("refund", reference, key, refunded)

    def read_webhook(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Sequence[WebhookEvent]:
        """It sends none, so what comes is not of it."""
        raise WebhookRefused(f"{body!r} with {headers} at {now} is not of this gateway.")

    async def payments_between(self, begin: datetime, end: datetime) -> AsyncIterator[GatewayPayment]:
        """Those that say when they were made."""
        for payment in self.payments.values():
            if payment.created_at is not None and begin <= payment.created_at < end:
                yield payment

    async def close(self) -> None:
        """There is nothing to close."""

    async def _do(
        self, step: str, reference: str, key: str, change: Callable[[GatewayPayment], GatewayPayment]
    ) -> GatewayPayment:
        payment = next((found for found in self.payments.values() if found.reference == reference), None)
        if payment is None:
            raise NO_PAYMENT
        self.keys[(step, payment.order_id)].add(key)
        if payment.order_id in self.hanging:
            await self.hanging[payment.order_id].wait()
        trouble = self._troubles[step].popleft() if self._troubles[step] else None
        if isinstance(trouble, GatewayRefused):
            raise trouble
        if trouble is Trouble.NO_ANSWER:
            raise GatewayUnavailable("The gateway said nothing.")
        payment = self.payments[payment.order_id] = change(self.payments[payment.order_id])
        self.done[(step, payment.order_id)] += 1
        if trouble is Trouble.ANSWER_LOST:
            raise GatewayUnavailable("The gateway said nothing.")
        return payment
