"""The sandbox as a payment gateway."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.pricing.steps import Strategy
from infra.payments.port import (
    GatewayPayment,
    GatewayRefused,
    GatewayUnavailable,
    PaymentRequest,
    WebhookEvent,
)
from infra.payments.sandbox.booked import Booked, Status, as_told, opening_of, order_of, reference_of
from infra.payments.sandbox.books import Books
from infra.payments.sandbox.messages import read_message
from infra.payments.sandbox.methods import method_named
from infra.payments.sandbox.rules import Cancel, Capture, Change, Refund, TakeStep
from infra.payments.sandbox.signing import client_secret, sandbox_key
from infra.settings import Settings

HOLD_LIFETIME_S = 7 * 24 * 3600
AMOUNT_MINOR_MAX = 10**15
STEP_PATH = "/sandbox/payments/{reference}/step"
"""Where on the API's own address a shopper takes the step of a payment."""
_CURRENCY = re.compile(r"[A-Z]{3}")
_KEY = re.compile(r"[ -~]{1,200}")


class SandboxGateway:
    """A provider in the same house, with books, clock and mind of its own; see `methods.py` for its payment methods."""

    name = "sandbox"

    def __init__(
        self,
        settings: Settings,
        *,
        strategy: Strategy = Strategy.HOLD_AND_CAPTURE,
        hold_lifetime_s: int = HOLD_LIFETIME_S,
    ) -> None:
        self.strategy = strategy
        self.hold_lifetime_s = hold_lifetime_s
        self._holds_for_s = hold_lifetime_s if strategy is Strategy.HOLD_AND_CAPTURE else None
        self._key = sandbox_key(settings)
        self._address = settings.origin
        self._books = Books(settings)

    async def authorise(self, request: PaymentRequest) -> GatewayPayment:
        """Hold (or take) the money of an order, as its method has it."""
        name, method = method_named(request.method)
        if not 0 < request.amount_minor <= AMOUNT_MINOR_MAX:
            raise GatewayRefused("invalid_amount", f"An amount is 1 to {AMOUNT_MINOR_MAX} minor units.")
        if not _CURRENCY.fullmatch(request.currency):
            raise GatewayRefused("invalid_currency", "A currency is three capital letters (ISO 4217).")
        if method.delay_s:
            await asyncio.sleep(method.delay_s)
        if method.is_away:
            raise GatewayUnavailable("The sandbox is away for this payment method.")
        opened = await self._books.open(opening_of(request, name, self._holds_for_s))
        payment = opened.payment
        if (payment.amount_minor, payment.currency) != (request.amount_minor, request.currency):
            there = f"{payment.amount_minor} {payment.currency}"
            raise GatewayRefused("idempotency_mismatch", f"This order has a payment of another amount: {there}.")
        if opened.is_new and method.loses_its_answer:
            raise GatewayUnavailable("The sandbox's answer was lost.")
        return self._told(payment)

    async def look_up(
        self,
        order_id: UUID,
        reference: str | None,
        created_after: datetime | None = None,  # noqa: ARG002 - the port's; here an order is found by its key at once
    ) -> GatewayPayment | None:
        """The payment of an order as it is now."""
        if reference is not None and order_of(reference) != order_id:
            return None
        found = await self._books.find(order_id)
        return None if found is None else self._told(found)

    async def capture(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        """Take so much of a hold, once, and release the rest."""
        return await self._change(Capture(_order(reference), _usable(key), _bounded(amount_minor)))

    async def cancel(self, reference: str, key: str) -> GatewayPayment:
        """Release a hold, or end a payment that waits for its shopper."""
        return await self._change(Cancel(_order(reference), _usable(key)))

    async def refund(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        """Give back so much of what was taken."""
        return await self._change(Refund(_order(reference), _usable(key), _bounded(amount_minor)))

    async def complete_step(self, reference: str, client_secret: str, *, approve: bool) -> GatewayPayment:
        """The shopper took the step, or failed it; GatewayRefused for a wrong secret and where no step is awaited."""
        order_id = _order(reference)
        if not hmac.compare_digest(client_secret.encode(errors="replace"), self._secret(order_id).encode()):
            raise GatewayRefused("wrong_client_secret", "This client secret is not of this payment.")
        return await self._change(TakeStep(order_id, approve, self._holds_for_s))

    def read_webhook(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Sequence[WebhookEvent]:
        """The events in a message of ours."""
        return read_message(self._key, body, headers, now)

    async def payments_between(self, begin: datetime, end: datetime) -> AsyncIterator[GatewayPayment]:
        """Every payment made from `begin` on and before `end`, in the order they were made."""
        async for payment in self._books.between(begin, end):
            yield self._told(payment)

    async def close(self) -> None:
        """Give connections back."""
        await self._books.close()

    async def _change(self, change: Change) -> GatewayPayment:
        return self._told(await self._books.change(change))

    def _told(self, payment: Booked) -> GatewayPayment:
        if payment.status is not Status.PENDING:
            return as_told(payment)
        step = STEP_PATH.format(reference=reference_of(payment.order_id))
        secret = self._secret(payment.order_id)
        return as_told(payment, secret, f"{self._address}{step}?client_secret={secret}")

    def _secret(self, order_id: UUID) -> str:
        return client_secret(self._key, order_id)


def _order(reference: str) -> UUID:
    order_id = order_of(reference)
    if order_id is None:
        raise GatewayRefused("no_such_payment", "The sandbox has no such payment.")
    return order_id


def _usable(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise GatewayRefused("invalid_key", "An idempotency key is 1 to 200 printable ASCII characters.")
    return key


def _bounded(amount_minor: int) -> int:
    if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
        raise GatewayRefused("invalid_amount", f"An amount is 1 to {AMOUNT_MINOR_MAX} minor units.")
    return amount_minor
