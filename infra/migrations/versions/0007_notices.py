"""Notices: what people are told, and what is still to be sent."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE outbox_readings (
      reader TEXT NOT NULL,
      through BIGINT NOT NULL,
      missing JSONB DEFAULT '[]' NOT NULL,
      CONSTRAINT outbox_readings_pkey PRIMARY KEY (reader)
    )
    """,
    """
    CREATE TABLE tellings (
      id BIGINT GENERATED ALWAYS AS IDENTITY,
      about UUID NOT NULL,
      kind TEXT NOT NULL,
      stage INTEGER NOT NULL,
      deal_id UUID NOT NULL,
      group_id UUID,
      order_id UUID,
      due_at TIMESTAMP WITH TIME ZONE NOT NULL,
      begun_at TIMESTAMP WITH TIME ZONE,
      standing JSONB,
      numbers_max INTEGER,
      told_through INTEGER DEFAULT 0 NOT NULL,
      passed INTEGER DEFAULT 0 NOT NULL,
      done_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT tellings_pkey PRIMARY KEY (id),
      CONSTRAINT tellings_about_kind_stage_unique UNIQUE (about, kind, stage),
      CONSTRAINT tellings_kind_check CHECK (kind IN ('joined', 'price_dropped', 'two_places_left', 'one_hour_left',
        'succeeded', 'failed', 'cancelled', 'payment_needed', 'payment_late')),
      CONSTRAINT tellings_stage_check CHECK (stage >= 0)
    )
    """,
    "CREATE INDEX tellings_begun_index ON tellings (due_at) WHERE begun_at IS NOT NULL AND done_at IS NULL",
    "CREATE INDEX tellings_done_index ON tellings (done_at) WHERE done_at IS NOT NULL",
    "CREATE INDEX tellings_due_index ON tellings (due_at) WHERE begun_at IS NULL AND done_at IS NULL",
    """
    CREATE TABLE notices (
      id UUID NOT NULL,
      account_id UUID NOT NULL,
      about UUID NOT NULL,
      kind TEXT NOT NULL,
      stage INTEGER NOT NULL,
      deal_id UUID NOT NULL,
      group_id UUID,
      order_id UUID,
      facts JSONB NOT NULL,
      useful_until TIMESTAMP WITH TIME ZONE,
      at TIMESTAMP WITH TIME ZONE NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE NOT NULL,
      updates INTEGER DEFAULT 0 NOT NULL,
      read_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT notices_pkey PRIMARY KEY (id),
      CONSTRAINT notices_account_id_about_kind_stage_unique UNIQUE (account_id, about, kind, stage),
      CONSTRAINT notices_kind_check CHECK (kind IN ('joined', 'price_dropped', 'two_places_left', 'one_hour_left',
        'succeeded', 'failed', 'cancelled', 'payment_needed', 'payment_late'))
    )
     WITH (fillfactor = 80)
    """,
    "CREATE INDEX notices_at_index ON notices (at)",
    """
    CREATE UNIQUE INDEX notices_gathered_index ON notices (account_id, about, kind)
    WHERE read_at IS NULL AND kind IN ('joined', 'price_dropped')
    """,
    "CREATE INDEX notices_of_account_index ON notices (account_id, at, id)",
    """
    CREATE TABLE deliveries (
      notice_id UUID NOT NULL,
      channel TEXT NOT NULL,
      target UUID NOT NULL,
      state TEXT DEFAULT 'pending' NOT NULL,
      due_at TIMESTAMP WITH TIME ZONE NOT NULL,
      attempts INTEGER DEFAULT 0 NOT NULL,
      last_error TEXT,
      ended_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT deliveries_pkey PRIMARY KEY (notice_id, channel, target),
      CONSTRAINT deliveries_channel_check CHECK (channel IN ('push', 'email')),
      CONSTRAINT deliveries_state_check CHECK (state IN ('pending', 'sent', 'dead', 'moot')),
      CONSTRAINT deliveries_ended_at_check CHECK ((state = 'pending') = (ended_at IS NULL)),
      CONSTRAINT deliveries_notice_id_key FOREIGN KEY(notice_id) REFERENCES notices (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX deliveries_due_index ON deliveries (channel, due_at) WHERE state = 'pending'",
    "CREATE INDEX deliveries_of_target_index ON deliveries (target, channel, due_at) WHERE state = 'pending'",
    # what happened before is no news any more
    """
    INSERT INTO outbox_readings (reader, through) SELECT 'notices', coalesce(max(id), 0) FROM outbox
    """,
    # but groups that are open now come to their last hour yet
    """
    INSERT INTO tellings (about, kind, stage, deal_id, group_id, due_at)
    SELECT id, 'one_hour_left', 0, deal_id, id, expires_at - interval '1 hour' FROM groups
    WHERE status = 'open' AND expires_at - opened_at >= interval '2 hours'
      AND expires_at > clock_timestamp() + interval '1 hour'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
