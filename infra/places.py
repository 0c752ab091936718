"""A shopper's own places, looked up many at a time."""

from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.group import Place
from infra.gathering import Gathering
from infra.loading import PLACE_COLUMNS
from infra.rows import PlaceRow, place_from
from infra.unavailable import DatabaseUnavailable

PlaceKey = tuple[UUID, UUID, UUID]
"""Deal, shopper, group."""

_LOAD_PLACES = text(f"""
SELECT json_agg(q)::text FROM (
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
        """The shopper's place in a group; raises `DatabaseUnavailable`."""
        return await self._gathering.get((deal_id, shopper_id, group_id))

    async def _fetch(self, keys: list[PlaceKey]) -> dict[PlaceKey, Place]:
        deal_ids, shopper_ids, group_ids = (list(column) for column in zip(*keys, strict=True))
        asked = {"deal_ids": deal_ids, "shopper_ids": shopper_ids, "group_ids": group_ids}
        try:
            async with self._engine.connect() as connection:
                column: str | None = (await connection.execute(_LOAD_PLACES, asked)).scalar_one()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise DatabaseUnavailable from error
        rows = _decode(column) if column else []
        return {(row.deal_id, row.shopper_id, row.group_id): place_from(row) for row in rows}
