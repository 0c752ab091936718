"""Sharing: how often links are opened."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX invites_of_sharer_index",
    "CREATE INDEX invites_of_sharer_index ON invites (sharer_id, created_at, code)",
    "CREATE INDEX invites_of_parent_index ON invites (parent_code) WHERE parent_code IS NOT NULL",
    "CREATE INDEX participants_of_invite_index ON participants (invite_code) WHERE invite_code IS NOT NULL",
    """
    CREATE TABLE visit_salts (
      day DATE NOT NULL,
      salt BYTEA NOT NULL,
      CONSTRAINT visit_salts_pkey PRIMARY KEY (day)
    )
    """,
    """
    CREATE TABLE visitors (
      day DATE NOT NULL,
      code TEXT NOT NULL,
      visitor BYTEA NOT NULL,
      CONSTRAINT visitors_pkey PRIMARY KEY (day, code, visitor)
    )
    """,
    """
    CREATE TABLE visits (
      code TEXT NOT NULL,
      day DATE NOT NULL,
      people INTEGER DEFAULT 0 NOT NULL,
      previews INTEGER DEFAULT 0 NOT NULL,
      CONSTRAINT visits_pkey PRIMARY KEY (code, day),
      CONSTRAINT visits_counts_check CHECK (people >= 0 AND previews >= 0),
      CONSTRAINT visits_code_key FOREIGN KEY(code) REFERENCES invites (code)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
