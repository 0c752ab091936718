"""Saving payments, settlements, orders, refunds and the ledger: parts of the one statement a batch is written with."""

from datetime import datetime

from domain.groupbuy.events import BoughtAlone, OrderRefunded, ParticipantJoined, RefundMade
from domain.groupbuy.postings import MoneyEvent, movements_of
from domain.groupbuy.world import World
from infra.changes import Changes
from infra.rows_money import Row, order_row, paid_row, refund_row, reserved_row, settlement_row

_PAYMENT = {
    "deal_id": "uuid",
    "order_id": "uuid",
    "group_id": "uuid",
    "shopper_id": "uuid",
    "variant_id": "uuid",
    "quantity": "int",
    "hold_minor": "bigint",
    "currency": "text",
    "gateway": "text",
    "fee_bps": "int",
    "status": "text",
    "holds_units": "boolean",
    "pay_by": "timestamptz",
    "created_at": "timestamptz",
    "invite_code": "text",
    "display_name": "text",
    "address": "jsonb",
    "held_at": "timestamptz",
    "late_at": "timestamptz",
    "left_at": "timestamptz",
    "reference": "text",
}
_CHANGING = ("status", "holds_units", "held_at", "late_at", "left_at")
_SETTLEMENT = {
    "deal_id": "uuid",
    "order_id": "uuid",
    "group_id": "uuid",
    "shopper_id": "uuid",
    "variant_id": "uuid",
    "quantity": "int",
    "currency": "text",
    "unit_price": "bigint",
    "hold_minor": "bigint",
    "capture_minor": "bigint",
    "release_minor": "bigint",
    "status": "text",
    "created_at": "timestamptz",
    "done_at": "timestamptz",
}
_ORDER = {
    "deal_id": "uuid",
    "id": "uuid",
    "group_id": "uuid",
    "merchant_id": "uuid",
    "shopper_id": "uuid",
    "variant_id": "uuid",
    "quantity": "int",
    "unit_price": "bigint",
    "currency": "text",
    "captured_minor": "bigint",
    "refunded_minor": "bigint",
    "fee_bps": "int",
    "status": "text",
    "version": "int",
    "placed_at": "timestamptz",
    "carrier": "text",
    "tracking_number": "text",
    "shipped_at": "timestamptz",
    "delivered_at": "timestamptz",
    "cancelled_at": "timestamptz",
    "returned_at": "timestamptz",
}
_ORDER_CHANGES = (
    "refunded_minor", "status", "version", "carrier", "tracking_number", "shipped_at", "delivered_at", "cancelled_at",
    "returned_at",
)  # fmt: skip
_REFUND = {
    "deal_id": "uuid",
    "id": "uuid",
    "group_id": "uuid",
    "order_id": "uuid",
    "amount_minor": "bigint",
    "reason": "text",
    "is_made": "boolean",
    "created_at": "timestamptz",
    "status": "text",
    "made_at": "timestamptz",
}
_MOVEMENT = {
    "deal_id": "uuid",
    "group_id": "uuid",
    "order_id": "uuid",
    "cause": "text",
    "cause_id": "uuid",
    "from_account": "text",
    "to_account": "text",
    "merchant_id": "uuid",
    "currency": "text",
    "amount_minor": "bigint",
    "at": "timestamptz",
}


def _insert(table: str, part: str, columns: dict[str, str]) -> str:
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM {_new(part, columns)}"  # noqa: S608 - constants


def _new(part: str, columns: dict[str, str]) -> str:
    return f"json_to_recordset(CAST(:{part} AS json)) AS new (" + ", ".join(map(" ".join, columns.items())) + ")"


def _replaced(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} = EXCLUDED.{name}" for name in names)


_PAID = {name: _PAYMENT[name] for name in ("deal_id", "order_id", *_CHANGING, "reference")}

MONEY_PARTS = {
    "reserved": _insert("payments", "reserved", _PAYMENT),
    "paid": f"""
      UPDATE payments SET {", ".join(f"{name} = new.{name}" for name in _CHANGING)},
             reference = coalesce(new.reference, payments.reference)
      FROM {_new("paid", _PAID)}
      WHERE payments.deal_id = new.deal_id AND payments.order_id = new.order_id""",  # noqa: S608 - constants
    # A settlement that is pending again has money to give back that came after it was done.
    "settlements": f"""
      {_insert("settlements", "settlements", _SETTLEMENT)}
      ON CONFLICT (deal_id, order_id) DO UPDATE SET status = EXCLUDED.status, done_at = EXCLUDED.done_at,
        attempts = CASE WHEN EXCLUDED.status = 'pending' THEN 0 ELSE settlements.attempts END,
        next_attempt_at = clock_timestamp()""",
    "dropped": """
      UPDATE participants SET dropped_at = new.dropped_at
      FROM json_to_recordset(CAST(:dropped AS json)) AS new (
        deal_id uuid, shopper_id uuid, group_id uuid, dropped_at timestamptz)
      WHERE participants.deal_id = new.deal_id AND participants.shopper_id = new.shopper_id
        AND participants.group_id = new.group_id""",
    "orders": f"""
      {_insert("orders", "orders", _ORDER)}
      ON CONFLICT (deal_id, id) DO UPDATE SET {_replaced(_ORDER_CHANGES)}""",
    "refunds": f"""
      {_insert("refunds", "refunds", _REFUND)}
      ON CONFLICT (deal_id, id) DO UPDATE SET {_replaced(("is_made", "status", "made_at"))}""",
    "ledger": _insert("ledger", "ledger", _MOVEMENT),
}


def money_rows(world: World, changes: Changes, now: datetime) -> dict[str, list[Row]]:
    """The rows of each part."""
    if not (changes.reserved or changes.paid or changes.orders or changes.refunds):
        return {}
    settled = changes.payments_in(world, changes.settlements)
    return {
        "reserved": [reserved_row(payment) for payment in changes.payments_in(world, changes.reserved)],
        "paid": [paid_row(payment) for payment in changes.payments_in(world, changes.paid - changes.reserved)],
        "settlements": [
            settlement_row(payment, payment.settlement, now) for payment in settled if payment.settlement is not None
        ],
        "dropped": [
            {
                "deal_id": deal_id,
                "shopper_id": shopper_id,
                "group_id": group_id,
                "dropped_at": world.places[(deal_id, shopper_id)][group_id].dropped_at,
            }
            for deal_id, shopper_id, group_id in changes.dropped
        ],
        "orders": [order_row(order) for order in changes.orders_in(world)],
        "refunds": [
            refund_row(refund, world.orders[refund.order_id].group_id, now) for refund in changes.refunds_in(world)
        ],
        "ledger": [row for event in changes.moving for row in _movement_rows(world, event)],
    }


def _movement_rows(world: World, event: MoneyEvent) -> list[Row]:
    deal = world.deals[event.deal_id]
    cause_id = event.refund_id if isinstance(event, OrderRefunded | RefundMade) else event.order_id
    return [
        {
            "deal_id": event.deal_id,
            "group_id": None if isinstance(event, BoughtAlone) else event.group_id,
            "order_id": event.order_id,
            "cause": movement.cause,
            "cause_id": cause_id,
            "from_account": movement.from_account,
            "to_account": movement.to_account,
            "merchant_id": deal.merchant_id,
            "currency": _currency(world, event),
            "amount_minor": movement.amount_minor,
            "at": event.at,
        }
        for movement in movements_of(event)
    ]


def _currency(world: World, event: MoneyEvent) -> str:
    if isinstance(event, ParticipantJoined):  # the hot path: the group knows it
        return world.groups[event.group_id].terms.currency
    return event.currency
