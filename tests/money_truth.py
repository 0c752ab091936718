"""What must be true of all money once everything has come to rest: our rows, our ledger and the sandbox's books.

`come_to_rest` lets every deadline come and everything be done that was decided; `money_is_true` then holds the laws
against the whole database. A gateway may have misbehaved in any way; only what it has in its books counts.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.money_laws import BROKEN_AT_REST, BROKEN_EVER
from tests.workers.paying_shop import carry_out
from workers.awaiting import Lapsing
from workers.closing import Closing
from workers.duty import Context
from workers.truth import deals_after, differences_in

ROUNDS_MAX = 10
NAMED_MAX = 5

_LET_DEADLINES_COME = (
    "UPDATE payments SET pay_by = clock_timestamp() WHERE status = 'awaiting' AND pay_by > clock_timestamp()",
    "UPDATE groups SET expires_at = clock_timestamp() WHERE status = 'open' AND expires_at > clock_timestamp()",
)
_LET_LEASES_PASS = (
    """
    UPDATE settlements SET status = 'pending', attempts = least(attempts, 1),
      created_at = created_at - interval '1 hour', next_attempt_at = clock_timestamp() - interval '1 ms'
    WHERE status IN ('pending', 'dead')""",
    """
    UPDATE refunds SET status = 'pending', attempts = least(attempts, 1),
      next_attempt_at = clock_timestamp() - interval '1 ms' WHERE NOT is_made""",
)
_UNDONE = text("""
  SELECT (SELECT count(*) FROM payments WHERE status = 'awaiting')
    + (SELECT count(*) FROM settlements WHERE status IN ('pending', 'dead'))
    + (SELECT count(*) FROM refunds WHERE NOT is_made)
    + (SELECT count(*) FROM groups
       WHERE CASE status WHEN 'open' THEN expires_at <= clock_timestamp() ELSE settled_at IS NULL END)""")


async def let_leases_pass(engine: AsyncEngine) -> None:
    """Whatever was decided is due, as if it had been decided long ago."""
    await _make(engine, _LET_LEASES_PASS)


async def undone(engine: AsyncEngine) -> int:
    """How much is still to be done: payments awaited, settlements and refunds that pend, groups to close."""
    async with engine.connect() as connection:
        return int((await connection.execute(_UNDONE)).scalar_one())


async def come_to_rest(context: Context) -> None:
    """Let every deadline come and do whatever is to be done, until nothing is left; no gateway may be away now.

    A person's part is done too: what is dead is tried again.
    """
    await _make(context.by_key, _LET_DEADLINES_COME)
    for _ in range(ROUNDS_MAX):
        await Closing().step(context)
        await Lapsing().step(context)
        await carry_out(context)
        if not await undone(context.by_key):
            return
        await let_leases_pass(context.by_key)
    message = f"it does not come to rest: after {ROUNDS_MAX} rounds {await undone(context.by_key)} are still to be done"
    raise AssertionError(message)


async def money_is_true(engine: AsyncEngine, *, is_at_rest: bool = True) -> None:
    """Every law holds, and what is counted as it goes is what counting anew gives."""
    broken = await broken_money_laws(engine, is_at_rest=is_at_rest)
    assert not broken, broken
    differences = await differences_in(engine, await _deal_ids(engine))
    assert not differences, differences


async def broken_money_laws(engine: AsyncEngine, *, is_at_rest: bool = True) -> dict[str, list[str]]:
    """The laws that do not hold, each with a few of those that break it; all of them are looked at in one moment."""
    async with engine.connect() as connection:
        rows = (await connection.execute(BROKEN_AT_REST if is_at_rest else BROKEN_EVER)).all()
    broken: dict[str, list[str]] = {}
    for law, of in rows:
        broken.setdefault(law, []).append(of)
    return {law: those[:NAMED_MAX] for law, those in broken.items()}


async def _deal_ids(engine: AsyncEngine) -> Sequence[UUID]:
    found: list[UUID] = []
    while page := await deals_after(engine, found[-1] if found else UUID(int=0)):
        found += [deal_id for deal_id, _ in page]
    return found


async def _make(engine: AsyncEngine, statements: Sequence[str]) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
