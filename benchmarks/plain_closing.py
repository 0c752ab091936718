"""Closing due groups with SQL alone, set by set: the ceiling of closing in bulk, without rules or counters."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from benchmarks.cannot_measure import CannotMeasure
from infra.settings import Settings

GROUPS_AT_ONCE = 1_000
LOOK_EVERY_S = 0.1
LIMIT_S = 120

_CLOSE = """
  WITH closed AS (
    UPDATE groups SET status = CASE WHEN participants < $2 THEN 'failed' ELSE 'succeeded' END, version = version + 1,
           closed_at = clock_timestamp(), closed_by = 'deadline', next_tier_at = NULL
    WHERE id = ANY($1::uuid[]) AND status = 'open' RETURNING deal_id, id, status, participants, version),
  given_back AS (
    UPDATE variants SET stock_left = stock_left + failed.units
    FROM (SELECT deal_id, sum(participants) AS units FROM closed WHERE status = 'failed' GROUP BY 1) AS failed
    WHERE variants.deal_id = failed.deal_id)
  INSERT INTO outbox (deal_id, group_id, version, events, at)
  SELECT deal_id, id, version, json_build_array(json_build_object('type', status, 'participants', participants)),
         clock_timestamp()
  FROM closed"""
_LEFT_TO_DO = """
  SELECT EXISTS (SELECT FROM outbox WHERE relayed_at IS NULL)
      OR EXISTS (SELECT FROM groups WHERE status <> 'open' AND settled_at IS NULL)"""


async def close_plainly(settings: Settings, group_ids: Sequence[str], tips_at: int) -> float:
    """How many groups a second, one transaction after the other; returns when the worker has settled them."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        begun_at = time.perf_counter()
        for start in range(0, len(group_ids), GROUPS_AT_ONCE):
            await connection.execute(_CLOSE, group_ids[start : start + GROUPS_AT_ONCE], tips_at)
        taken_s = time.perf_counter() - begun_at
        await _settled(connection)
        return len(group_ids) / taken_s
    finally:
        await connection.close()


async def _settled(connection: Any) -> None:  # noqa: ANN401 - asyncpg ships no types
    deadline = time.monotonic() + LIMIT_S
    while await connection.fetchval(_LEFT_TO_DO):
        if time.monotonic() > deadline:
            raise CannotMeasure(f"The worker has not settled and relayed what was closed within {LIMIT_S} s.")
        await asyncio.sleep(LOOK_EVERY_S)
