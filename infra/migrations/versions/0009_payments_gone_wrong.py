"""Notices of payments that did not come or were refused."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KINDS = (
    "('joined', 'price_dropped', 'two_places_left', 'one_hour_left', 'succeeded', 'failed', 'cancelled', "
    "'payment_needed', 'payment_late', 'payment_missed', 'payment_refused')"
)


def upgrade() -> None:
    for table in ("tellings", "notices"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_kind_check")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_kind_check CHECK (kind IN {KINDS})")
