"""A shopper's own places, looked up many at a time."""

from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.group import Place
from infra.changes import PlaceKey
from infra.gathering import Gathering
from infra.loading import PLACE_COLUMNS
from infra.reading.fetching import fetch_json
from infra.rows import PlaceRow, place_from

_LOAD_PLACES = text(f"""
SELECT coalesce(json_agg(q), '[]')::text FROM (
  SELECT {PLACE_COLUMNS}
  FROM unnest(CAST(:deal_ids AS uuid[]), CAST(:shopper_ids AS uuid[]), CAST(:group_ids AS uuid[]))
    AS asked (deal_id, shopper_id, group_id)
  JOIN participants p ON p.deal_id = asked.deal_id AND p.shopper_id = asked.shopper_id
    AND p.group_id = asked.group_id) q
""")  # noqa: S608 - a constant
_decode = msgspec.json.Decoder(list[PlaceRow]).decode


class PlaceFinder:
    """Finds places; never remembers them, so that a shopper always sees his last join."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._gathering = Gathering(self._fetch)

    async def find(self, deal_id: UUID, group_id: UUID, shopper_id: UUID) -> Place | None:
        """The shopper's place in a group; raises `Unavailable`."""
        return await self._gathering.get((deal_id, shopper_id, group_id))

    async def _fetch(self, keys: list[PlaceKey]) -> dict[PlaceKey, Place]:
        deal_ids, shopper_ids, group_ids = (list(column) for column in zip(*keys, strict=True))
        asked = {"deal_ids": deal_ids, "shopper_ids": shopper_ids, "group_ids": group_ids}
        rows = _decode(await fetch_json(self._engine, _LOAD_PLACES, asked))
        return {(row.deal_id, row.shopper_id, row.group_id): place_from(row) for row in rows}
