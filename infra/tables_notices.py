"""The tables of notices: how far the outbox is read, what is to be told, what was, and what is still to be sent.

Nothing here is part of the join path: whoever joins writes none of these rows and no index for them.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from infra.notices.kinds_sql import ALL_KINDS, GATHERED_KINDS
from infra.tables import metadata

_MOMENT = DateTime(timezone=True)

outbox_readings = Table(
    "outbox_readings",
    metadata,
    Column("reader", Text, primary_key=True),
    Column("through", BigInteger, nullable=False),
    Column("missing", JSONB, nullable=False, server_default=text("'[]'")),
)
"""How far a reader of the outbox is; its row is its lock.

`missing` are runs of ids below that were not there yet, each with the transaction id by which it is known that they
will come no more (docs/decisions/0027).
"""

tellings = Table(
    "tellings",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("about", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("deal_id", UUID, nullable=False),
    Column("group_id", UUID),
    Column("order_id", UUID),
    Column("due_at", _MOMENT, nullable=False),
    Column("begun_at", _MOMENT),
    Column("standing", JSONB),
    Column("numbers_max", Integer),
    Column("told_through", Integer, nullable=False, server_default=text("0")),
    Column("passed", Integer, nullable=False, server_default=text("0")),
    Column("done_at", _MOMENT),
    UniqueConstraint("about", "kind", "stage"),
    CheckConstraint(f"kind IN {ALL_KINDS}", name="kind"),
    CheckConstraint("stage >= 0", name="stage"),
    Index("tellings_due_index", "due_at", postgresql_where=text("begun_at IS NULL AND done_at IS NULL")),
    Index("tellings_begun_index", "due_at", postgresql_where=text("begun_at IS NOT NULL AND done_at IS NULL")),
    Index("tellings_done_index", "done_at", postgresql_where=text("done_at IS NOT NULL")),
)
"""A happening of a group, or of one order (`about`), that is to be told once.

What is told is fixed when it begins: `standing` is how the group stood then, `numbers_max` its last place. From there
it goes through the places in the order of their numbers: `told_through` is the last one told, `passed` how many.
"""

notices = Table(
    "notices",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", UUID, nullable=False),
    Column("about", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("deal_id", UUID, nullable=False),
    Column("group_id", UUID),
    Column("order_id", UUID),
    Column("facts", JSONB, nullable=False),
    Column("useful_until", _MOMENT),
    Column("at", _MOMENT, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("updates", Integer, nullable=False, server_default=text("0")),
    Column("read_at", _MOMENT),
    UniqueConstraint("account_id", "about", "kind", "stage"),
    CheckConstraint(f"kind IN {ALL_KINDS}", name="kind"),
    Index("notices_of_account_index", "account_id", "at", "id"),
    Index("notices_at_index", "at"),
    Index(
        "notices_gathered_index",
        "account_id",
        "about",
        "kind",
        unique=True,
        postgresql_where=text(f"read_at IS NULL AND kind IN {GATHERED_KINDS}"),
    ),
    postgresql_with={"fillfactor": "80"},
)
"""What somebody was told; of what gathers there is one unread, brought up to date.

There is no foreign key to accounts: rows of these are never deleted, and whoever writes a notice reads the account in
the same statement.
"""

deliveries = Table(
    "deliveries",
    metadata,
    Column("notice_id", UUID, ForeignKey(notices.c.id, ondelete="CASCADE"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("target", UUID, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    Column("due_at", _MOMENT, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("ended_at", _MOMENT),
    PrimaryKeyConstraint("notice_id", "channel", "target"),
    CheckConstraint("channel IN ('push', 'email')", name="channel"),
    CheckConstraint("state IN ('pending', 'sent', 'dead', 'moot')", name="state"),
    CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ended_at"),
    Index("deliveries_due_index", "channel", "due_at", postgresql_where=text("state = 'pending'")),
    Index("deliveries_of_target_index", "target", "channel", "due_at", postgresql_where=text("state = 'pending'")),
)
"""A notice on its way to a device (`target` is the device's id) or to the address of an account (the account's id).

`due_at` is also the lease of whoever is sending it. `moot` is what nobody needs any more: read before it was sent.
"""
