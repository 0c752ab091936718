"""The tables. Every table of the join path carries `deal_id` in its keys, so that deals can be spread over machines.

The deal row is the lock: whoever writes anything of a deal holds it. Constraints repeat what they can of the promises.
There is no foreign key from participants to groups: its check would run once per join for what the one write path
already guarantees (docs/decisions/0003); reconciliation compares the two.
"""

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_key",
        "pk": "%(table_name)s_pkey",
    }
)

_MOMENT = DateTime(timezone=True)
_OPEN = text("status = 'open'")

deals = Table(
    "deals",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("merchant_id", UUID, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("image_url", Text),
    Column("currency", Text, nullable=False),
    Column("solo_price", BigInteger, nullable=False),
    Column("tiers", JSONB, nullable=False),
    Column("grouping", Text, nullable=False),
    Column("group_size_max", Integer, nullable=False),
    Column("group_lifetime_s", Integer, nullable=False),
    Column("starts_at", _MOMENT),
    Column("ends_at", _MOMENT),
    Column("units_per_shopper_max", Integer),
    Column("lifecycle", Text, nullable=False),
    Column("crowd_group_id", UUID),
    Column("units_taken", BigInteger, nullable=False, server_default=text("0")),
    Column("version", Integer, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("needs_shipping", Boolean, nullable=False, server_default=text("false")),
    Column("reward", JSONB),
    Column("payment", JSONB),
    Column("guests_may_buy", Boolean, nullable=False, server_default=text("true")),
    CheckConstraint("lifecycle IN ('draft', 'published', 'paused', 'ended')", name="lifecycle"),
    CheckConstraint("grouping IN ('team', 'crowd')", name="grouping"),
    CheckConstraint("solo_price > 0", name="solo_price"),
    CheckConstraint("group_size_max >= 2", name="group_size_max"),
    CheckConstraint("starts_at < ends_at", name="window"),
    Index(None, "merchant_id", "created_at", "id"),
    Index("deals_newest_index", "created_at", "id", postgresql_where=text("lifecycle <> 'draft'")),
    Index("deals_ending_index", "ends_at", "id", postgresql_where=text("lifecycle <> 'draft'")),
    Index("deals_popular_index", "units_taken", "id", postgresql_where=text("lifecycle <> 'draft'")),
    Index(
        "deals_crowd_waiting_index",
        "starts_at",
        postgresql_where=text("grouping = 'crowd' AND lifecycle = 'published' AND crowd_group_id IS NULL"),
    ),
)
"""`units_taken` is what `sort=popular` goes by; a worker refreshes it, nothing decides by it."""

variants = Table(
    "variants",
    metadata,
    Column("deal_id", UUID, ForeignKey(deals.c.id), nullable=False),
    Column("id", UUID, nullable=False),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("image_url", Text),
    Column("stock", BigInteger, nullable=False),
    Column("stock_left", BigInteger, nullable=False),
    PrimaryKeyConstraint("deal_id", "id"),
    CheckConstraint("stock_left BETWEEN 0 AND stock", name="stock_left"),
    UniqueConstraint("deal_id", "position"),
    postgresql_with={"fillfactor": "50"},
)

groups = Table(
    "groups",
    metadata,
    Column("deal_id", UUID, ForeignKey(deals.c.id), nullable=False),
    Column("id", UUID, nullable=False),
    Column("leader_id", UUID),
    Column("terms", JSONB, nullable=False),
    Column("group_size_max", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("participants", Integer, nullable=False),
    Column("units_by_variant", JSONB, nullable=False),
    Column("next_tier_at", Integer),
    Column("version", Integer, nullable=False),
    Column("opened_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT, nullable=False),
    Column("closed_at", _MOMENT),
    Column("closed_by", Text),
    Column("settled_through", Integer, nullable=False, server_default=text("0")),
    Column("settled_at", _MOMENT),
    Column("awaiting", Integer, nullable=False, server_default=text("0")),
    Column("settled", Integer, nullable=False, server_default=text("0")),
    Column("captured_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("refunded_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("leader_is_in", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("deal_id", "id"),
    CheckConstraint("status IN ('open', 'succeeded', 'failed', 'cancelled')", name="status"),
    CheckConstraint("participants >= 0 AND awaiting >= 0", name="counts"),
    CheckConstraint("participants + awaiting <= group_size_max", name="participants"),
    CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name="refunded_minor"),
    CheckConstraint("(status = 'open') = (closed_at IS NULL)", name="closed_at"),
    CheckConstraint("opened_at < expires_at", name="expires_at"),
    Index(None, "id"),
    Index("groups_due_index", "expires_at", postgresql_where=_OPEN),
    Index("groups_open_index", "deal_id", postgresql_where=_OPEN),
    Index("groups_unsettled_index", "closed_at", postgresql_where=text("status <> 'open' AND settled_at IS NULL")),
    Index("groups_closed_awaiting_index", "closed_at", postgresql_where=text("status <> 'open' AND awaiting > 0")),
    postgresql_with={"fillfactor": "70"},
)
"""`next_tier_at` is the next tier's threshold, for lists; `settled_through` the last place number with a settlement."""

participants = Table(
    "participants",
    metadata,
    Column("deal_id", UUID, nullable=False),
    Column("shopper_id", UUID, nullable=False),
    Column("group_id", UUID, nullable=False),
    Column("variant_id", UUID, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("hold_minor", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("joined_at", _MOMENT, nullable=False),
    Column("invite_code", Text),
    Column("display_name", Text),
    Column("order_id", UUID, nullable=False, server_default=text("gen_random_uuid()")),
    Column("dropped_at", _MOMENT),
    PrimaryKeyConstraint("deal_id", "shopper_id", "group_id"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("hold_minor > 0", name="hold_minor"),
    Index("participants_of_group_index", "group_id", "number", unique=True),
    Index("participants_of_shopper_index", "shopper_id", "joined_at", "group_id"),
    Index("participants_of_invite_index", "invite_code", postgresql_where=text("invite_code IS NOT NULL")),
)

invites = Table(
    "invites",
    metadata,
    Column("code", Text, primary_key=True),
    Column("deal_id", UUID, nullable=False),
    Column("group_id", UUID, nullable=False),
    Column("sharer_id", UUID, nullable=False),
    Column("channel", Text, nullable=False),
    Column("parent_code", Text),
    Column("joins", Integer, nullable=False, server_default=text("0")),
    Column("created_at", _MOMENT, nullable=False),
    Column("revoked_at", _MOMENT),
    UniqueConstraint("group_id", "sharer_id", "channel", "revoked_at", postgresql_nulls_not_distinct=True),
    ForeignKeyConstraint(["deal_id", "group_id"], ["groups.deal_id", "groups.id"]),
    CheckConstraint("joins >= 0", name="joins"),
    Index("invites_of_sharer_index", "sharer_id", "created_at", "code"),
    Index("invites_of_parent_index", "parent_code", postgresql_where=text("parent_code IS NOT NULL")),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("deal_id", UUID, nullable=False),
    Column("group_id", UUID),
    Column("version", Integer, nullable=False),
    Column("events", JSON, nullable=False),
    Column("at", _MOMENT, nullable=False),
    Column("relayed_at", _MOMENT),
    Index("outbox_unrelayed_index", "id", postgresql_where=text("relayed_at IS NULL")),
)
"""Every event, written with the rows it changed: audit log, notification source and projection feed at once.

A row holds what one transaction did to one group (or to a deal itself), in order, and the version that left; so a
group's rows in the order of their versions tell its whole story, and a batch of joins into one group is one row.
"""

OUTBOX_DETAILS = (
    # Packed small it would cost more time on the join path than the space is worth.
    "ALTER TABLE outbox ALTER COLUMN events SET STORAGE EXTERNAL",
    """
    CREATE VIEW events AS
    SELECT outbox.id, told.number, outbox.deal_id, outbox.group_id, told.event ->> 'type' AS type,
      told.event::jsonb - 'type' AS payload, outbox.at
    FROM outbox, json_array_elements(outbox.events) WITH ORDINALITY AS told (event, number)
    """,
)
"""What a table cannot say of itself; `events` is the outbox with a row an event, for people and tests."""

for _detail in OUTBOX_DETAILS:
    event.listen(outbox, "after_create", DDL(_detail))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("subject_id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    PrimaryKeyConstraint("subject_id", "key"),
    Index(None, "created_at"),
)
