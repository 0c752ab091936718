"""The tables of sharing: how often a link was opened, counted so that nobody can be found in it.

Nothing here is part of the join path.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from infra.tables import invites, metadata

visit_salts = Table(
    "visit_salts",
    metadata,
    Column("day", Date, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
)
"""What visitors of a day are hashed with; gone two days later, and with it whatever led back to an address."""

visitors = Table(
    "visitors",
    metadata,
    Column("day", Date, nullable=False),
    Column("code", Text, nullable=False),
    Column("visitor", LargeBinary, nullable=False),
    PrimaryKeyConstraint("day", "code", "visitor"),
)
"""Who opened a link on a day, as a hash with the day's salt; kept as long as the salt.

There is no foreign key: its check would lock the row of a link that many open and many join through, once for each
visitor, and whoever writes looks for the link anyway.
"""

visits = Table(
    "visits",
    metadata,
    Column("code", Text, ForeignKey(invites.c.code), nullable=False),
    Column("day", Date, nullable=False),
    Column("people", Integer, nullable=False, server_default=text("0")),
    Column("previews", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("code", "day"),
    CheckConstraint("people >= 0 AND previews >= 0", name="counts"),
)
"""How many people opened a link on a day, and how often a chat or a robot fetched it for a preview."""
