"""The sandbox's books: requests that come at the same time are written, changed and read together, set by set.

While one statement is under way the next one collects; a request that is alone waits for nobody. So a payment costs
microseconds, and one gateway keeps up with the joins of a process.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from infra.database import ALWAYS_BY_INDEX, has_run_too_long, is_connection_lost, make_engine
from infra.gathering import Gathering
from infra.held_connection import HeldConnection
from infra.payments.port import GatewayRefused, GatewayUnavailable
from infra.payments.sandbox import books_sql as sql
from infra.payments.sandbox.booked import Booked, Opening, as_of, opened
from infra.payments.sandbox.messages import EVENTS_PER_MESSAGE_MAX
from infra.payments.sandbox.rules import Change, Happened, changed
from infra.settings import Settings
from infra.statement import Bound, json_text

CONNECTIONS_MAX = 4
STATEMENT_TIMEOUT_S = 4.0
"""A request waits for the statement under way and for its own: together less than a call may take."""
PAGE_PAYMENTS = 500


class Opened(msgspec.Struct, frozen=True):
    """The payment of an order, and whether this request made it."""

    payment: Booked
    is_new: bool


class _Made(msgspec.Struct, frozen=True):
    now: datetime
    there: list[UUID]


class _Found(msgspec.Struct, frozen=True):
    payments: list[Booked]
    now: datetime


_decode_made = msgspec.json.Decoder(_Made).decode
_decode_found = msgspec.json.Decoder(_Found).decode


class Books:
    """The provider's own database connections and what is done on them; everything raises GatewayUnavailable."""

    def __init__(self, settings: Settings) -> None:
        self._engine = make_engine(settings, "tuan sandbox", connections_max=CONNECTIONS_MAX, planner=ALWAYS_BY_INDEX)
        self._opening = Gathering(self._open_all)
        self._changing = Gathering(self._change_all)
        self._finding = Gathering(self._find_all)
        self._listing = asyncio.Lock()
        self._connections = [HeldConnection(self._engine) for _ in range(CONNECTIONS_MAX)]
        self._for_opening, self._for_changing, self._for_finding, self._for_listing = self._connections

    async def open(self, opening: Opening) -> Opened:
        """Book a payment, or find the one that its order has."""
        answer = await self._opening.get(opening)
        assert answer is not None, "every opening is answered"
        return answer

    async def change(self, change: Change) -> Booked:
        """Change a payment once for the key of the change; raises GatewayRefused."""
        answer = await self._changing.get(change)
        assert answer is not None, "every change is answered"
        if isinstance(answer, GatewayRefused):
            raise answer
        return answer

    async def find(self, order_id: UUID) -> Booked | None:
        """The payment of an order as it is now."""
        return await self._finding.get(order_id)

    async def between(self, begin: datetime, end: datetime) -> AsyncIterator[Booked]:
        """Payments made from `begin` on and before `end`, in the order they were made, a page at a time."""
        after: tuple[datetime, UUID] = (begin, UUID(int=0))
        while True:
            found = await self._page(after, end)
            for payment in found.payments:
                yield as_of(payment, found.now)
            if len(found.payments) < PAGE_PAYMENTS:
                return
            last = found.payments[-1]
            after = (last.created_at, last.order_id)

    async def close(self) -> None:
        """Give the connections back."""
        for connection in self._connections:
            await connection.let_go()
        await self._engine.dispose()

    async def _page(self, after: tuple[datetime, UUID], end: datetime) -> _Found:
        asked = {"after_at": after[0], "after_id": after[1], "end_at": end, "payments_max": PAGE_PAYMENTS}
        async with _answered(), self._listing:
            return _decode_found(await self._for_listing.statement(lambda driver: sql.PAGE.value(driver, asked)))

    async def _open_all(self, openings: list[Opening]) -> dict[Opening, Opened]:
        first: dict[UUID, Opening] = {}
        for opening in openings:
            first.setdefault(opening.order_id, opening)
        asked = {"asked": json_text(list(first.values()))}
        async with _answered():
            made = _decode_made(await self._for_opening.statement(lambda driver: sql.OPEN.value(driver, asked)))
        there = await self._find_each(made.there)
        answers: dict[Opening, Opened] = {}
        for opening in openings:
            earlier = there.get(opening.order_id)
            answers[opening] = (
                Opened(opened(first[opening.order_id], made.now), is_new=True)
                if earlier is None
                else Opened(earlier, is_new=False)
            )
        return answers

    async def _find_each(self, order_ids: list[UUID]) -> dict[UUID, Booked]:
        """Together with what others look for: their connection does one thing at a time."""
        found = await asyncio.gather(*(self._finding.get(order_id) for order_id in order_ids))
        return {payment.order_id: payment for payment in found if payment is not None}

    async def _find_all(self, order_ids: list[UUID]) -> dict[UUID, Booked]:
        asked = {"order_ids": order_ids}
        async with _answered():
            found = _decode_found(await self._for_finding.statement(lambda driver: sql.FIND.value(driver, asked)))
        return {payment.order_id: as_of(payment, found.now) for payment in found.payments}

    async def _change_all(self, changes: list[Change]) -> dict[Change, Booked | GatewayRefused]:
        answers: dict[Change, Booked | GatewayRefused] = {}

        async def work(driver: Any) -> list[Bound]:  # noqa: ANN401  asyncpg ships no types
            asked = {"order_ids": sorted({change.order_id for change in changes})}
            found = _decode_found(await sql.LOCK.value(driver, asked))
            answered, happened, after = _fold(found, changes)
            answers.update(answered)
            told = json_text(_parcels(happened))
            return [sql.CHANGE.bound(changed=json_text(after), told=told)] if happened else []

        async with _answered():
            await self._for_changing.transaction(work)
        return answers


def _fold(
    found: _Found, changes: Iterable[Change]
) -> tuple[dict[Change, Booked | GatewayRefused], list[Happened], list[Booked]]:
    """What each change is answered, what happened, and the payments that are different now."""
    now_booked = {payment.order_id: payment for payment in found.payments}
    answers: dict[Change, Booked | GatewayRefused] = {}
    happened: list[Happened] = []
    different: set[UUID] = set()
    for change in changes:
        before = now_booked.get(change.order_id)
        if before is None:
            answers[change] = GatewayRefused("no_such_payment", "The sandbox has no such payment.")
            continue
        try:
            after, events = changed(before, change, found.now)
        except GatewayRefused as refused:
            answers[change] = refused
            continue
        answers[change] = now_booked[change.order_id] = after
        if events:
            different.add(change.order_id)
            happened.extend(events)
    return answers, happened, [now_booked[order_id] for order_id in different]


def _parcels(happened: list[Happened]) -> list[list[Happened]]:
    starts = range(0, len(happened), EVENTS_PER_MESSAGE_MAX)
    return [happened[start : start + EVENTS_PER_MESSAGE_MAX] for start in starts]


@asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    """GatewayUnavailable for whatever leaves open what happened."""
    try:
        async with asyncio.timeout(STATEMENT_TIMEOUT_S):
            yield
    except (DBAPIError, NoFreeConnection, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if isinstance(error, NoFreeConnection) or is_connection_lost(error) or has_run_too_long(error):
            raise GatewayUnavailable("The sandbox's books gave no answer in time.") from error
        raise
