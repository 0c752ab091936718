"""The tables of money: payments, what becomes of them, orders, refunds, and the ledger."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from infra.tables import metadata

_MOMENT = DateTime(timezone=True)
_ACCOUNTS = "('gateway_clearing', 'shopper_hold', 'merchant_payable', 'platform_fee', 'leader_reward', 'refunds')"

payments = Table(
    "payments",
    metadata,
    Column("deal_id", UUID, nullable=False),
    Column("order_id", UUID, nullable=False),
    Column("group_id", UUID),
    Column("shopper_id", UUID, nullable=False),
    Column("variant_id", UUID, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("hold_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("fee_bps", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("holds_units", Boolean, nullable=False),
    Column("pay_by", _MOMENT, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("invite_code", Text),
    Column("display_name", Text),
    Column("address", JSONB),
    Column("held_at", _MOMENT),
    Column("late_at", _MOMENT),
    Column("left_at", _MOMENT),
    Column("reference", Text),
    Column("next_step", JSONB),
    Column("looked_up_at", _MOMENT),
    PrimaryKeyConstraint("deal_id", "order_id"),
    CheckConstraint("status IN ('awaiting', 'held', 'lapsed', 'captured', 'released')", name="status"),
    CheckConstraint("quantity > 0 AND hold_minor > 0", name="signs"),
    Index(None, "order_id", unique=True),
    Index("payments_awaiting_index", "pay_by", postgresql_where=text("status = 'awaiting'")),
    Index("payments_of_group_awaiting_index", "group_id", postgresql_where=text("status = 'awaiting'")),
    Index("payments_keeping_units_index", "deal_id", "shopper_id", postgresql_where=text("holds_units")),
    Index("payments_of_shopper_index", "shopper_id", "order_id"),
    postgresql_with={"fillfactor": "70"},
)
"""The money of each order, from the reservation on.

What its shopper needs to finish it (`next_step`) and when a sweep last asked the gateway (`looked_up_at`) are noted
beside the decisions: none looks at them.
"""

settlements = Table(
    "settlements",
    metadata,
    Column("deal_id", UUID, nullable=False),
    Column("group_id", UUID),
    Column("shopper_id", UUID, nullable=False),
    Column("variant_id", UUID, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("currency", Text, nullable=False),
    Column("unit_price", BigInteger),
    Column("hold_minor", BigInteger, nullable=False),
    Column("capture_minor", BigInteger, nullable=False),
    Column("release_minor", BigInteger, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("order_id", UUID, nullable=False, server_default=text("gen_random_uuid()")),
    Column("status", Text, nullable=False, server_default=text("'done'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", _MOMENT, nullable=False, server_default=text("clock_timestamp()")),
    Column("last_error", Text),
    Column("done_at", _MOMENT),
    PrimaryKeyConstraint("deal_id", "order_id"),
    CheckConstraint("status IN ('pending', 'done', 'failed', 'dead')", name="status"),
    Index("settlements_pending_index", "next_attempt_at", postgresql_where=text("status = 'pending'")),
    Index("settlements_dead_index", "next_attempt_at", postgresql_where=text("status = 'dead'")),
    Index("settlements_of_group_index", "group_id", "order_id"),
    CheckConstraint("capture_minor >= 0 AND release_minor >= 0", name="signs"),
    CheckConstraint("capture_minor + release_minor = hold_minor", name="whole"),
    CheckConstraint("capture_minor = coalesce(unit_price, 0) * quantity", name="capture"),
)
"""What is to become of each payment; `unit_price` is the final price, null where nobody pays.

