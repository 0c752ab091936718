"""Payments as they are kept, looked up many at a time, and what is noted of them beside the decisions."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.gathering import Gathering
from infra.loading_sql import PAYMENT_COLUMNS
from infra.payments.port import GatewayPayment
from infra.reading.fetching import fetch_json
from infra.rows_money import PaymentRow
from infra.views import AwaitedPayment

_FIND = text(f"""
SELECT coalesce(json_agg(q), '[]')::text FROM (
  SELECT {PAYMENT_COLUMNS}, p.next_step FROM payments p WHERE p.order_id = ANY(CAST(:order_ids AS uuid[]))) q
""")  # noqa: S608 - a constant
_FIND_UNDECIDED = text(f"""
SELECT coalesce(json_agg(q), '[]')::text FROM (
  SELECT {PAYMENT_COLUMNS}, p.next_step FROM payments p
  WHERE p.order_id = ANY(CAST(:order_ids AS uuid[]))
    AND (p.status = 'awaiting' OR (p.status = 'lapsed' AND p.late_at IS NULL))) q
""")  # noqa: S608 - a constant
_NOTE = text("""
WITH noted AS (
  UPDATE payments SET reference = :reference, next_step = CAST(:next_step AS jsonb), looked_up_at = clock_timestamp()
  WHERE order_id = :order_id AND status = 'awaiting' RETURNING 1)
SELECT count(*)::text FROM noted
""")


class NextStep(msgspec.Struct, frozen=True):
    """What the app needs to finish a payment."""

    client_secret: str | None = None
    redirect_url: str | None = None


class NotedPayment(PaymentRow, frozen=True, kw_only=True):
    """A row of `payments` with what was noted of its shopper's step."""

    next_step: NextStep | None

    @property
    def awaited(self) -> AwaitedPayment:
        """What its shopper still has to do."""
        return awaited_payment(self, self.gateway, self.next_step)


_decode = msgspec.json.Decoder(list[NotedPayment]).decode


class ToBePaid(Protocol):
    """Whatever knows how much is to be paid, and until when."""

    @property
    def hold_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def pay_by(self) -> datetime: ...


def awaited_payment(payment: ToBePaid, gateway: str, step: NextStep | None) -> AwaitedPayment:
    """What a shopper still has to do at a gateway."""
    return AwaitedPayment(
        gateway=gateway,
        amount=payment.hold_minor,
        currency=payment.currency,
        pay_by=payment.pay_by,
        client_secret=step.client_secret if step else None,
        redirect_url=step.redirect_url if step else None,
    )


class PaymentRows:
    """Finds payments, and notes what a gateway said of one that its shopper has to finish."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._gathering = Gathering(self._fetch)
        self._undecided = Gathering(self._fetch_undecided)

    async def find(self, order_id: UUID) -> NotedPayment | None:
        """The payment of an order as it is now; raises `Unavailable`."""
        return await self._gathering.get(order_id)

    async def find_all(self, order_ids: Sequence[UUID]) -> dict[UUID, NotedPayment]:
        """The payments of these orders; raises `Unavailable`."""
        found = await asyncio.gather(*(self._gathering.get(order_id) for order_id in order_ids))
        return {row.order_id: row for row in found if row is not None}

    async def find_undecided(self, gateway: str, order_ids: Collection[UUID]) -> list[NotedPayment]:
        """Those among some orders of a gateway for which its word can still change something; raises `Unavailable`.

        It awaits, or its lapse may turn out to be paid. Of nearly all webhooks there are none: they are late news, so
        messages that come together are looked up together, each with all its orders.
        """
        found = await self._undecided.get(frozenset(order_ids))
        return [row for row in found or () if row.gateway == gateway]

    async def note(self, found: GatewayPayment) -> NextStep:
        """Keep what the app needs to finish a payment; one that is decided already stays as it is.

        Raises `Unavailable`; noting twice is no different.
        """
        step = NextStep(found.client_secret, found.redirect_url)
        values = {
            "order_id": found.order_id,
            "reference": found.reference,
            "next_step": msgspec.json.encode(step).decode(),
        }
        await fetch_json(self._engine, _NOTE, values)
        return step

    async def _fetch(self, order_ids: list[UUID]) -> dict[UUID, NotedPayment]:
        rows = _decode(await fetch_json(self._engine, _FIND, {"order_ids": order_ids}))
        return {row.order_id: row for row in rows}

    async def _fetch_undecided(self, asked: list[frozenset[UUID]]) -> dict[frozenset[UUID], list[NotedPayment]]:
        order_ids = list(frozenset().union(*asked))
        rows = _decode(await fetch_json(self._engine, _FIND_UNDECIDED, {"order_ids": order_ids}))
        return {of_one: [row for row in rows if row.order_id in of_one] for of_one in asked} if rows else {}
