"""Operations on orders for their callers."""

from functools import partial
from typing import Final

from api.contract import examples, order_examples
from api.contract.operation import Operation, Received, Sent
from api.explain import Explanation
from api.order_bodies import CancelBody, RefundBody, ShipBody
from api.shipment_rows import ShipmentsBody
from api.shipments import ShipmentsTold
from api.statements import Statement
from domain.groupbuy.errors import (
    GroupNotFound,
    OrderNotFound,
    OrderNotPaid,
    OrderNotShippable,
    OrderNotShipped,
    OrderOver,
    RefundTooLarge,
    WrongCurrency,
)
from infra.reading.order_views import OrderView
from infra.reading.page import Page

_OF_AN_ORDER: Final = (OrderNotFound, OrderNotPaid)
_REPLAYED: Final = ("Idempotency-Replayed",)
_order: Final = partial(Sent, shape=OrderView, example=order_examples.ORDER)

ORDERS: Final[dict[str, Operation]] = {
    "GET /v1/me/orders": Operation(
        "list_my_orders",
        summary="What I have tried to buy, newest first",
        description="Paid or not: `status` says where each is, from `awaiting_payment` to `delivered`.",
        query=("shown_status", "limit", "cursor"),
        answers={200: Sent("A page of your orders.", Page[OrderView], examples.page(order_examples.ORDER))},
    ),
    "GET /v1/orders": Operation(
        "list_orders",
        summary="Orders of my deals, newest first",
        description="Only what is paid and captured; `status=to_ship` is what is to be sent now.",
        query=("order_status", "of_deal", "of_group", "limit", "cursor"),
        answers={200: Sent("A page of orders.", Page[OrderView], examples.page(order_examples.ORDER))},
    ),
    "GET /v1/orders/{order_id}": Operation(
        "read_order",
        summary="Read an order",
        description="Its shopper sees it from the first try to pay on, its merchant once it is captured.",
        answers={200: _order("The order.", headers=("ETag",))},
        problems=(OrderNotFound,),
    ),
    "POST /v1/orders/shipments": Operation(
        "tell_shipments",
        summary="Say for up to 5,000 orders at once that they are with their carriers",
        description=(
            "As JSON or as `text/csv` in UTF-8, with a header row, up to 1 MiB. Valid rows are applied; wrong ones are "
            "named by number (the header is row 1 of a CSV) and left out. Sending the same again changes nothing."
        ),
        body=Received(ShipmentsBody, order_examples.SHIPMENTS, as_text={"text/csv": order_examples.SHIPMENTS_CSV}),
        answers={200: Sent("What became of the rows.", ShipmentsTold, order_examples.SHIPMENTS_TOLD)},
    ),
    "POST /v1/orders/{order_id}/ship": Operation(
        "ship_order",
        summary="Say that an order is with its carrier",
        description="Said again while it is on its way it corrects what was said.",
        body=Received(ShipBody, order_examples.SHIPPED),
        answers={200: _order("The shipped order.", headers=_REPLAYED)},
        problems=(*_OF_AN_ORDER, OrderNotShippable),
        takes_idempotency_key=True,
    ),
    "POST /v1/orders/{order_id}/deliver": Operation(
        "deliver_order",
        summary="Say that a shipped order has arrived",
        description="By its shopper or its merchant.",
        answers={200: _order("The delivered order.", headers=_REPLAYED)},
        problems=(*_OF_AN_ORDER, OrderNotShipped),
        takes_idempotency_key=True,
    ),
    "POST /v1/orders/{order_id}/cancel": Operation(
        "cancel_order",
        summary="Call off an order that is not shipped",
        description="Its units go back to stock and all its money to the shopper.",
        body=Received(CancelBody, order_examples.CANCELLATION),
        answers={200: _order("The cancelled order.", headers=_REPLAYED)},
        problems=(*_OF_AN_ORDER, OrderNotShippable),
        takes_idempotency_key=True,
    ),
    "POST /v1/orders/{order_id}/refunds": Operation(
        "refund_order",
        summary="Give money of an order back",
        description=(
            "Part of it, with `amount` and `currency`, or all that is left. Platform fee and leader's reward go back "
            "in proportion. Send an `Idempotency-Key`: without one, asking twice is two refunds."
        ),
        body=Received(RefundBody, order_examples.NEW_REFUND),
        answers={
            201: Sent(
                "The order with the new refund, on its way.",
                OrderView,
                order_examples.REFUNDED_ORDER,
                ("Location", *_REPLAYED),
            )
        },
        problems=(*_OF_AN_ORDER, WrongCurrency, OrderNotShipped, OrderOver, RefundTooLarge),
        takes_idempotency_key=True,
    ),
    "GET /v1/groups/{group_id}/explain": Operation(
        "explain_payment",
        summary="Why did I pay this?",
        description=(
            "For whoever has, or had, a place in the group: the count at closing, the tier, what was held, taken and "
            "given back, each with its time; before the closing what will happen; where nothing is paid, why."
        ),
        answers={200: Sent("The explanation.", Explanation, order_examples.EXPLANATION)},
        problems=(GroupNotFound,),
    ),
    "GET /v1/me/statement": Operation(
        "read_statement",
        summary="My account over a period",
        description=(
            "For each currency what the account was, what changed it by cause, and what it is, all from the ledger, "
            "with every single change. A period is at most 366 days. As CSV all lines come in one file, between the "
            "opening and closing balances; text that a spreadsheet would take for a formula begins with a single quote."
        ),
        query=("period_from", "period_to", "currency", "statement_format", "limit", "cursor"),
        answers={
            200: Sent(
                "The statement.",
                Statement,
                order_examples.STATEMENT,
                as_text={"text/csv": order_examples.STATEMENT_CSV},
            )
        },
    ),
}
