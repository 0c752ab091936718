"""Operations about payments: buying alone, and what gateways and apps tell of payments."""

from typing import Final

from api.contract import examples, order_examples
from api.contract.operation import Operation, Received, Sent
from api.payments import PaymentState
from api.place_body import PurchaseBody
from api.refused import NoSuchGateway
from api.sandbox import StepBody, StepTaken
from domain.groupbuy.errors import (
    AddressRequired,
    DealNotFound,
    DealNotStarted,
    DealOver,
    DealPausedNow,
    DealTakesNoPayments,
    GuestsMayNotBuy,
    OrderNotFound,
    OutOfStock,
    UnitsLimitReached,
    VariantNotFound,
    VariantRequired,
)
from infra.payments.checkout import PaymentDeclined, PaymentLapsed, PaymentTooLate
from infra.payments.port import GatewayRefused, GatewayUnavailable, WebhookRefused
from infra.reading.order_views import OrderView

BUYING: Final = (
    VariantNotFound,
    VariantRequired,
    AddressRequired,
    OutOfStock,
    UnitsLimitReached,
    GuestsMayNotBuy,
    PaymentDeclined,
    PaymentTooLate,
    PaymentLapsed,
)
_NEW: Final = ("Location", "Idempotency-Replayed")

PAYMENTS: Final[dict[str, Operation]] = {
    "POST /v1/deals/{deal_id}/orders": Operation(
        "buy_alone",
        summary="Buy alone, at the solo price",
        body=Received(PurchaseBody, examples.PURCHASE, is_required=False),
        answers={
            201: Sent("The order; its payment is approved.", OrderView, order_examples.BOUGHT_ALONE, _NEW),
            202: Sent(
                "The order; its payment is awaited, see `payment`.", OrderView, order_examples.AWAITED_ALONE, _NEW
            ),
        },
        problems=(DealNotFound, DealNotStarted, DealPausedNow, DealOver, DealTakesNoPayments, *BUYING),
        takes_idempotency_key=True,
    ),
    "POST /v1/orders/{order_id}/payment": Operation(
        "look_at_payment",
        summary="Say that the shopper has finished the payment",
        description="Asks the gateway now, instead of waiting for its webhook; whichever comes first counts, once.",
        answers={200: Sent("How the payment stands.", PaymentState, examples.PAYMENT_STATE)},
        problems=(OrderNotFound, PaymentDeclined, PaymentTooLate, PaymentLapsed),
    ),
    "POST /v1/webhooks/{gateway}": Operation(
        "hear_webhook",
        summary="Hear a payment gateway",
        description="Signed as the gateway signs. Repeated and reordered messages change nothing.",
        answers={204: Sent("Heard.")},
        problems=(NoSuchGateway, WebhookRefused, GatewayUnavailable),
    ),
    "GET /sandbox/payments/{reference}/step": Operation(
        "show_sandbox_step",
        summary="The page on which a shopper takes the step the sandbox asked for",
        description="Where `redirect_url` leads while payments go through the sandbox.",
        answers={200: Sent("A page with a form.", str, media_type="text/html")},
        query=("client_secret",),
        problems=(NoSuchGateway, GatewayRefused, GatewayUnavailable),
    ),
    "POST /sandbox/payments/{reference}/step": Operation(
        "take_sandbox_step",
        summary="Approve, or fail, the step the sandbox asked for",
        description="What a bank's page does elsewhere. Only while payments go through the sandbox.",
        body=Received(StepBody, {"client_secret": "secret", "approve": True}),
        answers={200: Sent("How the payment stands at the sandbox.", StepTaken, examples.STEP_TAKEN)},
        problems=(NoSuchGateway, GatewayRefused, GatewayUnavailable),
    ),
}
