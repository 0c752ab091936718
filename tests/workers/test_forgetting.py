"""Housekeeping: what nobody will ask for again is deleted, and nothing else."""

from tests.reading.shop import Shop
from tests.workers.ground_truth import number
from workers.duty import Context
from workers.housekeeping import ROWS_AT_ONCE, forget_old_codes, forget_old_sessions
from workers.reconciling import Reconciling

MADE = f"""
  INSERT INTO sign_in_codes (channel, address, salt, expires_at, used_at)
  SELECT 'phone', '+' || n, '', clock_timestamp() - n * interval '1 min', CASE n % 2 WHEN 0 THEN clock_timestamp() END
  FROM generate_series(-10, {24 * 60 + 2 * ROWS_AT_ONCE}) AS n"""
KEPT = "SELECT count(*) FROM sign_in_codes"


async def test_codes_are_forgotten_a_day_after_they_expired(context: Context, shop: Shop) -> None:
    """Where they went with them, whether they were used or not, in bounded batches; a second look finds nothing."""
    await shop.make(MADE)
    assert await forget_old_codes(context.by_key) == 2 * ROWS_AT_ONCE + 1
    assert await number(shop.engine, KEPT) == 24 * 60 + 10
    assert await number(shop.engine, KEPT + " WHERE expires_at < clock_timestamp() - interval '25 hours'") == 0
    assert await forget_old_codes(context.by_key) == 0


async def test_the_duty_forgets_them(context: Context, shop: Shop) -> None:
    """Nobody has to ask for it."""
    await shop.make(MADE)
    await Reconciling().step(context)
    assert await number(shop.engine, KEPT) == 24 * 60 + 10


SPENT = f"""
  INSERT INTO spent_id_tokens (fingerprint, expires_at)
  SELECT decode(md5(CAST(n AS text)), 'hex'), clock_timestamp() - n * interval '1 s'
  FROM generate_series(-10, {ROWS_AT_ONCE}) AS n"""


async def test_used_id_tokens_are_remembered_until_they_have_expired(context: Context, shop: Shop) -> None:
    """Before that one could be sent again; after it nobody asks."""
    await shop.make(SPENT)
    assert await forget_old_sessions(context.by_key) == ROWS_AT_ONCE + 1
    assert await number(shop.engine, "SELECT count(*) FROM spent_id_tokens") == 10
