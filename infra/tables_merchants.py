"""The tables of merchants: who they are, who works for them, the keys of their systems, and what was done by whom."""

from sqlalchemy import (
    ARRAY,
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from infra.tables import metadata
from infra.tables_identity import accounts

_MOMENT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")
_ROLES = "('owner', 'editor', 'fulfilment', 'analyst')"

merchants = Table(
    "merchants",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("country", Text),
    Column("contact", Text, nullable=False),
    Column("about", Text, nullable=False, server_default=text("''")),
    Column("status", Text, nullable=False),
    Column("status_reason", Text),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("applied_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("decided_at", _MOMENT),
    Column("winding_down", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("status IN ('applied', 'approved', 'refused', 'suspended')", name="status"),
    Index("merchants_of_status_index", "status", "applied_at", "id"),
    Index(None, "applied_at", "id"),
    Index("merchants_winding_down_index", "id", postgresql_where=text("winding_down")),
)
"""Merchants who applied here. `winding_down`: suspended, and a worker has still to end what goes on."""

staff = Table(
    "staff",
    metadata,
    Column("merchant_id", UUID, ForeignKey(merchants.c.id), nullable=False),
    Column("account_id", UUID, ForeignKey(accounts.c.id), nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False, server_default=_NOW),
    PrimaryKeyConstraint("merchant_id", "account_id"),
    CheckConstraint(f"role IN {_ROLES}", name="role"),
    Index("staff_of_account_index", "account_id"),
)

staff_invites = Table(
    "staff_invites",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("merchant_id", UUID, ForeignKey(merchants.c.id), nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("invited_by", UUID, nullable=False),
    Column("created_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("expires_at", _MOMENT, nullable=False),
    Column("ended_at", _MOMENT),
    Column("accepted_by", UUID),
    CheckConstraint("channel IN ('phone', 'email')", name="channel"),
    CheckConstraint(f"role IN {_ROLES}", name="role"),
    CheckConstraint("accepted_by IS NULL OR ended_at IS NOT NULL", name="accepted_by"),
    Index(
        "staff_invites_open_index",
        "merchant_id",
        "channel",
        "address",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("staff_invites_of_address_index", "channel", "address"),
    Index("staff_invites_of_merchant_index", "merchant_id", "created_at"),
    Index("staff_invites_accepted_index", "accepted_by", postgresql_where=text("accepted_by IS NOT NULL")),
    Index("staff_invites_over_index", text("coalesce(ended_at, expires_at)")),
)
"""Who was asked to join a merchant's staff, by the phone number or address that they sign in with."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("merchant_id", UUID, ForeignKey(merchants.c.id), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, unique=True),
    Column("key_hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_by", UUID, nullable=False),
    Column("created_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("expires_at", _MOMENT),
    Column("used_at", _MOMENT),
    Column("revoked_at", _MOMENT),
    Index("api_keys_of_merchant_index", "merchant_id", "created_at", "id"),
)
"""Keys for a merchant's own systems; the whole key is shown once, `prefix` always."""

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _MOMENT, nullable=False, server_default=_NOW),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", UUID),
    Column("merchant_id", UUID),
    Column("action", Text, nullable=False),
    Column("thing_kind", Text, nullable=False),
    Column("thing_id", UUID, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("request_id", Text),
    CheckConstraint("actor_kind IN ('administrator', 'staff', 'api_key', 'operator', 'worker')", name="actor_kind"),
    Index("audit_of_merchant_index", "merchant_id", "id"),
    Index("audit_of_thing_index", "thing_id", "id"),
)
"""Who did what to which thing, with what was before and after; `operator` is whoever works on the machine itself."""

AUDIT_DETAILS = (
    """
    CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
    """,
)

for _detail in AUDIT_DETAILS:
    event.listen(audit, "after_create", DDL(_detail))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped
