"""Orders: followed by their shopper, sent, called off and refunded by their merchant."""

from collections.abc import Callable
from typing import Final

import msgspec

from api.access import caller_of, may_for, merchant_of
from api.answers import PRIVATE, Answer, answered, encode, resource
from api.bodies import read_json
from api.deeds import deed_of
from api.idempotency import tell
from api.order_bodies import CancelBody, NothingToAdd, RefundBody, ShipBody
from api.requests import AnyRequest, cursor_of, invalid, limit_of, path_id, query_choice, query_id, query_of, runtime_of
from api.routing import route
from api.selves import is_callers
from domain.groupbuy.commands import CancelOrder, DeliverOrder, RefundOrder, ShipOrder
from domain.groupbuy.errors import OrderNotFound
from domain.groupbuy.order import OrderStatus
from domain.groupbuy.world import Accepted
from domain.identity.permissions import Permission
from infra.ids import new_id
from infra.reading.order_rows import OrderRow, ShownStatus
from infra.reading.order_views import changed_order, order_view
from infra.reading.orders import get_order, list_my_orders, list_orders

_ship_body: Final = msgspec.json.Decoder(ShipBody)
_cancel_body: Final = msgspec.json.Decoder(CancelBody)
_refund_body: Final = msgspec.json.Decoder(RefundBody)


@route("GET", "/v1/me/orders")
async def my_orders(request: AnyRequest) -> Answer:
    query = query_of(request)
    caller = caller_of(request)
    page = await list_my_orders(
        runtime_of(request).engine,
        caller.subject,
        has_merged=caller.has_merged,
        status=query_choice(query, "status", ShownStatus),
        limit=limit_of(query),
        cursor=cursor_of(query),
    )
    return answered(page, headers=PRIVATE)


@route("GET", "/v1/orders")
async def orders(request: AnyRequest) -> Answer:
    query = query_of(request)
    page = await list_orders(
        runtime_of(request).engine,
        merchant_of(request),
        status=query_choice(query, "status", OrderStatus),
        deal_id=query_id(query, "deal_id"),
        group_id=query_id(query, "group_id"),
        limit=limit_of(query),
        cursor=cursor_of(query),
    )
    return answered(page, headers=PRIVATE)


@route("GET", "/v1/orders/{order_id}")
async def read_order(request: AnyRequest) -> Answer:
    """An order; before its payment is captured it is its shopper's alone."""
    row = await _named_order(request)
    caller = caller_of(request)
    is_merchants = row.is_order and may_for(caller, row.merchant_id, Permission.ORDERS_READ)
    if not is_merchants and not await is_callers(request, row.shopper_id):
        raise OrderNotFound(row.id)
    return resource(request, encode(order_view(row)), row.version, is_private=True)


@route("POST", "/v1/orders/{order_id}/ship")
async def ship_order(request: AnyRequest) -> Answer:
    body = await read_json(request, _ship_body)
    row = await _named_order(request)
    command = ShipOrder(
        deal_id=row.deal_id,
        order_id=row.id,
        merchant_id=merchant_of(request),
        carrier=body.carrier,
        tracking_number=body.tracking_number,
    )
    return await tell(request, command, body, _showing(row), deed_of(request, "order.ship"))


@route("POST", "/v1/orders/{order_id}/deliver")
async def deliver_order(request: AnyRequest) -> Answer:
    row = await _named_order(request)
    caller, deed = caller_of(request), None
    if may_for(caller, row.merchant_id, Permission.ORDERS_SHIP):
        caller_id, deed = row.merchant_id, deed_of(request, "order.deliver")
    else:
        caller_id = row.shopper_id if await is_callers(request, row.shopper_id) else caller.subject
    command = DeliverOrder(deal_id=row.deal_id, order_id=row.id, caller_id=caller_id)
    return await tell(request, command, NothingToAdd(), _showing(row), deed)


@route("POST", "/v1/orders/{order_id}/cancel")
async def cancel_order(request: AnyRequest) -> Answer:
    body = await read_json(request, _cancel_body)
    row = await _named_order(request)
    command = CancelOrder(
        deal_id=row.deal_id,
        group_id=row.group_id,
        shopper_id=row.shopper_id,
        order_id=row.id,
        merchant_id=merchant_of(request),
        refund_id=new_id(),
        reason=body.reason,
    )
    return await tell(request, command, body, _showing(row), deed_of(request, "order.cancel"))


@route("POST", "/v1/orders/{order_id}/refunds")
async def refund_order(request: AnyRequest) -> Answer:
    body = await read_json(request, _refund_body)
    if body.amount is not None and body.currency is None:
        raise invalid("currency", "is required with an amount: the currency the order was paid in")
    row = await _named_order(request)
    command = RefundOrder(
        deal_id=row.deal_id,
        group_id=row.group_id,
        order_id=row.id,
        merchant_id=merchant_of(request),
        refund_id=new_id(),
        amount_minor=body.amount,
        currency=body.currency,
        reason=body.reason,
        is_return=body.is_return,
    )
    shown = _showing(row, 201, ((b"location", f"/v1/orders/{row.id}".encode()),))
    return await tell(request, command, body, shown, deed_of(request, "order.refund"))


async def _named_order(request: AnyRequest) -> OrderRow:
    """The order of the path as it was just now, whoever's it is: the command judges that."""
    order_id = path_id(request, "order_id")
    row = await get_order(runtime_of(request).engine, order_id)
    if row is None:
        raise OrderNotFound(order_id)
    return row


def _showing(
    before: OrderRow, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Callable[[Accepted], Answer]:
    """How a decision about an order is answered: with the order as the decision left it."""

    def shown(accepted: Accepted) -> Answer:
        return answered(changed_order(before, accepted.state), status, headers)

    return shown
