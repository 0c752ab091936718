"""Tidying: what lists are sorted by, answers nobody asks for again, what is over of codes, invites and visits."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

ROWS_AT_ONCE: Final = 1_000
DEALS_AT_ONCE: Final = 50
KEYS_KEPT_FOR_H: Final = 72
CODES_KEPT_FOR_H: Final = 24
SESSIONS_KEPT_FOR_H: Final = 30 * 24
"""After a session is over, or a refresh token is spent: one that comes again later is no more than unknown."""

STAFF_INVITES_KEPT_FOR_H: Final = 30 * 24
"""After one is accepted, withdrawn, replaced or has expired; with it goes where it went."""

VISITORS_KEPT_FOR_H: Final = 48
"""From the beginning of their day on."""

_POPULAR_NOW = text("""
  SELECT deal_id FROM deals JOIN variants ON variants.deal_id = deals.id
  GROUP BY deal_id, units_taken HAVING sum(stock - stock_left) <> units_taken ORDER BY deal_id""")
# In the order of ids, as every other lock of deals, so that nobody waits for us while we wait for him.
_REFRESH = text("""
  WITH locked AS MATERIALIZED (
    SELECT id FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE
  )
  UPDATE deals SET units_taken = (SELECT sum(stock - stock_left) FROM variants WHERE deal_id = deals.id)
  FROM locked WHERE deals.id = locked.id""")


def _deleting(table: str, moment: str) -> TextClause:
    """A statement that deletes some rows whose moment is so many hours in the past; others' locks hold nobody up."""
    # now(), the start of this transaction, is one moment for all rows: with clock_timestamp() no index is of use
    return text(f"""
      DELETE FROM {table} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM {table} WHERE {moment} < now() - make_interval(hours => :hours)
        ORDER BY {moment} LIMIT :rows_max FOR UPDATE SKIP LOCKED))""")  # noqa: S608 - names of ours


_FORGET_KEYS: Final = _deleting("idempotency_keys", "created_at")
_FORGET_CODES: Final = _deleting("sign_in_codes", "expires_at")
_FORGET_SPENT: Final = _deleting("refresh_tokens", "spent_at")
_FORGET_SESSIONS: Final = _deleting("sessions", "expires_at")
_FORGET_REVOCATIONS: Final = _deleting("revocations", "expires_at")
_FORGET_STAFF_INVITES: Final = _deleting("staff_invites", "coalesce(ended_at, expires_at)")
_FORGET_SALTS: Final = _deleting("visit_salts", "day")
_FORGET_VISITORS: Final = _deleting("visitors", "day")
_FORGET_ID_TOKENS: Final = _deleting("spent_id_tokens", "expires_at")


async def refresh_units_taken(engine: AsyncEngine) -> None:
    """Bring `deals.units_taken`, by which popular deals are found, up to date."""
    async with engine.connect() as connection:
        deal_ids = (await connection.execute(_POPULAR_NOW)).scalars().all()
    for part in _parts(deal_ids):
        async with engine.begin() as connection:
            await connection.execute(_REFRESH, {"deal_ids": part})


async def forget_old_keys(engine: AsyncEngine) -> int:
    """Delete idempotency keys that no retry will bring any more; answers how many."""
    return await _forget(engine, _FORGET_KEYS, KEYS_KEPT_FOR_H)


async def forget_old_codes(engine: AsyncEngine) -> int:
    """Delete what is left of codes a day after they expired, and with it where they went; answers how many."""
    return await _forget(engine, _FORGET_CODES, CODES_KEPT_FOR_H)


async def forget_old_staff_invites(engine: AsyncEngine) -> int:
    """Delete invites to a merchant's staff a month after they are over; answers how many."""
    return await _forget(engine, _FORGET_STAFF_INVITES, STAFF_INVITES_KEPT_FOR_H)


async def forget_old_visitors(engine: AsyncEngine) -> int:
    """Delete the salts of days before yesterday, and then the hashes that were made with them; answers how many."""
    await _forget(engine, _FORGET_SALTS, VISITORS_KEPT_FOR_H)
    return await _forget(engine, _FORGET_VISITORS, VISITORS_KEPT_FOR_H)


async def forget_old_sessions(engine: AsyncEngine) -> int:
    """Delete sessions and spent refresh tokens of long ago, revocations and id_tokens that have expired; how many."""
    return (
        await _forget(engine, _FORGET_SPENT, SESSIONS_KEPT_FOR_H)
        + await _forget(engine, _FORGET_SESSIONS, SESSIONS_KEPT_FOR_H)
        + await _forget(engine, _FORGET_REVOCATIONS, 0)
        + await _forget(engine, _FORGET_ID_TOKENS, 0)
    )


async def _forget(engine: AsyncEngine, statement: TextClause, hours: int) -> int:
    forgotten, last = 0, ROWS_AT_ONCE
    while last == ROWS_AT_ONCE:
        async with engine.begin() as connection:
            last = (await connection.execute(statement, {"hours": hours, "rows_max": ROWS_AT_ONCE})).rowcount
        forgotten += last
    return forgotten


def _parts(deal_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(deal_ids), DEALS_AT_ONCE):
        yield deal_ids[start : start + DEALS_AT_ONCE]
