"""The sandbox gateway's own books: a provider's tables, which ours never point to and which never point to ours."""

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from infra.tables import metadata

_MOMENT = DateTime(timezone=True)

sandbox_payments = Table(
    "sandbox_payments",
    metadata,
    Column("order_id", UUID, primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("captured_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("refunded_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("declined_because", Text),
    Column("hold_expires_at", _MOMENT),
    Column("created_at", _MOMENT, nullable=False),
    Column("done", JSONB, nullable=False, server_default=text("'{}'")),
    CheckConstraint("status IN ('pending', 'held', 'paid', 'declined', 'cancelled', 'expired')", name="status"),
    CheckConstraint("amount_minor > 0", name="amount_minor"),
    CheckConstraint("captured_minor BETWEEN 0 AND amount_minor", name="captured_minor"),
    CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name="refunded_minor"),
    CheckConstraint("(status = 'paid') = (captured_minor > 0)", name="paid"),
    CheckConstraint("status <> 'held' OR hold_expires_at IS NOT NULL", name="held"),
    Index(None, "created_at", "order_id"),
    Index("sandbox_payments_held_index", "hold_expires_at", postgresql_where=text("status = 'held'")),
)
"""`done` maps an idempotency key to what was done with it (`capture 640`); the first step goes by the order id."""

sandbox_events = Table(
    "sandbox_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("events", JSON, nullable=False),
    Column("at", _MOMENT, nullable=False),
    Column("due_at", _MOMENT, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("deliveries", Integer, nullable=False, server_default=text("0")),
    Column("delivered_at", _MOMENT),
    Index("sandbox_events_due_index", "due_at", postgresql_where=text("delivered_at IS NULL")),
)
"""What happened to payments, for the webhooks: a row holds what one statement did, 100 events at most.

`due_at` is when it is to be sent (again); `attempts` counts those since the last delivery.
"""

SANDBOX_EVENTS_DETAIL = "ALTER TABLE sandbox_events ALTER COLUMN events SET STORAGE EXTERNAL"
"""What a table cannot say of itself: packing the events small would cost more time than the space is worth."""

event.listen(sandbox_events, "after_create", DDL(SANDBOX_EVENTS_DETAIL))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped
