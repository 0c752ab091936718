"""Revoked links: their sharer has taken them back."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE invites ADD COLUMN revoked_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE invites DROP CONSTRAINT invites_group_id_sharer_id_channel_unique",
    """
    ALTER TABLE invites ADD CONSTRAINT invites_group_id_sharer_id_channel_revoked_at_unique
      UNIQUE NULLS NOT DISTINCT (group_id, sharer_id, channel, revoked_at)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
