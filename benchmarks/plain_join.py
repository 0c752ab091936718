"""A join as one plain transaction on the driver itself: the ceiling of a lone join."""

import time
from typing import Any
from uuid import uuid4

import msgspec

from benchmarks.offers import Opened
from domain.groupbuy.events import ParticipantJoined
from infra.database import ALWAYS_BY_INDEX

CONNECTION_SETTINGS = {"jit": "off", "timezone": "UTC", **ALWAYS_BY_INDEX}

_LOCK = """
  SELECT g.participants, g.version, g.status, g.expires_at, g.terms, g.group_size_max, g.units_by_variant,
         v.stock_left, clock_timestamp() AS now
  FROM groups g JOIN variants v ON v.deal_id = g.deal_id
  WHERE g.deal_id = $1 AND g.id = $2 FOR UPDATE OF g, v"""
_UNITS_HELD = "SELECT group_id, quantity FROM participants WHERE deal_id = $1 AND shopper_id = $2"
_INSERT = """
  INSERT INTO participants (deal_id, shopper_id, group_id, variant_id, quantity, hold_minor, number, joined_at)
  VALUES ($1, $2, $3, $4, 1, 900, $5, $6)"""
_UPDATE_GROUP = """
  UPDATE groups SET participants = $3, version = $4, units_by_variant = $5::text::jsonb
  WHERE deal_id = $1 AND id = $2"""
_UPDATE_VARIANT = "UPDATE variants SET stock_left = $3 WHERE deal_id = $1 AND id = $2"
_TELL = """
  INSERT INTO outbox (deal_id, group_id, version, events, at)
  VALUES ($1, $2, $5, $3::text::json, $4)"""


async def join_plainly(connection: Any, group: Opened) -> float:  # noqa: ANN401 - asyncpg ships no types
    """How long a join of a new shopper takes, in seconds: lock, look, insert, update twice, tell, commit."""
    shopper_id = uuid4()
    begun_at = time.perf_counter()
    async with connection.transaction():
        row = await connection.fetchrow(_LOCK, group.deal_id, group.group_id)
        await connection.fetch(_UNITS_HELD, group.deal_id, shopper_id)
        participants, version, now = row["participants"] + 1, row["version"] + 1, row["now"]
        units = msgspec.json.encode({str(group.variant_id): participants}).decode()
        joined = ParticipantJoined(
            group_id=group.group_id,
            deal_id=group.deal_id,
            shopper_id=shopper_id,
            variant_id=group.variant_id,
            quantity=1,
            hold_minor=900,
            participants=participants,
            unit_price=900,
            invite_code=None,
            display_name=None,
            order_id=uuid4(),
            was_reserved=False,
            at=now,
        )
        events = f"[{msgspec.json.encode(joined).decode()}]"
        place = (group.deal_id, shopper_id, group.group_id, group.variant_id, version, now)
        await connection.execute(_INSERT, *place)
        await connection.execute(_UPDATE_GROUP, group.deal_id, group.group_id, participants, version, units)
        await connection.execute(_UPDATE_VARIANT, group.deal_id, group.variant_id, row["stock_left"] - 1)
        await connection.execute(_TELL, group.deal_id, group.group_id, events, now, version)
    return time.perf_counter() - begun_at
