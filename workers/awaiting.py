"""Payments that are awaited: places come free at their deadline, and approvals nobody told us of are found.

Two duties, because a gateway that answers slowly must not keep places from coming free.
"""

import time
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import LapsePayment
from domain.groupbuy.payment import LapsedBecause
from workers.duty import Context, Duty
from workers.telling import Telling

LAPSED_AT_ONCE = 500
LOOK_EVERY_S = 0.5
AFTER_DEADLINE_S = 0.001
"""A timer may fire a little early; looking again right then would find nothing due."""
LOOK_AGAIN_S = 0.25
"""Something due could not lapse: the others must not wait for its next turn."""

LOOK_UPS_AT_ONCE = 50
FIRST_LOOK_UP_S = 5.0
"""By then an approval has been heard of, as a rule: by its answer or by a webhook."""
LOOK_UP_EVERY_S_MAX = 60.0
LAST_LOOK_UP_S = 10.0
"""So long before its deadline a payment is looked up once more: who has paid in time must not lose the place."""
REST_PER_SEARCH = 10
"""Rests are so many times as long as the search for the next ones took: it reads every payment that is awaited."""

_COLUMNS = "p.deal_id, p.group_id, p.shopper_id, p.order_id, p.pay_by"
_PAGE = "AND (p.pay_by, p.order_id) > (:after, :after_id) ORDER BY p.pay_by, p.order_id LIMIT :rows_max"
_OVERDUE = text(f"""
  SELECT {_COLUMNS} FROM payments p WHERE p.status = 'awaiting' AND p.pay_by <= now() {_PAGE}""")  # noqa: S608 - constants
_OF_CLOSED_GROUPS = text(f"""
  SELECT {_COLUMNS} FROM groups g JOIN payments p ON p.group_id = g.id AND p.status = 'awaiting'
  WHERE g.status <> 'open' AND g.awaiting > 0 {_PAGE}""")  # noqa: S608 - constants
_SECONDS_TO_DEADLINE = text("""
  SELECT extract(epoch FROM min(pay_by) - clock_timestamp())::float FROM payments WHERE status = 'awaiting'""")

# Noted before the look-up, so that two processes share them out and one that dies delays only what it had taken.
_TAKE_UP = text("""
  WITH awaited AS MATERIALIZED (
    SELECT deal_id, order_id, created_at, pay_by, coalesce(looked_up_at, created_at) AS looked_at
    FROM payments WHERE status = 'awaiting'
  ), due AS MATERIALIZED (
    SELECT deal_id, order_id FROM awaited
    WHERE looked_at + greatest(make_interval(secs => :first_s),
                               least(looked_at - created_at, make_interval(secs => :every_s_max))) <= now()
      OR (pay_by <= now() + make_interval(secs => :last_s) AND looked_at < pay_by - make_interval(secs => :last_s))
    ORDER BY looked_at LIMIT :rows_max
  ), locked AS MATERIALIZED (
    SELECT p.deal_id, p.order_id FROM payments p JOIN due ON p.deal_id = due.deal_id AND p.order_id = due.order_id
    WHERE p.status = 'awaiting' FOR NO KEY UPDATE OF p SKIP LOCKED
  )
  UPDATE payments p SET looked_up_at = now() FROM locked
  WHERE p.deal_id = locked.deal_id AND p.order_id = locked.order_id
  RETURNING p.order_id""")


class Due(NamedTuple):
    """A payment that is to lapse; its deadline and order are its place in the order of the sweep."""

    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    order_id: UUID
    pay_by: datetime


_BEGINNING = Due(UUID(int=0), None, UUID(int=0), UUID(int=0), datetime(1970, 1, 1, tzinfo=UTC))


class Lapsing:
    """Frees the places of payments that did not come in time, or whose group has closed."""

    def __init__(self) -> None:
        self._telling = Telling()

    async def step(self, context: Context) -> float:
        """Let everything lapse that is due; answers the time until the next deadline."""
        lapsed = await self._lapse(context, _OVERDUE) + await self._lapse(context, _OF_CLOSED_GROUPS)
        async with context.by_key.connect() as connection:
            deadline_s: float | None = (await connection.execute(_SECONDS_TO_DEADLINE)).scalar_one()
        if deadline_s is None:
            return LOOK_EVERY_S
        if deadline_s <= 0:  # one came meanwhile, or one could not lapse
            return 0 if lapsed else LOOK_AGAIN_S
        return min(deadline_s + AFTER_DEADLINE_S, LOOK_EVERY_S)

    async def _lapse(self, context: Context, which: TextClause) -> int:
        """Answers how many lapsed; one that cannot holds up none behind it."""
        lapsed, last = 0, _BEGINNING
        while due := await _due_after(context.by_key, which, last):
            last = due[-1]
            lapsed += await self._telling.tell(context, [(_lapse_of(payment), payment.deal_id) for payment in due])
        return lapsed


async def look_up(context: Context) -> float:
    """Ask the gateways about payments nothing was heard of for a while; answers how long to rest.

    Raises what kept one of them from being dealt with, after all the others were.
    """
    began_at = time.monotonic()
    order_ids = await _take_up(context.by_key)
    rest_s = max(LOOK_EVERY_S, REST_PER_SEARCH * (time.monotonic() - began_at))
    rows = await context.runtime.payments.find_all(order_ids) if order_ids else {}
    await context.runtime.checkout.look_all(rows.values())
    return rest_s


LAPSING = Duty("lapsing", 6, Lapsing().step)
LOOKING_UP = Duty("looking_up", 7, look_up)


async def _due_after(engine: AsyncEngine, which: TextClause, last: Due) -> list[Due]:
    page = {"after": last.pay_by, "after_id": last.order_id, "rows_max": LAPSED_AT_ONCE}
    async with engine.connect() as connection:
        return [Due(*row) for row in await connection.execute(which, page)]


def _lapse_of(due: Due) -> LapsePayment:
    """What the clock says; whether its group has closed the decision sees for itself."""
    return LapsePayment(
        deal_id=due.deal_id,
        group_id=due.group_id,
        shopper_id=due.shopper_id,
        order_id=due.order_id,
        because=LapsedBecause.DEADLINE,
    )


async def _take_up(engine: AsyncEngine) -> list[UUID]:
    asked = {
        "first_s": FIRST_LOOK_UP_S,
        "every_s_max": LOOK_UP_EVERY_S_MAX,
        "last_s": LAST_LOOK_UP_S,
        "rows_max": LOOK_UPS_AT_ONCE,
    }
    async with engine.begin() as connection:
        return list((await connection.execute(_TAKE_UP, asked)).scalars())
