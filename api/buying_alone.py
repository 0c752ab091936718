"""Buying alone: an order at the solo price, without a group and without waiting for one."""

from uuid import UUID

import msgspec

from api.answers import Answer, encode
from api.idempotency import REPLAYED, replayed, tell_once
from api.place_body import address_of, read_purchase
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.selves import acting
from api.taking import ACCEPTED, looked_at, with_other_groups
from domain.groupbuy.commands import BuyAlone
from domain.groupbuy.errors import OrderNotFound
from domain.groupbuy.world import Accepted
from infra.batch import Stored
from infra.ids import new_id
from infra.payments.checkout import Approved, Awaited, PaymentTooLate
from infra.reading.order_views import order_view
from infra.reading.orders import get_order


class _Pointer(msgspec.Struct):
    """What a key is stored with: which order it was about."""

    order_id: UUID


_pointer = msgspec.json.Decoder(_Pointer)


@route("POST", "/v1/deals/{deal_id}/orders")
async def buy_alone(request: AnyRequest) -> Answer:
    """Reserve the units, then see to the payment: 201 where it is approved, 202 where it is awaited."""
    deal_id = path_id(request, "deal_id")
    body = await read_purchase(request)
    you = await acting(request, deal_id=deal_id)
    command = BuyAlone(
        deal_id=deal_id,
        shopper_id=you.shopper_id,
        order_id=new_id(),
        quantity=body.quantity,
        variant_id=body.variant_id,
        address=await address_of(request, body),
        pay_within_s=runtime_of(request).settings.payment_timeout_s,
        units_elsewhere=you.units_elsewhere,
        is_guest=you.is_guest,
    )

    def pointer(_: Accepted) -> Answer:
        return Answer(ACCEPTED, encode(_Pointer(command.order_id)))

    outcome = await tell_once(request, command, body, pointer)
    if isinstance(outcome, Stored):
        order_id = _pointer.decode(replayed(outcome).body).order_id
        answer = await _resumed(request, order_id, body.payment_method)
        answer.headers.append(REPLAYED)
        return answer
    payment = outcome.state.payments[command.order_id]
    result = await runtime_of(request).checkout.authorise(payment, body.payment_method)
    return await _shown(request, command.order_id, result)


async def _resumed(request: AnyRequest, order_id: UUID, method: str | None) -> Answer:
    """A repeated request: how its order stands now."""
    row = await runtime_of(request).payments.find(order_id)
    if row is None:
        raise OrderNotFound(order_id)
    try:
        return await _shown(request, order_id, await looked_at(request, row, method))
    except PaymentTooLate as late:
        raise await with_other_groups(request, late) from None


async def _shown(request: AnyRequest, order_id: UUID, result: Approved | Awaited) -> Answer:
    row = await get_order(runtime_of(request).engine, order_id)
    if row is None:
        raise OrderNotFound(order_id)
    status = 201 if isinstance(result, Approved) else ACCEPTED
    return Answer(status, encode(order_view(row)), ((b"location", f"/v1/orders/{order_id}".encode()),))
