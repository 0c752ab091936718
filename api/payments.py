"""Payments from outside: gateways' webhooks, and the app's own word that its shopper is done."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from api.answers import PRIVATE, Answer, NothingToSay, answered
from api.bodies import read_bytes
from api.refused import NoSuchGateway
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.selves import is_callers
from api.taking import with_other_groups
from domain.groupbuy.errors import OrderNotFound
from infra.cannot_start import WrongSetting
from infra.payments.checkout import Approved, Awaited, PaymentTooLate
from infra.payments.gateways import GATEWAYS
from infra.payments.payment_rows import NotedPayment, awaited_payment
from infra.payments.port import PaymentGateway
from infra.runtime import Runtime
from infra.views import AwaitedPayment


class Progress(StrEnum):
    """How far a payment is: it counts, or its shopper or the gateway still has something to do."""

    APPROVED = "approved"
    AWAITING_PAYMENT = "awaiting_payment"


class PaymentState(msgspec.Struct, frozen=True, kw_only=True):
    """How the payment of an order stands; `payment` is what is still to do while it is awaited."""

    order_id: UUID
    group_id: UUID | None
    status: Progress
    payment: AwaitedPayment | None


@route("POST", "/v1/webhooks/{gateway}")
async def hear_webhook(request: AnyRequest) -> Answer:
    """Believe nothing but the signature, and of a good message only that something may have changed."""
    name: str = request.scope["path_params"]["gateway"]
    runtime = runtime_of(request)
    gateway = _gateway(runtime, name)
    events = gateway.read_webhook(await read_bytes(request), _headers(request), datetime.now(UTC))
    await runtime.checkout.hear(name, list(events))
    return NothingToSay()


@route("POST", "/v1/orders/{order_id}/payment")
async def look_at_payment(request: AnyRequest) -> Answer:
    """The app's own word that its shopper is done: ask the gateway now instead of waiting for its webhook."""
    order_id = path_id(request, "order_id")
    runtime = runtime_of(request)
    row = await runtime.payments.find(order_id)
    if row is None or not await is_callers(request, row.shopper_id):
        raise OrderNotFound(order_id)
    try:
        result = await runtime.checkout.look(row)
    except PaymentTooLate as late:
        raise await with_other_groups(request, late) from None
    return answered(_state(row, result), headers=PRIVATE)


def _gateway(runtime: Runtime, name: str) -> PaymentGateway:
    if name not in GATEWAYS:
        raise NoSuchGateway(name)
    try:
        return runtime.gateways.get(name)
    except WrongSetting:  # nobody has set it up, so it has nothing to tell
        raise NoSuchGateway(name) from None


def _state(row: NotedPayment, result: Approved | Awaited) -> PaymentState:
    match result:
        case Approved():
            return PaymentState(order_id=row.order_id, group_id=row.group_id, status=Progress.APPROVED, payment=None)
        case Awaited(step=step):
            awaited = awaited_payment(row, row.gateway, step)
            return PaymentState(
                order_id=row.order_id, group_id=row.group_id, status=Progress.AWAITING_PAYMENT, payment=awaited
            )


def _headers(request: AnyRequest) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
