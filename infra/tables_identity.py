"""The tables of who people are: accounts and how they sign in, sessions, merchants with their staff, and what was done.

Nothing here is part of the join path: a token says who asks, and no join reads these tables.
"""

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

_MOMENT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")
_ROLES = "('owner', 'editor', 'fulfilment', 'analyst')"

accounts = Table(
    "accounts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("status", Text, nullable=False),
    Column("display_name", Text),
    Column("avatar_url", Text),
    Column("locale", Text),
    Column("notifications", JSONB, nullable=False, server_default=text("'{}'")),
    Column("is_admin", Boolean, nullable=False, server_default=text("false")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("deleted_at", _MOMENT),
    Column("erased_at", _MOMENT),
    Column("merged_into", UUID, ForeignKey("accounts.id")),
    CheckConstraint("status IN ('guest', 'full', 'merged', 'deleted')", name="status"),
    CheckConstraint("status IN ('merged', 'deleted') OR merged_into IS NULL", name="merged_into"),
    CheckConstraint("status <> 'merged' OR merged_into IS NOT NULL", name="merged"),
    Index("accounts_merged_into_index", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    CheckConstraint("(status = 'deleted') = (deleted_at IS NOT NULL)", name="deleted_at"),
    CheckConstraint("NOT is_admin OR status = 'full'", name="is_admin"),
    CheckConstraint(
        "status <> 'deleted' OR (display_name IS NULL AND avatar_url IS NULL AND locale IS NULL)", name="nobody"
    ),
    CheckConstraint("erased_at IS NULL OR status = 'deleted'", name="erased_at"),
    Index(
        "accounts_to_erase_index",
        "deleted_at",
        "id",
        postgresql_where=text("status = 'deleted' AND erased_at IS NULL"),
    ),
)
"""A person, or a device whose person is not known yet (`guest`); `id` is the subject of their tokens.

`erased_at`: nothing personal is left of a deleted one anywhere, and no token it had brings more. `merged_into`: a guest
who turned out to be somebody known; the rows of groups and orders keep the guest's id, which is that somebody's too.
"""

identities = Table(
    "identities",
    metadata,
    Column("provider", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account_id", UUID, ForeignKey(accounts.c.id), nullable=False),
    Column("created_at", _MOMENT, nullable=False, server_default=_NOW),
    PrimaryKeyConstraint("provider", "subject"),
    CheckConstraint("provider IN ('phone', 'email', 'apple', 'google', 'facebook', 'wechat')", name="provider"),
    Index("identities_of_account_index", "account_id", "provider", unique=True),
)
"""What proves who somebody is: a phone number (E.164), an address, or a provider's own id of them; one of each."""

sign_in_codes = Table(
    "sign_in_codes",
    metadata,
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("made_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("expires_at", _MOMENT, nullable=False),
    Column("used_at", _MOMENT),
    PrimaryKeyConstraint("channel", "address"),
    CheckConstraint("channel IN ('phone', 'email')", name="channel"),
    CheckConstraint("tries BETWEEN 0 AND 5", name="tries"),
    Index(None, "expires_at"),
)
"""The last code of each address; a new one takes the place of the one before. With a key it follows from the salt."""

spent_id_tokens = Table(
    "spent_id_tokens",
    metadata,
    Column("fingerprint", LargeBinary, primary_key=True),
    Column("expires_at", _MOMENT, nullable=False),
    Index(None, "expires_at"),
)
"""Id_tokens that proved something, as SHA-256 of what is signed, until they have expired: each does so once."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", UUID, ForeignKey(accounts.c.id), nullable=False),
    Column("device", Text),
    Column("created_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("used_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("expires_at", _MOMENT, nullable=False),
    Column("ended_at", _MOMENT),
    Column("ended_because", Text),
    CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended"),
    CheckConstraint(
        "ended_because IN ('signed_out', 'signed_out_everywhere', 'token_reused', 'crowded_out', 'merged', 'deleted', "
        "'identity_changed')",
        name="ended_because",
    ),
    Index("sessions_of_account_index", "account_id"),
    Index(None, "expires_at"),
)
"""A sign-in on one device, and the family of its refresh tokens."""

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("session_id", UUID, ForeignKey(sessions.c.id, ondelete="CASCADE"), nullable=False),
    Column("issued_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("spent_at", _MOMENT),
    Column("successor_salt", LargeBinary),
    CheckConstraint("(spent_at IS NULL) = (successor_salt IS NULL)", name="spent"),
    Index("refresh_tokens_of_session_index", "session_id"),
    Index(None, "spent_at", postgresql_where=text("spent_at IS NOT NULL")),
)
"""Refresh tokens given out, as SHA-256; spent ones for a month. With its salt the sender of one gets its successor."""

revocations = Table(
    "revocations",
    metadata,
    Column("subject", UUID, nullable=False),
    Column("issued_before", _MOMENT, nullable=False),
    Column("at", _MOMENT, nullable=False, server_default=_NOW),
    Column("expires_at", _MOMENT, nullable=False),
    PrimaryKeyConstraint("subject"),
    Index(None, "at"),
    Index(None, "expires_at"),
)
"""Access tokens that count no more although they have not expired: those of a session or an account issued before.

At `expires_at` the last of them has expired, and the row is of no more use.
"""

addresses = Table(
    "addresses",
    metadata,
    Column("account_id", UUID, ForeignKey(accounts.c.id), nullable=False),
    Column("id", UUID, nullable=False),
    Column("label", Text),
    Column("address", JSONB, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", _MOMENT, nullable=False, server_default=_NOW),
    PrimaryKeyConstraint("account_id", "id"),
    Index("addresses_default_index", "account_id", unique=True, postgresql_where=text("is_default")),
)
"""The address book; orders keep copies of their own."""

devices = Table(
    "devices",
    metadata,
    Column("account_id", UUID, ForeignKey(accounts.c.id), nullable=False),
    Column("id", UUID, nullable=False),
    Column("platform", Text, nullable=False),
    Column("push_token", Text, nullable=False),
    Column("seen_at", _MOMENT, nullable=False, server_default=_NOW),
    PrimaryKeyConstraint("account_id", "id"),
    CheckConstraint("platform IN ('ios', 'android', 'web', 'wechat')", name="platform"),
    Index("devices_push_token_index", "platform", "push_token", unique=True),
)
"""Where to push to; a device belongs to whoever registered it last."""

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
