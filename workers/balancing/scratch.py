"""What a run remembers of its work: temporary tables, so that any number of payments takes no memory here."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.payments.port import GatewayPayment

_BEGINNING = UUID(int=0)

_MAKE = (
    """
    CREATE TEMPORARY TABLE balancing_listed (
      part integer, order_id uuid, reference text, payment jsonb NOT NULL, PRIMARY KEY (part, order_id, reference))
    """,
    "CREATE TEMPORARY TABLE balancing_seen (order_id uuid, reference text, PRIMARY KEY (order_id, reference))",
    """
    CREATE TEMPORARY TABLE balancing_wanted (
      order_id uuid PRIMARY KEY, gateway text NOT NULL, reference text, status text NOT NULL,
      created_at timestamptz NOT NULL)
    """,
)
_LIST = text("""
  INSERT INTO balancing_listed
  SELECT :part, * FROM unnest(CAST(:order_ids AS uuid[]), CAST(:references AS text[]), CAST(:payments AS jsonb[]))
  ON CONFLICT DO NOTHING""")
_LISTED = text("""
  SELECT coalesce(json_agg(payment), '[]')::text FROM (
    SELECT payment FROM balancing_listed
    WHERE part = :part AND (order_id, reference) > (:after, :after_reference)
    ORDER BY order_id, reference LIMIT :payments_max) AS page""")
_TELL_SEEN = text("""
  INSERT INTO balancing_seen SELECT * FROM unnest(CAST(:order_ids AS uuid[]), CAST(:references AS text[]))
  ON CONFLICT DO NOTHING""")
# What is not finished, or was since; a day's run reads these tables once, so no index needs to serve it.
_WANT_CHANGED = text("""
  INSERT INTO balancing_wanted
  SELECT p.order_id, p.gateway, p.reference, p.status, p.created_at
  FROM payments p LEFT JOIN settlements s ON s.deal_id = p.deal_id AND s.order_id = p.order_id
  WHERE p.created_at >= :since OR p.status IN ('awaiting', 'held') OR s.order_id IS NULL
    OR s.status IN ('pending', 'dead') OR s.done_at >= :since
    OR p.order_id IN (SELECT order_id FROM refunds WHERE status <> 'done' OR made_at >= :since)""")
_WANT_LISTED = text("""
  INSERT INTO balancing_wanted
  SELECT order_id, gateway, reference, status, created_at FROM payments WHERE created_at >= :begin
  ON CONFLICT DO NOTHING""")
_OLDEST = text("SELECT min(created_at) FROM balancing_wanted")
_GATEWAYS = text("""
  SELECT gateway FROM balancing_wanted UNION SELECT gateway FROM merchant_payments WHERE gateway IS NOT NULL""")
# Awaited ones are the sweep's to look up; those that have ended are looked up only where no gateway listed them.
_PAGE = text("""
  SELECT w.order_id, w.gateway,
    w.status <> 'awaiting' AND (w.status IN ('held', 'captured') OR w.created_at < :begin) AND NOT EXISTS (
      SELECT FROM balancing_seen s
      WHERE s.order_id = w.order_id AND (w.reference IS NULL OR s.reference = w.reference)) AS is_unseen
  FROM balancing_wanted w WHERE w.order_id > :after ORDER BY w.order_id LIMIT :orders_max""")


_decode = msgspec.json.Decoder(list[GatewayPayment]).decode


class Wanted(NamedTuple):
    """An order to compare; `is_unseen`: its gateway has not listed its payment."""

    order_id: UUID
    gateway: str
    is_unseen: bool


class Scratch:
    """The temporary tables of one run, on a connection of its own."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def list_payments(self, part: int, payments: Sequence[GatewayPayment]) -> None:
        """Keep what a gateway lists; listed again it is kept once."""
        values = {
            **_named(payments),
            "part": part,
            "payments": [msgspec.json.encode(payment).decode() for payment in payments],
        }
        await self.connection.execute(_LIST, values)

    async def listed(self, part: int, payments_at_once: int) -> AsyncIterator[list[GatewayPayment]]:
        """What gateways have listed in a part, page by page."""
        after, after_reference = _BEGINNING, ""
        while True:
            asked = {"part": part, "after": after, "after_reference": after_reference, "payments_max": payments_at_once}
            page = _decode((await self.connection.execute(_LISTED, asked)).scalar_one())
            if not page:
                return
            yield page
            after, after_reference = page[-1].order_id, page[-1].reference

    async def tell_seen(self, payments: Sequence[GatewayPayment]) -> None:
        """A gateway has listed these, each the one we know its order's money by."""
        await self.connection.execute(_TELL_SEEN, _named(payments))

    async def want_changed(self, since: datetime) -> datetime | None:
        """Take note of every payment that is unfinished or changed since; answers when the oldest of them was made."""
        await self.connection.execute(_WANT_CHANGED, {"since": since})
        oldest_at: datetime | None = (await self.connection.execute(_OLDEST)).scalar_one()
        return oldest_at

    async def want_listed(self, begin: datetime) -> None:
        """Take note of every other payment that the gateways are going to list."""
        await self.connection.execute(_WANT_LISTED, {"begin": begin})
        await self.connection.execute(text("ANALYZE balancing_wanted"))

    async def gateways(self) -> set[str]:
        """Whose payments there are, or may be."""
        return set((await self.connection.execute(_GATEWAYS)).scalars())

    async def wanted(self, begin: datetime, orders_at_once: int) -> AsyncIterator[Sequence[Wanted]]:
        """What was taken note of, page by page; payments are listed from `begin` on."""
        after = _BEGINNING
        while True:
            asked = {"begin": begin, "after": after, "orders_max": orders_at_once}
            page = [Wanted(*row) for row in await self.connection.execute(_PAGE, asked)]
            if not page:
                return
            yield page
            after = page[-1].order_id


@asynccontextmanager
async def scratch(engine: AsyncEngine) -> AsyncIterator[Scratch]:
    """Empty tables; they are gone with the connection."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        try:
            for statement in _MAKE:
                await connection.execute(text(statement))
            yield Scratch(connection)
        finally:
            await connection.invalidate()


def _named(payments: Sequence[GatewayPayment]) -> dict[str, object]:
    return {
        "order_ids": [payment.order_id for payment in payments],
        "references": [payment.reference for payment in payments],
    }
