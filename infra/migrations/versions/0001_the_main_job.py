"""The main job: deals, groups, participants, invites, settlements, the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deals",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("merchant_id", sa.UUID(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("solo_price", sa.BigInteger(), nullable=False),
        sa.Column("tiers", postgresql.JSONB(), nullable=False),
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("group_size_max", sa.Integer(), nullable=False),
        sa.Column("group_lifetime_s", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("units_per_shopper_max", sa.Integer(), nullable=True),
        sa.Column("lifecycle", sa.Text(), nullable=False),
        sa.Column("crowd_group_id", sa.UUID(), nullable=True),
        sa.Column("units_taken", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("grouping IN ('team', 'crowd')", name=op.f("deals_grouping_check")),
        sa.CheckConstraint(
            "lifecycle IN ('draft', 'published', 'paused', 'ended')", name=op.f("deals_lifecycle_check")
        ),
        sa.CheckConstraint("group_size_max >= 2", name=op.f("deals_group_size_max_check")),
        sa.CheckConstraint("solo_price > 0", name=op.f("deals_solo_price_check")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("deals_window_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("deals_pkey")),
    )
    op.create_index(
        "deals_crowd_waiting_index",
        "deals",
        ["starts_at"],
        unique=False,
        postgresql_where=sa.text("grouping = 'crowd' AND lifecycle = 'published' AND crowd_group_id IS NULL"),
    )
    op.create_index(
        "deals_ending_index", "deals", ["ends_at", "id"], unique=False, postgresql_where=sa.text("lifecycle <> 'draft'")
    )
    op.create_index(
        op.f("deals_merchant_id_created_at_id_index"), "deals", ["merchant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "deals_newest_index",
        "deals",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("lifecycle <> 'draft'"),
    )
    op.create_index(
        "deals_popular_index",
        "deals",
        ["units_taken", "id"],
        unique=False,
        postgresql_where=sa.text("lifecycle <> 'draft'"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "key", name=op.f("idempotency_keys_pkey")),
    )
    op.create_index(op.f("idempotency_keys_created_at_index"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("deal_id", sa.UUID(), nullable=False),
        sa.Column("group_id", sa.UUID(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("relayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
    )
    op.create_index(
        "outbox_unrelayed_index", "outbox", ["id"], unique=False, postgresql_where=sa.text("relayed_at IS NULL")
    )
    op.execute("ALTER TABLE outbox ALTER COLUMN events SET STORAGE EXTERNAL")
    op.execute("""
    CREATE VIEW events AS
    SELECT outbox.id, told.number, outbox.deal_id, outbox.group_id, told.event ->> 'type' AS type,
      told.event::jsonb - 'type' AS payload, outbox.at
    FROM outbox, json_array_elements(outbox.events) WITH ORDINALITY AS told (event, number)
    """)
    op.create_table(
        "participants",
        sa.Column("deal_id", sa.UUID(), nullable=False),
        sa.Column("shopper_id", sa.UUID(), nullable=False),
        sa.Column("group_id", sa.UUID(), nullable=False),
        sa.Column("variant_id", sa.UUID(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("hold_minor", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invite_code", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.CheckConstraint("hold_minor > 0", name=op.f("participants_hold_minor_check")),
        sa.CheckConstraint("quantity > 0", name=op.f("participants_quantity_check")),
        sa.PrimaryKeyConstraint("deal_id", "shopper_id", "group_id", name=op.f("participants_pkey")),
    )
    op.create_index("participants_of_group_index", "participants", ["group_id", "number"], unique=True)
    op.create_index(
        "participants_of_shopper_index", "participants", ["shopper_id", "joined_at", "group_id"], unique=False
    )
    op.create_table(
        "settlements",
        sa.Column("deal_id", sa.UUID(), nullable=False),
        sa.Column("group_id", sa.UUID(), nullable=False),
        sa.Column("shopper_id", sa.UUID(), nullable=False),
        sa.Column("variant_id", sa.UUID(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=True),
        sa.Column("hold_minor", sa.BigInteger(), nullable=False),
        sa.Column("capture_minor", sa.BigInteger(), nullable=False),
        sa.Column("release_minor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("capture_minor + release_minor = hold_minor", name=op.f("settlements_whole_check")),
        sa.CheckConstraint(
            "capture_minor = coalesce(unit_price, 0) * quantity", name=op.f("settlements_capture_check")
        ),
        sa.CheckConstraint("capture_minor >= 0 AND release_minor >= 0", name=op.f("settlements_signs_check")),
        sa.PrimaryKeyConstraint("deal_id", "group_id", "shopper_id", name=op.f("settlements_pkey")),
    )
    op.create_table(
        "groups",
        sa.Column("deal_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("leader_id", sa.UUID(), nullable=True),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("group_size_max", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
        sa.Column("units_by_variant", postgresql.JSONB(), nullable=False),
        sa.Column("next_tier_at", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("settled_through", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'open') = (closed_at IS NULL)", name=op.f("groups_closed_at_check")),
        sa.CheckConstraint("status IN ('open', 'succeeded', 'failed', 'cancelled')", name=op.f("groups_status_check")),
        sa.CheckConstraint("opened_at < expires_at", name=op.f("groups_expires_at_check")),
        sa.CheckConstraint("participants BETWEEN 0 AND group_size_max", name=op.f("groups_participants_check")),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("groups_deal_id_key")),
        sa.PrimaryKeyConstraint("deal_id", "id", name=op.f("groups_pkey")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "groups_due_index", "groups", ["expires_at"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_index(op.f("groups_id_index"), "groups", ["id"], unique=False)
    op.create_index(
        "groups_open_index", "groups", ["deal_id"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_index(
        "groups_unsettled_index",
        "groups",
        ["closed_at"],
        unique=False,
        postgresql_where=sa.text("status <> 'open' AND settled_at IS NULL"),
    )
    op.create_table(
        "variants",
        sa.Column("deal_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("stock", sa.BigInteger(), nullable=False),
        sa.Column("stock_left", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("stock_left BETWEEN 0 AND stock", name=op.f("variants_stock_left_check")),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("variants_deal_id_key")),
        sa.PrimaryKeyConstraint("deal_id", "id", name=op.f("variants_pkey")),
        sa.UniqueConstraint("deal_id", "position", name=op.f("variants_deal_id_position_unique")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "invites",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.UUID(), nullable=False),
        sa.Column("group_id", sa.UUID(), nullable=False),
        sa.Column("sharer_id", sa.UUID(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.Text(), nullable=True),
        sa.Column("joins", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("joins >= 0", name=op.f("invites_joins_check")),
        sa.ForeignKeyConstraint(
            ["deal_id", "group_id"], ["groups.deal_id", "groups.id"], name=op.f("invites_deal_id_group_id_key")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("invites_pkey")),
        sa.UniqueConstraint("group_id", "sharer_id", "channel", name=op.f("invites_group_id_sharer_id_channel_unique")),
    )
