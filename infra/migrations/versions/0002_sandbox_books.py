"""The sandbox gateway's own books."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _payments()
    _events()


def _payments() -> None:
    op.create_table(
        "sandbox_payments",
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("declined_because", sa.Text(), nullable=True),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'held', 'paid', 'declined', 'cancelled', 'expired')",
            name=op.f("sandbox_payments_status_check"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("sandbox_payments_amount_minor_check")),
        sa.CheckConstraint(
            "captured_minor BETWEEN 0 AND amount_minor", name=op.f("sandbox_payments_captured_minor_check")
        ),
        sa.CheckConstraint(
            "refunded_minor BETWEEN 0 AND captured_minor", name=op.f("sandbox_payments_refunded_minor_check")
        ),
        sa.CheckConstraint("(status = 'paid') = (captured_minor > 0)", name=op.f("sandbox_payments_paid_check")),
        sa.CheckConstraint("status <> 'held' OR hold_expires_at IS NOT NULL", name=op.f("sandbox_payments_held_check")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("sandbox_payments_pkey")),
    )
    op.create_index(
        op.f("sandbox_payments_created_at_order_id_index"), "sandbox_payments", ["created_at", "order_id"], unique=False
    )
    op.create_index(
        "sandbox_payments_held_index",
        "sandbox_payments",
        ["hold_expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'held'"),
    )


def _events() -> None:
    op.create_table(
        "sandbox_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("deliveries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("sandbox_events_pkey")),
    )
    op.create_index(
        "sandbox_events_due_index",
        "sandbox_events",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.execute("ALTER TABLE sandbox_events ALTER COLUMN events SET STORAGE EXTERNAL")
