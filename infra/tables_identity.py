"""The tables of who people are: accounts and how they sign in, their sessions, and what they have here.

Nothing here is part of the join path: a token says who asks, and no join reads these tables.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from infra.tables import metadata

_MOMENT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")

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
