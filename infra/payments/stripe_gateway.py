"""Stripe: PaymentIntents on cards with manual capture, through stripe-python's asynchronous client.

What Stripe promises and what it does not:
- One capture per hold, at most what was authorised; the rest is released with it
  (https://docs.stripe.com/payments/place-a-hold-on-a-payment-method).
- A hold lives as long as the card network lets it, 7 days for most; the charge says until when (`capture_before`).
- A key gives the first answer again, a 500 included, for 24 hours; after that the same key does the thing anew
  (https://docs.stripe.com/api/idempotent_requests). So whoever repeats a call much later looks the payment up first.
- A payment whose reference was lost is found by listing, never by the Search API, which is minutes behind.
"""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

import msgspec
import stripe
from stripe.params import PaymentIntentCreateParams, PaymentIntentListParams, PaymentIntentListParamsCreated

from domain.pricing.steps import Strategy
from infra.payments.port import (
    GatewayPayment,
    GatewayRefused,
    GatewayState,
    GatewayUnavailable,
    PaymentRequest,
    WebhookEvent,
)
from infra.payments.stripe_amounts import refuse_inexact, refuse_not_positive
from infra.payments.stripe_errors import heard_as_trouble, in_short, trouble
from infra.payments.stripe_http import CarefulClient
from infra.payments.stripe_intents import Intent, payment_of, read_intent, read_page, read_refund
from infra.payments.stripe_webhooks import read_event

HOLD_LIFETIME_S = 7 * 24 * 3600
"""How long Visa, Mastercard, American Express and Discover hold for a payment that the shopper makes online."""
REQUEST_TIMEOUT_S = 8.0
"""Longest silence within one request."""
CLOCK_DIFFERENCE = timedelta(minutes=5)
"""How far Stripe's clock may be from ours when a payment is searched for by its time."""
CHARGE = ["latest_charge"]
"""What every answer shows beside the intent: when its hold ends and what was refunded."""
ENDED_BY_STRIPE = frozenset({"automatic", "expired"})
"""Reasons of a cancellation that nobody asked for."""
REFUNDS_THAT_CAME_TO_NOTHING = frozenset({"failed", "canceled"})
PAGE_SIZE = 100
"""The most Stripe allows."""
PAGES_MAX = 10_000


