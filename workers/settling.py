"""Settlements: for each place of a closed group, what of its hold is captured and what is released.

Written in chunks after the closing, so that closing a group of a million costs what closing a group of two costs, and
no row stays locked for long. How far a group is settled is stored with the rows that were settled, so a crash at any
point loses and doubles nothing.
"""

import time
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.groupbuy.payment import SettlementStatus
from infra.loading_sql import GROUP_COLUMNS
from infra.rows import GroupRow, group_from
from workers.duty import Context, Duty

GROUPS_AT_ONCE = 1_000
PLACES_AT_ONCE = 5_000
LOOK_EVERY_S = 0.5
SPOILT_REMEMBERED_MAX = 10_000

_CLAIM = text(f"""
  SELECT row_to_json(claimed)::text, settled_through FROM (
    SELECT {GROUP_COLUMNS}, settled_through FROM groups
    WHERE status <> 'open' AND settled_at IS NULL AND id <> ALL(CAST(:spoilt AS uuid[]))
    ORDER BY closed_at LIMIT :groups_max
    FOR NO KEY UPDATE SKIP LOCKED) AS claimed""")  # noqa: S608 - the interpolated part is a constant

# Places are numbered in the order of joining, so "all after the last one settled" is where a chunk goes on.
_SETTLE = text("""
  WITH claimed AS (
    SELECT * FROM unnest(
      CAST(:deal_ids AS uuid[]), CAST(:group_ids AS uuid[]), CAST(:currencies AS text[]),
      CAST(:unit_prices AS bigint[]), CAST(:statuses AS text[]), CAST(:settled_through AS int[]),
      CAST(:places_max AS int[])
    ) AS claimed (deal_id, group_id, currency, unit_price, status, settled_through, places_max)
  ), chunk AS MATERIALIZED (
    SELECT claimed.*, place.* FROM claimed CROSS JOIN LATERAL (
      SELECT shopper_id, variant_id, quantity, hold_minor, number, order_id FROM participants
      WHERE participants.group_id = claimed.group_id AND number > claimed.settled_through
      ORDER BY number LIMIT claimed.places_max) AS place
  ), written AS (
    INSERT INTO settlements (deal_id, group_id, shopper_id, variant_id, quantity, currency, unit_price, hold_minor,
                             capture_minor, release_minor, created_at, order_id, status, done_at)
    SELECT deal_id, group_id, shopper_id, variant_id, quantity, currency, unit_price, hold_minor,
           coalesce(unit_price, 0) * quantity, hold_minor - coalesce(unit_price, 0) * quantity, clock_timestamp(),
           order_id, status, CASE WHEN status = 'done' THEN clock_timestamp() END
    FROM chunk
    ON CONFLICT DO NOTHING
  ), progress AS (
    SELECT group_id, max(number) AS settled_through, count(*) AS places FROM chunk GROUP BY group_id
  )
  UPDATE groups SET settled_through = coalesce(progress.settled_through, groups.settled_through),
    settled_at = CASE WHEN coalesce(progress.places, 0) < claimed.places_max THEN clock_timestamp() END
  FROM claimed LEFT JOIN progress USING (group_id)
  WHERE groups.deal_id = claimed.deal_id AND groups.id = claimed.group_id""")

_log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder(GroupRow).decode


class Settling:
    """Settles chunk after chunk; remembers groups that PostgreSQL refuses to settle, so that they hold up no other."""

    def __init__(self) -> None:
        self._spoilt: set[UUID] = set()

    async def step(self, context: Context) -> float:
        """Settle one chunk; answers how long to rest: as long as it took, as closings and joins come first."""
        began_at = time.monotonic()
        try:
            groups = await settle_chunk(context.by_key, self._spoilt)
        except IntegrityError:
            groups = await self._one_by_one(context.by_key)
        if not groups:
            return LOOK_EVERY_S
        context.wake("paying")
        return time.monotonic() - began_at

    async def _one_by_one(self, engine: AsyncEngine) -> int:
        """Find the groups that spoil a chunk: their rows break a promise, so a person must look at them."""
        for _ in range(GROUPS_AT_ONCE):
            claimed: list[UUID] = []
            try:
                if not await settle_chunk(engine, self._spoilt, groups_max=1, claimed=claimed):
                    break
            except IntegrityError as error:
                self._spoil(claimed, error)
        return 1

    def _spoil(self, group_ids: Iterable[UUID], error: IntegrityError) -> None:
        if len(self._spoilt) >= SPOILT_REMEMBERED_MAX:
            self._spoilt.clear()
        self._spoilt.update(group_ids)
        _log.error("group_cannot_be_settled", group_ids=[str(group_id) for group_id in group_ids], why=str(error.orig))


SETTLING = Duty("settling", 3, Settling().step)


async def settle_chunk(
    engine: AsyncEngine,
    spoilt: Iterable[UUID] = (),
    *,
    groups_max: int = GROUPS_AT_ONCE,
    places_max: int = PLACES_AT_ONCE,
    claimed: list[UUID] | None = None,
) -> int:
    """Settle up to `places_max` places of closed groups; answers of how many groups. `claimed` is told which."""
    async with engine.begin() as connection:
        found = await connection.execute(_CLAIM, {"spoilt": list(spoilt), "groups_max": groups_max})
        rows = [(_decode(document), settled_through) for document, settled_through in found.all()]
        if claimed is not None:
            claimed.extend(row.id for row, _ in rows)
        return await _settle(connection, rows, places_max)


async def _settle(connection: AsyncConnection, rows: Sequence[tuple[GroupRow, int]], places_max: int) -> int:
    columns: dict[str, list[object]] = {
        name: []
        for name in ("deal_ids", "group_ids", "currencies", "unit_prices", "statuses", "settled_through", "places_max")
    }
    for row, settled_through in rows:
        if places_max <= 0:
            break
        group = group_from(row)
        # Where no money is taken through Tuan, the settlement tells what is due and there is nothing to carry out.
        status = SettlementStatus.DONE if group.terms.payment is None else SettlementStatus.PENDING
        unit_price = group.final_unit_price
        values = (group.deal_id, group.id, group.terms.currency, unit_price, status, settled_through, places_max)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
        # A group with no place left still has its end to be written, so it counts as one.
        places_max -= max(group.participants, 1)
    if columns["group_ids"]:
        await connection.execute(_SETTLE, columns)
    return len(columns["group_ids"])
