"""Who people are: accounts, sessions, merchants with their staff, and the audit log."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE accounts (
      id UUID NOT NULL,
      status TEXT NOT NULL,
      display_name TEXT,
      avatar_url TEXT,
      locale TEXT,
      notifications JSONB DEFAULT '{}' NOT NULL,
      is_admin BOOLEAN DEFAULT false NOT NULL,
      version INTEGER DEFAULT 1 NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      deleted_at TIMESTAMP WITH TIME ZONE,
      erased_at TIMESTAMP WITH TIME ZONE,
      merged_into UUID,
      CONSTRAINT accounts_pkey PRIMARY KEY (id),
      CONSTRAINT accounts_status_check CHECK (status IN ('guest', 'full', 'merged', 'deleted')),
      CONSTRAINT accounts_merged_into_check CHECK (status IN ('merged', 'deleted') OR merged_into IS NULL),
      CONSTRAINT accounts_merged_check CHECK (status <> 'merged' OR merged_into IS NOT NULL),
      CONSTRAINT accounts_merged_into_key FOREIGN KEY(merged_into) REFERENCES accounts (id),
      CONSTRAINT accounts_deleted_at_check CHECK ((status = 'deleted') = (deleted_at IS NOT NULL)),
      CONSTRAINT accounts_is_admin_check CHECK (NOT is_admin OR status = 'full'),
      CONSTRAINT accounts_nobody_check CHECK (
        status <> 'deleted' OR (display_name IS NULL AND avatar_url IS NULL AND locale IS NULL)),
      CONSTRAINT accounts_erased_at_check CHECK (erased_at IS NULL OR status = 'deleted')
    )
    """,
    """
    CREATE INDEX accounts_merged_into_index ON accounts (merged_into) WHERE merged_into IS NOT NULL
    """,
    """
    CREATE INDEX accounts_to_erase_index ON accounts (deleted_at, id) WHERE status = 'deleted' AND erased_at IS NULL
    """,
    """
    ALTER TABLE deals ADD COLUMN guests_may_buy BOOLEAN DEFAULT true NOT NULL
    """,
    """
    CREATE INDEX invites_of_sharer_index ON invites (sharer_id, code)
    """,
    """
    CREATE TABLE identities (
      provider TEXT NOT NULL,
      subject TEXT NOT NULL,
      account_id UUID NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      CONSTRAINT identities_pkey PRIMARY KEY (provider, subject),
      CONSTRAINT identities_provider_check CHECK (
        provider IN ('phone', 'email', 'apple', 'google', 'facebook', 'wechat')),
      CONSTRAINT identities_account_id_key FOREIGN KEY(account_id) REFERENCES accounts (id)
    )
    """,
    """
    CREATE UNIQUE INDEX identities_of_account_index ON identities (account_id, provider)
    """,
    """
    CREATE TABLE sign_in_codes (
      channel TEXT NOT NULL,
      address TEXT NOT NULL,
      salt BYTEA NOT NULL,
      tries INTEGER DEFAULT 0 NOT NULL,
      made_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
      used_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT sign_in_codes_pkey PRIMARY KEY (channel, address),
      CONSTRAINT sign_in_codes_channel_check CHECK (channel IN ('phone', 'email')),
      CONSTRAINT sign_in_codes_tries_check CHECK (tries BETWEEN 0 AND 5)
    )
    """,
    """
    CREATE INDEX sign_in_codes_expires_at_index ON sign_in_codes (expires_at)
    """,
    """
    CREATE TABLE spent_id_tokens (
      fingerprint BYTEA NOT NULL,
      expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT spent_id_tokens_pkey PRIMARY KEY (fingerprint)
    )
    """,
    """
    CREATE INDEX spent_id_tokens_expires_at_index ON spent_id_tokens (expires_at)
    """,
    """
    CREATE TABLE sessions (
      id UUID NOT NULL,
      account_id UUID NOT NULL,
      device TEXT,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      used_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
      ended_at TIMESTAMP WITH TIME ZONE,
      ended_because TEXT,
      CONSTRAINT sessions_pkey PRIMARY KEY (id),
      CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (ended_because IS NULL)),
      CONSTRAINT sessions_ended_because_check CHECK (
        ended_because IN (
          'signed_out', 'signed_out_everywhere', 'token_reused', 'crowded_out', 'merged', 'deleted',
          'identity_changed')),
      CONSTRAINT sessions_account_id_key FOREIGN KEY(account_id) REFERENCES accounts (id)
    )
    """,
    """
    CREATE INDEX sessions_expires_at_index ON sessions (expires_at)
    """,
    """
    CREATE INDEX sessions_of_account_index ON sessions (account_id)
    """,
    """
    CREATE TABLE refresh_tokens (
      token_hash BYTEA NOT NULL,
      session_id UUID NOT NULL,
      issued_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      spent_at TIMESTAMP WITH TIME ZONE,
      successor_salt BYTEA,
      CONSTRAINT refresh_tokens_pkey PRIMARY KEY (token_hash),
      CONSTRAINT refresh_tokens_spent_check CHECK ((spent_at IS NULL) = (successor_salt IS NULL)),
      CONSTRAINT refresh_tokens_session_id_key FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX refresh_tokens_of_session_index ON refresh_tokens (session_id)
    """,
    """
    CREATE INDEX refresh_tokens_spent_at_index ON refresh_tokens (spent_at) WHERE spent_at IS NOT NULL
    """,
    """
    CREATE TABLE revocations (
      subject UUID NOT NULL,
      issued_before TIMESTAMP WITH TIME ZONE NOT NULL,
      at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT revocations_pkey PRIMARY KEY (subject)
    )
    """,
    """
    CREATE INDEX revocations_at_index ON revocations (at)
    """,
    """
    CREATE INDEX revocations_expires_at_index ON revocations (expires_at)
    """,
    """
    CREATE TABLE addresses (
      account_id UUID NOT NULL,
      id UUID NOT NULL,
      label TEXT,
      address JSONB NOT NULL,
      is_default BOOLEAN DEFAULT false NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      CONSTRAINT addresses_pkey PRIMARY KEY (account_id, id),
      CONSTRAINT addresses_account_id_key FOREIGN KEY(account_id) REFERENCES accounts (id)
    )
    """,
    """
    CREATE UNIQUE INDEX addresses_default_index ON addresses (account_id) WHERE is_default
    """,
    """
    CREATE TABLE devices (
      account_id UUID NOT NULL,
      id UUID NOT NULL,
      platform TEXT NOT NULL,
      push_token TEXT NOT NULL,
      seen_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      CONSTRAINT devices_pkey PRIMARY KEY (account_id, id),
      CONSTRAINT devices_platform_check CHECK (platform IN ('ios', 'android', 'web', 'wechat')),
      CONSTRAINT devices_account_id_key FOREIGN KEY(account_id) REFERENCES accounts (id)
    )
    """,
    """
    CREATE UNIQUE INDEX devices_push_token_index ON devices (platform, push_token)
    """,
    """
    CREATE TABLE merchants (
      id UUID NOT NULL,
      name TEXT NOT NULL,
      country TEXT,
      contact TEXT NOT NULL,
      about TEXT DEFAULT '' NOT NULL,
      status TEXT NOT NULL,
      status_reason TEXT,
      version INTEGER DEFAULT 1 NOT NULL,
      applied_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      decided_at TIMESTAMP WITH TIME ZONE,
      winding_down BOOLEAN DEFAULT false NOT NULL,
      CONSTRAINT merchants_pkey PRIMARY KEY (id),
      CONSTRAINT merchants_status_check CHECK (status IN ('applied', 'approved', 'refused', 'suspended'))
    )
    """,
    """
    CREATE INDEX merchants_of_status_index ON merchants (status, applied_at, id)
    """,
    """
    CREATE INDEX merchants_applied_at_id_index ON merchants (applied_at, id)
    """,
    """
    CREATE INDEX merchants_winding_down_index ON merchants (id) WHERE winding_down
    """,
    """
    CREATE TABLE staff (
      merchant_id UUID NOT NULL,
      account_id UUID NOT NULL,
      role TEXT NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      CONSTRAINT staff_pkey PRIMARY KEY (merchant_id, account_id),
      CONSTRAINT staff_role_check CHECK (role IN ('owner', 'editor', 'fulfilment', 'analyst')),
      CONSTRAINT staff_merchant_id_key FOREIGN KEY(merchant_id) REFERENCES merchants (id),
      CONSTRAINT staff_account_id_key FOREIGN KEY(account_id) REFERENCES accounts (id)
    )
    """,
    """
    CREATE INDEX staff_of_account_index ON staff (account_id)
    """,
    """
    CREATE TABLE staff_invites (
      id UUID NOT NULL,
      merchant_id UUID NOT NULL,
      channel TEXT NOT NULL,
      address TEXT NOT NULL,
      role TEXT NOT NULL,
      invited_by UUID NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
      ended_at TIMESTAMP WITH TIME ZONE,
      accepted_by UUID,
      CONSTRAINT staff_invites_pkey PRIMARY KEY (id),
      CONSTRAINT staff_invites_channel_check CHECK (channel IN ('phone', 'email')),
      CONSTRAINT staff_invites_role_check CHECK (role IN ('owner', 'editor', 'fulfilment', 'analyst')),
      CONSTRAINT staff_invites_accepted_by_check CHECK (accepted_by IS NULL OR ended_at IS NOT NULL),
      CONSTRAINT staff_invites_merchant_id_key FOREIGN KEY(merchant_id) REFERENCES merchants (id)
    )
    """,
    """
    CREATE INDEX staff_invites_of_address_index ON staff_invites (channel, address)
    """,
    """
    CREATE INDEX staff_invites_of_merchant_index ON staff_invites (merchant_id, created_at)
    """,
    """
    CREATE INDEX staff_invites_accepted_index ON staff_invites (accepted_by) WHERE accepted_by IS NOT NULL
    """,
    """
    CREATE INDEX staff_invites_over_index ON staff_invites (coalesce(ended_at, expires_at))
    """,
    """
    CREATE UNIQUE INDEX staff_invites_open_index ON staff_invites (merchant_id, channel, address) WHERE ended_at IS NULL
    """,
    """
    CREATE TABLE api_keys (
      id UUID NOT NULL,
      merchant_id UUID NOT NULL,
      name TEXT NOT NULL,
      prefix TEXT NOT NULL,
      key_hash BYTEA NOT NULL,
      scopes TEXT[] NOT NULL,
      created_by UUID NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      expires_at TIMESTAMP WITH TIME ZONE,
      used_at TIMESTAMP WITH TIME ZONE,
      revoked_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT api_keys_pkey PRIMARY KEY (id),
      CONSTRAINT api_keys_merchant_id_key FOREIGN KEY(merchant_id) REFERENCES merchants (id),
      CONSTRAINT api_keys_prefix_unique UNIQUE (prefix)
    )
    """,
    """
    CREATE INDEX api_keys_of_merchant_index ON api_keys (merchant_id, created_at, id)
    """,
    """
    CREATE TABLE audit (
      id BIGINT GENERATED ALWAYS AS IDENTITY,
      at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
      actor_kind TEXT NOT NULL,
      actor_id UUID,
      merchant_id UUID,
      action TEXT NOT NULL,
      thing_kind TEXT NOT NULL,
      thing_id UUID NOT NULL,
      before JSONB,
      after JSONB,
      request_id TEXT,
      CONSTRAINT audit_pkey PRIMARY KEY (id),
      CONSTRAINT audit_actor_kind_check CHECK (
        actor_kind IN ('administrator', 'staff', 'api_key', 'operator', 'worker'))
    )
    """,
    """
    CREATE INDEX audit_of_merchant_index ON audit (merchant_id, id)
    """,
    """
    CREATE INDEX audit_of_thing_index ON audit (thing_id, id)
    """,
    """
    CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
