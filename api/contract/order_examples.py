"""The story of `examples` goes on: two of the tea for 7 dollars each, sent, and later one of them refunded."""

from api.contract import examples

_REFUND_ID = "01997b52-5d1e-7a31-8c55-1f0b7c3d9e77"

SHIPPED = {"carrier": "DHL", "tracking_number": "00340434161094015902"}
CANCELLATION = {"reason": "The harvest was smaller than expected."}
NEW_REFUND = {"amount": 700, "currency": "USD", "reason": "One tin came dented."}
ORDER: dict[str, object] = {
    "id": examples.ORDER_ID,
    "deal_id": examples.DEAL_ID,
    "group_id": examples.GROUP_ID,
    "deal_title": "Jasmine tea, 250 g",
    "variant": {"id": examples.VARIANT_ID, "title": "Jasmine tea, 250 g"},
    "quantity": 2,
    "unit_price": 700,
    "currency": "USD",
    "hold": 1800,
    "captured": 1400,
    "refunded": 0,
    "status": "shipped",
    "address": examples.ADDRESS,
    "payment": None,
    **SHIPPED,
    "created_at": "2027-05-02T09:41:07Z",
    "placed_at": "2027-05-03T09:30:02Z",
    "shipped_at": "2027-05-04T07:00:00Z",
    "delivered_at": None,
    "cancelled_at": None,
    "returned_at": None,
    "refunds": [],
    "version": 2,
}
REFUNDED_ORDER = ORDER | {
    "refunded": 700,
    "refunds": [
        {
            "id": _REFUND_ID,
            "amount": 700,
            "reason": NEW_REFUND["reason"],
            "status": "pending",
            "created_at": "2027-05-08T18:12:40Z",
            "made_at": None,
        }
    ],
    "version": 3,
}
BOUGHT_ALONE = ORDER | {
    "group_id": None,
    "unit_price": 1200,
    "hold": 2400,
    "captured": 0,
    "status": "settling",
    "carrier": None,
    "tracking_number": None,
    "placed_at": None,
    "shipped_at": None,
    "version": 0,
}
AWAITED_ALONE = BOUGHT_ALONE | {
    "unit_price": None,
    "status": "awaiting_payment",
    "payment": examples.AWAITED | {"amount": 2400},
}
SHIPMENTS = {"shipments": [{"order_id": examples.ORDER_ID, **SHIPPED}]}
SHIPMENTS_CSV = f"order_id,carrier,tracking_number\r\n{examples.ORDER_ID},DHL,00340434161094015902\r\n"
SHIPMENTS_TOLD = {
    "applied": 1,
    "unchanged": 0,
    "errors": [{"row": 3, "field": "order_id", "message": "is in row 2 already"}],
}
EXPLANATION = {
    "group_id": examples.GROUP_ID,
    "deal_id": examples.DEAL_ID,
    "order_id": examples.ORDER_ID,
    "status": "succeeded",
    "currency": "USD",
    "participants": 5,
    "tier": {"participants": 4, "unit_price": 700},
    "quantity": 2,
    "ceiling_price": 900,
    "unit_price": 700,
    "hold": 1800,
    "captured": 1400,
    "released": 400,
    "refunded": 0,
    "because": None,
    "summary": (
        "5 people joined, so the price fell to 7.00 USD: you pay 14.00 USD for 2; 4.00 USD of the 18.00 USD held went "
        "back at 2027-05-03 09:30 UTC."
    ),
    "lines": [
        {
            "kind": "captured",
            "at": "2027-05-03T09:30:02Z",
            "amount": 1400,
            "sentence": "14.00 USD were taken: 2 x 7.00 USD.",
        }
    ],
}
STATEMENT = {
    "balances": [
        {
            "currency": "USD",
            "opening": 52_000,
            "captured": 1400,
            "fees": -35,
            "rewards": 0,
            "refunds": 0,
            "fees_returned": 0,
            "rewards_returned": 0,
            "closing": 53_365,
        }
    ],
    "items": [
        {
            "at": "2027-05-03T09:30:02Z",
            "cause": "captured",
            "order_id": examples.ORDER_ID,
            "group_id": examples.GROUP_ID,
            "deal_id": examples.DEAL_ID,
            "deal_title": "Jasmine tea, 250 g",
            "currency": "USD",
            "amount": 1400,
            "amount_text": "14.00",
        },
        {
            "at": "2027-05-03T09:30:02Z",
            "cause": "fee",
            "order_id": examples.ORDER_ID,
            "group_id": examples.GROUP_ID,
            "deal_id": examples.DEAL_ID,
            "deal_title": "Jasmine tea, 250 g",
            "currency": "USD",
            "amount": -35,
            "amount_text": "-0.35",
        },
    ],
    "next_cursor": None,
}
STATEMENT_CSV = (
    "at,cause,order_id,group_id,deal_title,currency,amount_minor,amount\r\n"
    "2027-05-01T00:00:00Z,opening_balance,,,,USD,52000,520.00\r\n"
    f"2027-05-03T09:30:02Z,captured,{examples.ORDER_ID},{examples.GROUP_ID},"
    '"Jasmine tea, 250 g",USD,1400,14.00\r\n'
    f"2027-05-03T09:30:02Z,fee,{examples.ORDER_ID},{examples.GROUP_ID},"
    '"Jasmine tea, 250 g",USD,-35,-0.35\r\n'
    "2027-06-01T00:00:00Z,closing_balance,,,,USD,53365,533.65\r\n"
)
