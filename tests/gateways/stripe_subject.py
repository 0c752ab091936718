"""The other side of the Stripe gateway in the tests: localstripe, the shopper at it, and Stripe's signature."""

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import httpx

from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState, PaymentGateway, PaymentRequest
from infra.payments.stripe_gateway import StripeGateway
from tests.gateways.loopback import answers_lost
from tests.gateways.subject import Methods, Sent
from tests.waiting import until

ROOT = Path(__file__).parents[2]
API_KEY = "sk_test_of_the_contract"
WEBHOOK_SECRET = "whsec_of_the_contract"
CARD_THAT_NEEDS_A_STEP = "4000002760003184"
STATUS = {
    GatewayState.PENDING: "requires_action",
    GatewayState.HELD: "requires_capture",
    GatewayState.PAID: "succeeded",
    GatewayState.CANCELLED: "canceled",
}


@contextmanager
def localstripe(log: Path) -> Iterator[str]:
    """The address of a localstripe of one's own, stopped at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.gateways.localstripe_server"], cwd=ROOT, stdout=output, stderr=output
        )

    def port_or_over() -> str:
        assert process.poll() is None, log.read_text()
        return log.read_text().partition("\n")[0]

    try:
        yield f"http://127.0.0.1:{until(port_or_over, 'the port of localstripe', 30)}"
    finally:
        process.terminate()
        process.wait(10)


class StripeSubject:
    """A shopper and a card network at localstripe; it has no clock to move and no bank that declines a capture."""

    gateway: PaymentGateway
    currency = "EUR"

    def __init__(self, gateway: StripeGateway, shopper: httpx.AsyncClient, step: str) -> None:
        self.gateway = gateway
        self.methods = Methods(approve="pm_card_visa", decline="pm_card_chargeCustomerFail", step=step)
        self._shopper = shopper

    async def complete_step(self, payment: GatewayPayment, *, approve: bool) -> None:
        answer = await self._shopper.post(
            f"/v1/payment_intents/{payment.reference}/_authenticate",
            data={"client_secret": payment.client_secret or "", "success": str(approve).lower()},
        )
        if answer.is_error:
            raise GatewayRefused("no_step", answer.text)

    async def expire_hold(self, payment: GatewayPayment) -> None:
        raise NotImplementedError

    async def capture_declining(self) -> GatewayPayment:
        raise NotImplementedError

    async def authorise_unanswered(self, request: PaymentRequest) -> None:
        async with answers_lost(str(self._shopper.base_url)) as address, stripe_gateway(address) as gateway:
            await gateway.authorise(request)

    def webhook(self, payment: GatewayPayment, at: datetime) -> Sent:
        metadata = {"order_id": str(payment.order_id)}
        about = {"object": "payment_intent", "id": payment.reference, "status": STATUS[payment.state]}
        return signed(event("payment_intent.updated", about | {"metadata": metadata}), at)

    def webhook_of_unknown_kind(self, at: datetime) -> Sent:
        return signed(event("climate.weather_turned", {"object": "climate.weather", "status": ["sunny"]}), at)


@asynccontextmanager
async def stripe_gateway(address: str) -> AsyncIterator[StripeGateway]:
    gateway = StripeGateway(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET, api_base=address)
    try:
        yield gateway
    finally:
        await gateway.close()


@asynccontextmanager
async def stripe_subject(address: str) -> AsyncIterator[StripeSubject]:
    """A subject at the localstripe of an address."""
    async with (
        stripe_gateway(address) as gateway,
        httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {API_KEY}"}) as shopper,
    ):
        card = {"number": CARD_THAT_NEEDS_A_STEP, "exp_month": "12", "exp_year": "2035", "cvc": "123"}
        answer = await shopper.post(
            "/v1/payment_methods", data={"type": "card"} | {f"card[{name}]": value for name, value in card.items()}
        )
        yield StripeSubject(gateway, shopper, answer.raise_for_status().json()["id"])


def event(kind: str, about: dict[str, object], event_id: UUID | None = None) -> bytes:
    """The body of an event as Stripe sends them."""
    document = {"id": f"evt_{event_id or uuid4()}", "object": "event", "type": kind, "data": {"object": about}}
    return json.dumps(document, indent=2).encode()


def signed(body: bytes, at: datetime, secret: str = WEBHOOK_SECRET) -> Sent:
    """The scheme of https://docs.stripe.com/webhooks#verify-manually, written out."""
    time_s = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{time_s}.".encode() + body, hashlib.sha256).hexdigest()
    return Sent(body, {"stripe-signature": f"t={time_s},v1={digest}"})
