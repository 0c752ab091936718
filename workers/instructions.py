"""Instructions: settlements and refunds that are due at a gateway, claimed so that two processes share them out.

A claim is committed before anything is asked of a gateway: `attempts` counts it, and `next_attempt_at` is its lease,
after which the instruction is anybody's again. Whoever died with it left `attempts` behind: the next one looks first.

Refunds of one order are made one after the other, in the order they were decided; one that was begun comes before all
others. So what the gateway has given back of the order so far says whether the one at hand was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.payment import PaymentStatus

LEASE_S = 60
"""Longer than an instruction can take: a look, three steps of at most `CALL_TIMEOUT_S` each, and the recording."""

_SETTLEMENTS = text("""
  WITH due AS MATERIALIZED (
    SELECT deal_id, order_id FROM settlements WHERE status = 'pending' AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT :rows_max FOR NO KEY UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE settlements s SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => :lease_s)
    FROM due WHERE s.deal_id = due.deal_id AND s.order_id = due.order_id
    RETURNING s.deal_id, s.order_id, s.capture_minor, s.attempts, s.created_at
  )
  SELECT p.deal_id, p.group_id, p.shopper_id, p.order_id, CAST(NULL AS uuid) AS refund_id, 0 AS refund_minor,
    claimed.capture_minor AS keep_minor, p.hold_minor, p.gateway, p.reference, p.status,
    p.late_at IS NOT NULL AS is_late, p.created_at, claimed.created_at AS decided_at, claimed.attempts,
    clock_timestamp() AS as_of
  FROM claimed JOIN payments p ON p.deal_id = claimed.deal_id AND p.order_id = claimed.order_id""")

_REFUNDS = text("""
  WITH due AS MATERIALIZED (
    SELECT deal_id, id FROM refunds r WHERE status = 'pending' AND next_attempt_at <= now()
      AND NOT EXISTS (
        SELECT FROM refunds other WHERE other.order_id = r.order_id AND other.id <> r.id AND NOT other.is_made
          AND (other.attempts = 0, other.created_at, other.id) < (r.attempts = 0, r.created_at, r.id))
    ORDER BY next_attempt_at LIMIT :rows_max FOR NO KEY UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE refunds r SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => :lease_s)
    FROM due WHERE r.deal_id = due.deal_id AND r.id = due.id
    RETURNING r.deal_id, r.order_id, r.id, r.amount_minor, r.attempts, r.created_at
  )
  SELECT p.deal_id, p.group_id, p.shopper_id, p.order_id, claimed.id AS refund_id, claimed.amount_minor AS refund_minor,
    o.captured_minor - claimed.amount_minor - coalesce((
      SELECT sum(made.amount_minor) FROM refunds made WHERE made.order_id = p.order_id AND made.is_made), 0)::bigint
      AS keep_minor,
    p.hold_minor, p.gateway, p.reference, p.status, p.late_at IS NOT NULL AS is_late,
    p.created_at, claimed.created_at AS decided_at, claimed.attempts, clock_timestamp() AS as_of
  FROM claimed
  JOIN orders o ON o.deal_id = claimed.deal_id AND o.id = claimed.order_id
  JOIN payments p ON p.deal_id = claimed.deal_id AND p.order_id = claimed.order_id""")

# By the number of the attempt as well: what somebody else has taken up since is his.
_NOTE = """
  UPDATE {table} SET last_error = failed.why,
    next_attempt_at = clock_timestamp() + make_interval(secs => failed.rest_s),
    status = CASE WHEN failed.is_last THEN 'dead' ELSE 'pending' END
  FROM unnest(
    CAST(:deal_ids AS uuid[]), CAST(:ids AS uuid[]), CAST(:attempts AS int[]), CAST(:whys AS text[]),
    CAST(:rests_s AS float[]), CAST(:are_last AS boolean[])) AS failed (deal_id, id, attempts, why, rest_s, is_last)
  WHERE {table}.deal_id = failed.deal_id AND {table}.{key} = failed.id AND {table}.attempts = failed.attempts
    AND {table}.status = 'pending'"""
_NOTE_SETTLEMENTS = text(_NOTE.format(table="settlements", key="order_id"))
_NOTE_REFUNDS = text(_NOTE.format(table="refunds", key="id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """So much of a payment is to be kept (`keep_minor`), the rest given back; as it was taken up at `as_of`.

    Of a refund `refund_id` is its id and `refund_minor` its amount, and what is kept is what is left after it.
    `status`, `is_late`, `created_at` and `reference` are the payment's; `decided_at` is since when it is to be done.
    """

    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    order_id: UUID
    refund_id: UUID | None
    refund_minor: int
    keep_minor: int
    hold_minor: int
    gateway: str
    reference: str | None
    status: PaymentStatus
    is_late: bool
    created_at: datetime
    decided_at: datetime
    attempts: int
    as_of: datetime

    @property
    def id(self) -> UUID:
        """The refund's, else the order's."""
        return self.refund_id or self.order_id


@dataclass(frozen=True, slots=True)
class Failure:
    """An instruction that could not be carried out: why, in one line, and when to try again, unless it was the last."""

    instruction: Instruction
    why: str
    rest_s: float
    is_last: bool


async def claim(engine: AsyncEngine, rows_max: int) -> list[Instruction]:
    """Take up what is due, the longest waiting first; refunds come first, and leave room for settlements."""
    async with engine.begin() as connection:
        claimed: list[Instruction] = []
        for statement, share in ((_REFUNDS, -(-rows_max // 2)), (_SETTLEMENTS, rows_max)):
            asked = {"rows_max": min(share, rows_max - len(claimed)), "lease_s": LEASE_S}
            rows = (await connection.execute(statement, asked)).mappings()
            claimed += [Instruction(**{**row, "status": PaymentStatus(row["status"])}) for row in rows]
        return claimed


async def note(engine: AsyncEngine, failures: Sequence[Failure]) -> None:
    """Write down why instructions wait; what was taken up anew since, or is over, stays as it is."""
    refunds = [failure for failure in failures if failure.instruction.refund_id is not None]
    settlements = [failure for failure in failures if failure.instruction.refund_id is None]
    async with engine.begin() as connection:
        for statement, of_kind in ((_NOTE_SETTLEMENTS, settlements), (_NOTE_REFUNDS, refunds)):
            if of_kind:
                await connection.execute(statement, _columns(of_kind))


def _columns(failures: Sequence[Failure]) -> dict[str, list[object]]:
    in_order = sorted(failures, key=lambda failure: failure.instruction.id)
    return {
        "deal_ids": [failure.instruction.deal_id for failure in in_order],
        "ids": [failure.instruction.id for failure in in_order],
        "attempts": [failure.instruction.attempts for failure in in_order],
        "whys": [failure.why for failure in in_order],
        "rests_s": [failure.rest_s for failure in in_order],
        "are_last": [failure.is_last for failure in in_order],
    }
