"""Housekeeping of sessions and invites: what is long over goes, what lives or may still tell of a theft stays."""

import pytest

from infra.ids import new_id
from tests.reading.shop import Shop
from tests.workers.ground_truth import number
from workers.duty import Context
from workers.housekeeping import ROWS_AT_ONCE, forget_old_sessions
from workers.reconciling import Reconciling

ACCOUNT = "INSERT INTO accounts (id, status) VALUES (:account, 'full')"
# one for each day: the last of its life was n days ago
SESSIONS = """
  INSERT INTO sessions (id, account_id, expires_at)
  SELECT gen_random_uuid(), :account, clock_timestamp() - n * interval '1 day' FROM generate_series(-5, 34) AS n"""
UNSPENT = "INSERT INTO refresh_tokens (token_hash, session_id) SELECT uuid_send(id), id FROM sessions"
SPENT = """
  INSERT INTO refresh_tokens (token_hash, session_id, spent_at, successor_salt)
  SELECT uuid_send(gen_random_uuid()), session_id, clock_timestamp() - n * interval '1 h', ''
  FROM (SELECT id FROM sessions ORDER BY expires_at DESC LIMIT 1) AS living (session_id), generate_series(1, :n) AS n"""
REVOCATIONS = """
  INSERT INTO revocations (subject, issued_before, expires_at)
  SELECT gen_random_uuid(), clock_timestamp(), clock_timestamp() - n * interval '1 min'
  FROM generate_series(-100, 50) AS n"""

MERCHANT = "INSERT INTO merchants (id, name, contact, status) VALUES (:merchant, 'm', 'c', 'approved')"
# one for each day that has expired, or will, and one for each that ended early
INVITES = """
  INSERT INTO staff_invites (id, merchant_id, channel, address, role, invited_by, expires_at, ended_at)
  SELECT gen_random_uuid(), :merchant, 'email', n || coalesce(early, ''), 'editor', gen_random_uuid(),
    clock_timestamp() + (CASE WHEN early IS NULL THEN -n ELSE 1 END) * interval '1 day',
    CASE WHEN early IS NOT NULL THEN clock_timestamp() - n * interval '1 day' END
  FROM generate_series(-6, 39) AS n, (VALUES (NULL), ('early')) AS ended (early) WHERE early IS NULL OR n >= 0"""


async def test_what_is_over_of_sessions_goes(context: Context, shop: Shop) -> None:
    """Sessions a month after their end with their tokens, tokens a month after they were spent; the rest stays."""
    spent = 30 * 24 + 2 * ROWS_AT_ONCE
    account = new_id()
    await shop.make(ACCOUNT, account=account)
    await shop.make(SESSIONS, account=account)
    await shop.make(UNSPENT)
    await shop.make(SPENT, n=spent)
    assert await forget_old_sessions(context.by_key) == 5 + 2 * ROWS_AT_ONCE + 1
    assert await number(shop.engine, "SELECT count(*) FROM sessions") == 35
    assert await number(shop.engine, "SELECT count(*) FROM refresh_tokens") == 35 + 30 * 24 - 1
    assert await forget_old_sessions(context.by_key) == 0


@pytest.mark.usefixtures("hasty")
async def test_revocations_go_when_their_tokens_are_over(context: Context, shop: Shop) -> None:
    """Nobody has to ask for it, and none goes before."""
    await shop.make(REVOCATIONS)
    await Reconciling().step(context)
    assert await number(shop.engine, "SELECT count(*) FROM revocations") == 100


@pytest.mark.usefixtures("hasty")
async def test_invites_to_a_staff_go_a_month_after_they_are_over(context: Context, shop: Shop) -> None:
    """Accepted, withdrawn or expired: where they went is not kept for ever; open ones stay however old."""
    await shop.make(MERCHANT, merchant=shop.merchant_id)
    await shop.make(INVITES, merchant=shop.merchant_id)
    await Reconciling().step(context)
    left = "SELECT count(*) FROM staff_invites WHERE "
    assert await number(shop.engine, left + "ended_at IS NULL") == 36
    assert await number(shop.engine, left + "ended_at IS NOT NULL") == 30
