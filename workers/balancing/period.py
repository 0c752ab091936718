"""Since when gateways and books are to be compared: since the last run that compared everything and left nothing open.

Whatever stays different keeps the period from moving on, so it is found again by every run until it is gone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

OVERLAP = timedelta(hours=1)
"""For clocks that differ, and for what was under way when the last run looked."""
PAYMENTS_AGE_MAX = timedelta(days=40)
"""Payments that were made earlier are not listed by the gateways again; those that changed since are looked up singly.

Longer than any hold lives, so that a payment that only holds money is always listed.
"""
EVERYTHING = datetime(2000, 1, 1, tzinfo=UTC)

_LAST = text("""
  SELECT clock_timestamp() AS now,
    (SELECT max(began_at) FROM reconciliations WHERE differences = repaired) AS clean_at,
    (SELECT min(changed_since) FROM reconciliations AS unclean WHERE differences > repaired AND NOT EXISTS (
      SELECT FROM reconciliations AS later WHERE later.began_at > unclean.began_at
        AND later.differences = later.repaired AND later.changed_since <= unclean.changed_since)) AS open_since""")
_RECORD = text("""
  INSERT INTO reconciliations (began_at, ended_at, changed_since, payments, differences, repaired)
  VALUES (:began_at, clock_timestamp(), :changed_since, :payments, :differences, :repaired)""")
# Before the first run the day is counted from the first money that came.
_DUE_IN_S = text("""
  SELECT extract(epoch FROM last.at - clock_timestamp() + make_interval(hours => :every_h))::float
  FROM (SELECT coalesce((SELECT max(began_at) FROM reconciliations), (SELECT at FROM ledger ORDER BY id LIMIT 1)) AS at
  ) AS last""")


@dataclass(frozen=True, slots=True)
class Period:
    """What changed since `changed_since` is compared; nothing before `earliest` is listed. `now` is the database's.

    `is_whole`: nothing that ought to be compared is left out.
    """

    changed_since: datetime
    earliest: datetime
    now: datetime
    is_whole: bool

    def listed_since(self, oldest_changed_at: datetime | None) -> datetime:
        """From when on the gateways list their payments: from the oldest on that changed."""
        oldest_at = min(self.changed_since, oldest_changed_at or self.changed_since)
        return max(oldest_at, self.earliest)


async def period_since(connection: AsyncConnection, since: datetime | None) -> Period:
    """The period to compare: from the moment named, or since the last run that left nothing open."""
    now, clean_at, open_since = (await connection.execute(_LAST)).one()
    due_since: datetime = EVERYTHING if clean_at is None else clean_at - OVERLAP
    earliest = now - PAYMENTS_AGE_MAX
    if open_since is not None:
        due_since = min(due_since, open_since)
        earliest = min(earliest, open_since) if open_since > EVERYTHING else earliest
    if since is None:
        return Period(due_since, earliest, now, is_whole=True)
    return Period(since, min(since, earliest), now, is_whole=since <= due_since)


async def record(connection: AsyncConnection, period: Period, payments: int, differences: int, repaired: int) -> None:
    """Note that everything was compared."""
    values = {
        "began_at": period.now,
        "changed_since": period.changed_since,
        "payments": payments,
        "differences": differences,
        "repaired": repaired,
    }
    await connection.execute(_RECORD, values)


async def due_in_s(connection: AsyncConnection, every_h: int) -> float | None:
    """How long until the next run is due, below zero where it is; None where no money came yet."""
    seconds: float | None = (await connection.execute(_DUE_IN_S, {"every_h": every_h})).scalar_one()
    return seconds