class StripeGateway:
    """Holds on cards at Stripe.

    `api_base` is where a stand-in listens. With `return_url` the shopper's 3-D Secure step is a redirect that ends
    there; without, the app takes it with the client secret and Stripe's SDK.
    """

    name = "stripe"
    strategy = Strategy.HOLD_AND_CAPTURE

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        api_base: str | None = None,
        hold_lifetime_s: int = HOLD_LIFETIME_S,
        return_url: str | None = None,
    ) -> None:
        self.hold_lifetime_s = hold_lifetime_s
        self._webhook_secret = webhook_secret
        self._return_url = return_url
        self._http = CarefulClient(timeout=REQUEST_TIMEOUT_S)
        self._stripe = stripe.StripeClient(
            api_key,
            http_client=self._http,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            max_network_retries=0,  # whoever calls retries, and looks the payment up before
        )

    async def authorise(self, request: PaymentRequest) -> GatewayPayment:
        """Hold the money of an order, once however often it is asked for in 24 hours; later, look the order up first.

        A request that names a method is confirmed at once. Declined, its intent is cancelled, so that the app cannot
        pay it later behind our back. Without a method the intent waits for the app, which pays with the client secret.
        """
        async with heard_as_trouble():
            try:
                answer = await self._intents.create_async(
                    self._intent_of(request), {"idempotency_key": f"{request.order_id}:authorise"}
                )
            except stripe.CardError as declined:
                return await self._end_declined(declined, request.order_id)
            return self._payment(answer)

    async def look_up(
        self, order_id: UUID, reference: str | None, created_after: datetime | None = None
    ) -> GatewayPayment | None:
        """The payment of an order; without its reference among those made since, or as long as a hold can live."""
        if reference is None:
            since = created_after or datetime.now(UTC) - timedelta(seconds=self.hold_lifetime_s)
            return await self._search(order_id, since - CLOCK_DIFFERENCE)
        async with heard_as_trouble():
            try:
                intent = read_intent(await self._retrieve(reference))
            except stripe.InvalidRequestError as error:
                if error.http_status == HTTPStatus.NOT_FOUND:
                    return None
                raise
            return payment_of(intent, self.hold_lifetime_s) if intent.order_id == order_id else None

    async def capture(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        """Take so much of a hold and release the rest; a hold of which exactly that was taken before is no error."""
        refuse_not_positive(amount_minor)
        async with heard_as_trouble():
            try:
                answer = await self._intents.capture_async(
                    reference, {"amount_to_capture": amount_minor, "expand": CHARGE}, {"idempotency_key": key}
                )
            except stripe.InvalidRequestError as refused:
                return await self._captured_already(reference, amount_minor, refused)
            return self._payment(answer)

    async def cancel(self, reference: str, key: str) -> GatewayPayment:
        async with heard_as_trouble():
            return await self._cancel(reference, key)

    async def refund(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        """Give back so much of what was taken; Stripe answers with the refund and, in it, the payment after it."""
        refuse_not_positive(amount_minor)
        async with heard_as_trouble():
            answer = await self._stripe.v1.refunds.create_async(
                {"payment_intent": reference, "amount": amount_minor, "expand": ["payment_intent.latest_charge"]},
                {"idempotency_key": key},
            )
            refund = read_refund(answer)
            if refund.status in REFUNDS_THAT_CAME_TO_NOTHING:
                raise GatewayRefused("refund_failed", f"Stripe says of the refund {refund.id}: {refund.status}.")
            return payment_of(refund.payment_intent, self.hold_lifetime_s)

    def read_webhook(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Sequence[WebhookEvent]:
        return (read_event(body, headers, self._webhook_secret, now),)

    async def payments_between(self, begin: datetime, end: datetime) -> AsyncIterator[GatewayPayment]:
        """Payments for orders of ours made in the period, newest first; Stripe tells times in whole seconds."""
        async for intent in self._listed({"gte": math.ceil(begin.timestamp()), "lt": math.ceil(end.timestamp())}):
            yield payment_of(intent, self.hold_lifetime_s)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the library does not annotate it

    def _intent_of(self, request: PaymentRequest) -> PaymentIntentCreateParams:
        """Cards only: other methods hold for other times, or not at all."""
        refuse_inexact(request.amount_minor, request.currency)
        params: PaymentIntentCreateParams = {
            "amount": request.amount_minor,
            "currency": request.currency.lower(),
            "capture_method": "manual",
            "allowed_payment_method_types": ["card"],
            "metadata": {"order_id": str(request.order_id), "shopper_id": str(request.shopper_id)},
            "expand": CHARGE,
        }
        if request.description:
            params["description"] = request.description
        if request.method is not None:
            params["payment_method"] = request.method
            params["confirm"] = True
            if self._return_url is not None:
                params["return_url"] = self._return_url
        return params

    async def _end_declined(self, declined: stripe.CardError, order_id: UUID) -> GatewayPayment:
        """The cancelled payment of a declined request; the key is the one a later cancel of the order would have."""
        made = declined.error.payment_intent if declined.error else None
        if made is None:
            raise GatewayUnavailable("Stripe declined without naming the payment it made; look the order up.")
        ended = await self._cancel(read_intent(made).id, f"{order_id}:cancel")
        return msgspec.structs.replace(ended, declined_because=in_short(declined))

    async def _cancel(self, reference: str, key: str) -> GatewayPayment:
        try:
            answer = await self._intents.cancel_async(reference, {"expand": CHARGE}, {"idempotency_key": key})
        except stripe.InvalidRequestError as refused:
            payment = self._payment(await self._retrieve(reference))
            if payment.state is not GatewayState.CANCELLED:
                raise trouble(refused) from None
            return payment
        return self._payment(answer)

    async def _captured_already(
        self, reference: str, amount_minor: int, refused: stripe.InvalidRequestError
    ) -> GatewayPayment:
        """The payment where an earlier capture took exactly this; else why not, an expired hold in the port's word."""
        answer = await self._retrieve(reference)
        payment = self._payment(answer)
        if payment.state is GatewayState.PAID and payment.captured_minor == amount_minor:
            return payment
        if read_intent(answer).cancellation_reason in ENDED_BY_STRIPE:
            raise GatewayRefused("hold_expired", "The hold was not captured in time; Stripe released it.")
        raise trouble(refused)

    async def _search(self, order_id: UUID, since: datetime) -> GatewayPayment | None:
        """The order's payment among the newest; one that still counts before one that is over."""
        over: GatewayPayment | None = None
        async for intent in self._listed({"gte": math.floor(since.timestamp())}):
            if intent.order_id == order_id:
                payment = payment_of(intent, self.hold_lifetime_s)
                if payment.state is not GatewayState.CANCELLED:
                    return payment
                over = over or payment
        return over

    async def _listed(self, created: PaymentIntentListParamsCreated) -> AsyncIterator[Intent]:
        """Intents of ours made in a time, newest first, page by page."""
        params: PaymentIntentListParams = {"created": created, "limit": PAGE_SIZE, "expand": ["data.latest_charge"]}
        for _ in range(PAGES_MAX):
            async with heard_as_trouble():
                page = read_page(await self._intents.list_async(params))
            for intent in page.data:
                if intent.order_id is not None:
                    yield intent
            if not page.has_more or not page.data:
                return
            params["starting_after"] = page.data[-1].id
        raise GatewayUnavailable(f"Stripe has more than {PAGES_MAX * PAGE_SIZE} payments; ask for a shorter time.")

    async def _retrieve(self, reference: str) -> object:
        return await self._intents.retrieve_async(reference, {"expand": CHARGE})

    def _payment(self, answer: object) -> GatewayPayment:
        return payment_of(read_intent(answer), self.hold_lifetime_s)

    @property
    def _intents(self) -> stripe.PaymentIntentService:
        return self._stripe.v1.payment_intents