`next_attempt_at` is also the lease of whoever is at work on it.
"""

orders = Table(
    "orders",
    metadata,
    Column("deal_id", UUID, nullable=False),
    Column("id", UUID, nullable=False),
    Column("group_id", UUID),
    Column("merchant_id", UUID, nullable=False),
    Column("shopper_id", UUID, nullable=False),
    Column("variant_id", UUID, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("captured_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    Column("fee_bps", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("placed_at", _MOMENT, nullable=False),
    Column("carrier", Text),
    Column("tracking_number", Text),
    Column("shipped_at", _MOMENT),
    Column("delivered_at", _MOMENT),
    Column("cancelled_at", _MOMENT),
    Column("returned_at", _MOMENT),
    PrimaryKeyConstraint("deal_id", "id"),
    CheckConstraint("status IN ('to_ship', 'shipped', 'delivered', 'cancelled', 'returned')", name="status"),
    CheckConstraint("captured_minor = unit_price * quantity", name="captured_minor"),
    CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name="refunded_minor"),
    Index(None, "id", unique=True),
    Index("orders_of_merchant_index", "merchant_id", "placed_at", "id"),
    Index("orders_to_ship_index", "merchant_id", "placed_at", "id", postgresql_where=text("status = 'to_ship'")),
    postgresql_with={"fillfactor": "80"},
)
"""What was captured is an order, under the id its payment had."""

refunds = Table(
    "refunds",
    metadata,
    Column("deal_id", UUID, nullable=False),
    Column("id", UUID, nullable=False),
    Column("group_id", UUID),
    Column("order_id", UUID, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("is_made", Boolean, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", _MOMENT, nullable=False, server_default=text("clock_timestamp()")),
    Column("last_error", Text),
    Column("made_at", _MOMENT),
    PrimaryKeyConstraint("deal_id", "id"),
    CheckConstraint("amount_minor > 0", name="amount_minor"),
    CheckConstraint("status IN ('pending', 'done', 'dead')", name="status"),
    CheckConstraint("is_made = (status = 'done')", name="is_made"),
    Index(None, "order_id"),
    Index("refunds_pending_index", "next_attempt_at", postgresql_where=text("status = 'pending'")),
    Index("refunds_dead_index", "next_attempt_at", postgresql_where=text("status = 'dead'")),
)
"""Money of orders that goes back by a merchant's decision."""

ledger = Table(
    "ledger",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("deal_id", UUID, nullable=False),
    Column("group_id", UUID),
    Column("order_id", UUID, nullable=False),
    Column("cause", Text, nullable=False),
    Column("cause_id", UUID, nullable=False),
    Column("from_account", Text, nullable=False),
    Column("to_account", Text, nullable=False),
    Column("merchant_id", UUID, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("at", _MOMENT, nullable=False),
    CheckConstraint("amount_minor > 0", name="amount_minor"),
    CheckConstraint("from_account <> to_account", name="two_accounts"),
    CheckConstraint(f"from_account IN {_ACCOUNTS} AND to_account IN {_ACCOUNTS}", name="known_accounts"),
    CheckConstraint("cause IN ('hold', 'settlement', 'refund', 'refund_made')", name="cause"),
    Index("ledger_once_index", "cause_id", "cause", "from_account", "to_account", unique=True),
    Index("ledger_of_order_index", "order_id"),
    Index("ledger_of_merchant_index", "merchant_id", "at", "id", postgresql_where=text("cause <> 'hold'")),
)
"""Every movement of money, once: what one account loses the other gets, so all of them sum to zero."""

LEDGER_DETAILS = (
    """
    CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger is append-only: add a movement the other way'; END $$
    """,
    """
    CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
    """,
    """
    CREATE VIEW ledger_entries AS
    SELECT id, deal_id, group_id, order_id, merchant_id, cause, cause_id, to_account AS account, currency,
      amount_minor, at FROM ledger
    UNION ALL
    SELECT id, deal_id, group_id, order_id, merchant_id, cause, cause_id, from_account, currency, -amount_minor, at
    FROM ledger
    """,
)
"""`ledger_entries` has a movement as double entry: a row an account."""

for _detail in LEDGER_DETAILS:
    event.listen(ledger, "after_create", DDL(_detail))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped

merchant_payments = Table(
    "merchant_payments",
    metadata,
    Column("merchant_id", UUID, primary_key=True),
    Column("gateway", Text),
    Column("fee_bps", Integer),
    CheckConstraint("fee_bps BETWEEN 0 AND 10000", name="fee_bps"),
)
"""Where a merchant's way of taking money differs from the settings; it goes into deals when they are published."""

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("began_at", _MOMENT, nullable=False),
    Column("ended_at", _MOMENT, nullable=False),
    Column("changed_since", _MOMENT, nullable=False),
    Column("payments", BigInteger, nullable=False),
    Column("differences", BigInteger, nullable=False),
    Column("repaired", BigInteger, nullable=False),
    CheckConstraint("repaired BETWEEN 0 AND differences", name="repaired"),
)
"""Runs that compared all that changed since a moment that left nothing out, and what they found and mended."""
