"""Money: payments, orders, refunds, the ledger; what settlements, groups, deals and places need for them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE deals
      ADD COLUMN needs_shipping boolean NOT NULL DEFAULT false,
      ADD COLUMN reward jsonb,
      ADD COLUMN payment jsonb
    """,
    """
    ALTER TABLE groups
      ADD COLUMN awaiting integer NOT NULL DEFAULT 0,
      ADD COLUMN settled integer NOT NULL DEFAULT 0,
      ADD COLUMN captured_minor bigint NOT NULL DEFAULT 0,
      ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
      ADD COLUMN leader_is_in boolean NOT NULL DEFAULT true,
      DROP CONSTRAINT groups_participants_check,
      ADD CONSTRAINT groups_counts_check CHECK (participants >= 0 AND awaiting >= 0),
      ADD CONSTRAINT groups_participants_check CHECK (participants + awaiting <= group_size_max),
      ADD CONSTRAINT groups_refunded_minor_check CHECK (refunded_minor BETWEEN 0 AND captured_minor)
    """,
    """
    CREATE INDEX groups_closed_awaiting_index ON groups (closed_at) WHERE status <> 'open' AND awaiting > 0
    """,
    """
    ALTER TABLE participants
      ADD COLUMN order_id uuid NOT NULL DEFAULT gen_random_uuid(),
      ADD COLUMN dropped_at timestamp with time zone
    """,
    """
    ALTER TABLE settlements
      ADD COLUMN order_id uuid NOT NULL DEFAULT gen_random_uuid(),
      ADD COLUMN status text NOT NULL DEFAULT 'done',
      ADD COLUMN attempts integer NOT NULL DEFAULT 0,
      ADD COLUMN next_attempt_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
      ADD COLUMN last_error text,
      ADD COLUMN done_at timestamp with time zone,
      DROP CONSTRAINT settlements_pkey,
      ADD CONSTRAINT settlements_pkey PRIMARY KEY (deal_id, order_id),
      ALTER COLUMN group_id DROP NOT NULL,
      ADD CONSTRAINT settlements_status_check CHECK (status IN ('pending', 'done', 'failed', 'dead'))
    """,
    """
    UPDATE settlements SET order_id = participants.order_id FROM participants
    WHERE participants.deal_id = settlements.deal_id AND participants.group_id = settlements.group_id
      AND participants.shopper_id = settlements.shopper_id
    """,
    """
    CREATE INDEX settlements_dead_index ON settlements (next_attempt_at) WHERE status = 'dead'
    """,
    """
    CREATE INDEX settlements_of_group_index ON settlements (group_id, order_id)
    """,
    """
    CREATE INDEX settlements_pending_index ON settlements (next_attempt_at) WHERE status = 'pending'
    """,
    """
    CREATE TABLE payments (
      deal_id UUID NOT NULL,
      order_id UUID NOT NULL,
      group_id UUID,
      shopper_id UUID NOT NULL,
      variant_id UUID NOT NULL,
      quantity INTEGER NOT NULL,
      hold_minor BIGINT NOT NULL,
      currency TEXT NOT NULL,
      gateway TEXT NOT NULL,
      fee_bps INTEGER NOT NULL,
      status TEXT NOT NULL,
      holds_units BOOLEAN NOT NULL,
      pay_by TIMESTAMP WITH TIME ZONE NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE NOT NULL,
      invite_code TEXT,
      display_name TEXT,
      address JSONB,
      held_at TIMESTAMP WITH TIME ZONE,
      late_at TIMESTAMP WITH TIME ZONE,
      left_at TIMESTAMP WITH TIME ZONE,
      reference TEXT,
      next_step JSONB,
      looked_up_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT payments_pkey PRIMARY KEY (deal_id, order_id),
      CONSTRAINT payments_status_check CHECK (status IN ('awaiting', 'held', 'lapsed', 'captured', 'released')),
      CONSTRAINT payments_signs_check CHECK (quantity > 0 AND hold_minor > 0)
    )
     WITH (fillfactor = 70)
    """,
    """
    CREATE INDEX payments_awaiting_index ON payments (pay_by) WHERE status = 'awaiting'
    """,
    """
    CREATE INDEX payments_keeping_units_index ON payments (deal_id, shopper_id) WHERE holds_units
    """,
    """
    CREATE INDEX payments_of_group_awaiting_index ON payments (group_id) WHERE status = 'awaiting'
    """,
    """
    CREATE INDEX payments_of_shopper_index ON payments (shopper_id, order_id)
    """,
    """
    CREATE UNIQUE INDEX payments_order_id_index ON payments (order_id)
    """,
    """
    CREATE TABLE orders (
      deal_id UUID NOT NULL,
      id UUID NOT NULL,
      group_id UUID,
      merchant_id UUID NOT NULL,
      shopper_id UUID NOT NULL,
      variant_id UUID NOT NULL,
      quantity INTEGER NOT NULL,
      unit_price BIGINT NOT NULL,
      currency TEXT NOT NULL,
      captured_minor BIGINT NOT NULL,
      refunded_minor BIGINT NOT NULL,
      fee_bps INTEGER NOT NULL,
      status TEXT NOT NULL,
      version INTEGER NOT NULL,
      placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
      carrier TEXT,
      tracking_number TEXT,
      shipped_at TIMESTAMP WITH TIME ZONE,
      delivered_at TIMESTAMP WITH TIME ZONE,
      cancelled_at TIMESTAMP WITH TIME ZONE,
      returned_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT orders_pkey PRIMARY KEY (deal_id, id),
      CONSTRAINT orders_status_check CHECK (status IN ('to_ship', 'shipped', 'delivered', 'cancelled', 'returned')),
      CONSTRAINT orders_captured_minor_check CHECK (captured_minor = unit_price * quantity),
      CONSTRAINT orders_refunded_minor_check CHECK (refunded_minor BETWEEN 0 AND captured_minor)
    )
     WITH (fillfactor = 80)
    """,
    """
    CREATE UNIQUE INDEX orders_id_index ON orders (id)
    """,
    """
    CREATE INDEX orders_of_merchant_index ON orders (merchant_id, placed_at, id)
    """,
    """
    CREATE INDEX orders_to_ship_index ON orders (merchant_id, placed_at, id) WHERE status = 'to_ship'
    """,
    """
    CREATE TABLE refunds (
      deal_id UUID NOT NULL,
      id UUID NOT NULL,
      group_id UUID,
      order_id UUID NOT NULL,
      amount_minor BIGINT NOT NULL,
      reason TEXT NOT NULL,
      is_made BOOLEAN NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE NOT NULL,
      status TEXT DEFAULT 'pending' NOT NULL,
      attempts INTEGER DEFAULT 0 NOT NULL,
      next_attempt_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      last_error TEXT,
      made_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT refunds_pkey PRIMARY KEY (deal_id, id),
      CONSTRAINT refunds_amount_minor_check CHECK (amount_minor > 0),
      CONSTRAINT refunds_status_check CHECK (status IN ('pending', 'done', 'dead')),
      CONSTRAINT refunds_is_made_check CHECK (is_made = (status = 'done'))
    )
    """,
    """
    CREATE INDEX refunds_dead_index ON refunds (next_attempt_at) WHERE status = 'dead'
    """,
    """
    CREATE INDEX refunds_order_id_index ON refunds (order_id)
    """,
    """
    CREATE INDEX refunds_pending_index ON refunds (next_attempt_at) WHERE status = 'pending'
    """,
    """
    CREATE TABLE ledger (
      id BIGINT GENERATED ALWAYS AS IDENTITY,
      deal_id UUID NOT NULL,
      group_id UUID,
      order_id UUID NOT NULL,
      cause TEXT NOT NULL,
      cause_id UUID NOT NULL,
      from_account TEXT NOT NULL,
      to_account TEXT NOT NULL,
      merchant_id UUID NOT NULL,
      currency TEXT NOT NULL,
      amount_minor BIGINT NOT NULL,
      at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT ledger_pkey PRIMARY KEY (id),
      CONSTRAINT ledger_amount_minor_check CHECK (amount_minor > 0),
      CONSTRAINT ledger_two_accounts_check CHECK (from_account <> to_account),
      CONSTRAINT ledger_known_accounts_check CHECK (from_account IN (
        'gateway_clearing', 'shopper_hold', 'merchant_payable', 'platform_fee', 'leader_reward', 'refunds')
        AND to_account IN (
        'gateway_clearing', 'shopper_hold', 'merchant_payable', 'platform_fee', 'leader_reward', 'refunds')),
      CONSTRAINT ledger_cause_check CHECK (cause IN ('hold', 'settlement', 'refund', 'refund_made'))
    )
    """,
    """
    CREATE INDEX ledger_of_merchant_index ON ledger (merchant_id, at, id) WHERE cause <> 'hold'
    """,
    """
    CREATE INDEX ledger_of_order_index ON ledger (order_id)
    """,
    """
    CREATE UNIQUE INDEX ledger_once_index ON ledger (cause_id, cause, from_account, to_account)
    """,
    """
    CREATE TABLE merchant_payments (
      merchant_id UUID NOT NULL,
      gateway TEXT,
      fee_bps INTEGER,
      CONSTRAINT merchant_payments_pkey PRIMARY KEY (merchant_id),
      CONSTRAINT merchant_payments_fee_bps_check CHECK (fee_bps BETWEEN 0 AND 10000)
    )
    """,
    """
    CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger is append-only: add a movement the other way'; END $$
    """,
    """
    CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
    """,
    """
    CREATE VIEW ledger_entries AS
    SELECT id, deal_id, group_id, order_id, merchant_id, cause, cause_id, to_account AS account, currency,
      amount_minor, at FROM ledger
    UNION ALL
    SELECT id, deal_id, group_id, order_id, merchant_id, cause, cause_id, from_account, currency, -amount_minor, at
    FROM ledger
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
