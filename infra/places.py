"""A shopper's own places, looked up many at a time."""

from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.group import Place
from infra.changes import PlaceKey
from infra.gathering import Gathering
from infra.loading_sql import PAYMENT_COLUMNS, PLACE_COLUMNS
from infra.payments.payment_rows import NotedPayment
from infra.reading.fetching import fetch_json
from infra.rows import PlaceRow, place_from

_LOAD_PLACES = text(f"""
WITH asked AS (
  SELECT * FROM unnest(CAST(:deal_ids AS uuid[]), CAST(:shopper_ids AS uuid[]), CAST(:group_ids AS uuid[]))
    AS asked (deal_id, shopper_id, group_id))
SELECT json_build_object(
  'places', (SELECT json_agg(q) FROM (
    SELECT {PLACE_COLUMNS}
    FROM asked JOIN participants p ON p.deal_id = asked.deal_id AND p.shopper_id = asked.shopper_id
      AND p.group_id = asked.group_id) q),
  'reserved', (SELECT json_agg(q) FROM (
    SELECT {PAYMENT_COLUMNS}, p.next_step
    FROM asked JOIN payments p ON p.deal_id = asked.deal_id AND p.shopper_id = asked.shopper_id
      AND p.group_id = asked.group_id AND p.holds_units) q)
)::text
""")  # noqa: S608 - constants


class _Found(msgspec.Struct, frozen=True):
    places: list[PlaceRow] | None
    reserved: list[NotedPayment] | None


_decode = msgspec.json.Decoder(_Found).decode


class PlaceFinder:
    """Finds places; never remembers them, so that a shopper always sees his last join."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._gathering = Gathering(self._fetch)

    async def find(self, deal_id: UUID, group_id: UUID, shopper_id: UUID) -> Place | None:
        """The shopper's place in a group; raises `Unavailable`."""
        found = await self.find_any(deal_id, group_id, shopper_id)
        return found if isinstance(found, Place) else None

    async def find_any(self, deal_id: UUID, group_id: UUID, shopper_id: UUID) -> Place | NotedPayment | None:
        """The shopper's place in a group, or the payment one is reserved for; raises `Unavailable`."""
        return await self._gathering.get((deal_id, shopper_id, group_id))

    async def _fetch(self, keys: list[PlaceKey]) -> dict[PlaceKey, Place | NotedPayment]:
        deal_ids, shopper_ids, group_ids = (list(column) for column in zip(*keys, strict=True))
        asked = {"deal_ids": deal_ids, "shopper_ids": shopper_ids, "group_ids": group_ids}
        rows = _decode(await fetch_json(self._engine, _LOAD_PLACES, asked))
        found: dict[PlaceKey, Place | NotedPayment] = {}
        for reserved in rows.reserved or ():
            assert reserved.group_id is not None
            found[(reserved.deal_id, reserved.shopper_id, reserved.group_id)] = reserved
        for row in rows.places or ():
            found[(row.deal_id, row.shopper_id, row.group_id)] = place_from(row)
        return found
