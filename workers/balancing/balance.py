"""One run: the gateways' payments against our rows, our rows against the gateways, our rows against each other."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.payments.gateways import NONE
from infra.payments.port import GatewayPayment, PaymentGateway
from infra.runtime import Runtime
from workers.balancing.books import judge_books
from workers.balancing.difference import Outcome, Repair, What
from workers.balancing.groups import group_differences, groups_since
from workers.balancing.judging import is_another, judge
from workers.balancing.looking import Sure, Suspect, answered, look_again
from workers.balancing.ours import read_ours
from workers.balancing.period import Period, period_since, record
from workers.balancing.repairing import repair_all
from workers.balancing.scratch import Scratch, Wanted, scratch

PAYMENTS_AT_ONCE = 500
LISTED_AT_ONCE = timedelta(days=1)
OUTCOMES_NAMED_MAX = 1_000
# A run reads tables whole, which may take longer than a request is allowed to.
STATEMENT_TIMEOUT_MS = 600_000

_GIVE_BACK = "`tuan reconcile` gives it back; after restoring a backup think twice"

Progress = Callable[[str, int], None]
"""Hears what was compared, and how many of them so far."""


@dataclass(slots=True)
class Balance:
    """What a run found: how much it compared, how many differences there were and are, and the first of them by name.

    `remaining` are those that are still there: a person's, or in a dry run all of them.
    """

    payments: int = 0
    orders: int = 0
    groups: int = 0
    found: int = 0
    remaining: int = 0
    named: list[Outcome] = field(default_factory=list)

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """Add differences."""
        for outcome in outcomes:
            self.found += 1
            self.remaining += not outcome.is_repaired
            if len(self.named) < OUTCOMES_NAMED_MAX:
                self.named.append(outcome)


async def balance(
    runtime: Runtime,
    *,
    since: datetime | None = None,
    is_dry: bool = False,
    gives_back_unknown: bool = True,
    on_progress: Progress = lambda _what, _done: None,
) -> Balance:
    """Compare everything since a moment, or since the last run that left no difference, and mend what is certain.

    Not `gives_back_unknown`: money of payments we have no row of stays where it is, and is named.

    Raises `GatewayUnavailable`, `CannotStart` for a gateway that is not set up, and what a lost database raises; then
    nothing is recorded, and the next run compares the same again.
    """
    async with _engines(runtime) as (patient, by_key), scratch(patient) as notes:
        period = await period_since(notes.connection, since)
        run = _Run(
            runtime=runtime,
            engine=by_key,
            notes=notes,
            period=period,
            is_dry=is_dry,
            gives_back_unknown=gives_back_unknown,
            on_progress=on_progress,
        )
        begin = await run.compare_payments()
        await run.compare_groups(patient, begin)
        found = run.balance
        if period.is_whole and not is_dry:
            await record(notes.connection, period, found.payments, found.found, found.found - found.remaining)
    return found


@dataclass(slots=True, kw_only=True)
class _Run:
    runtime: Runtime
    engine: AsyncEngine
    notes: Scratch
    period: Period
    is_dry: bool
    gives_back_unknown: bool
    on_progress: Progress
    balance: Balance = field(default_factory=Balance)

    async def compare_payments(self) -> datetime:
        """Compare what gateways and rows say of each payment; answers from when on gateways have listed theirs."""
        oldest_at = await self.notes.want_changed(self.period.changed_since)
        begin = self.period.listed_since(oldest_at)
        await self.notes.want_listed(begin)
        names = await self.notes.gateways() | {self.runtime.settings.payment_gateway}
        part = 0
        for name in sorted(names - {NONE}):
            gateway = self.runtime.gateways.get(name)
            for start, end in _parts(begin, self.period.now):
                part += 1
                await self._compare_listed(gateway, part, start, end)
        async for page in self.notes.wanted(begin, PAYMENTS_AT_ONCE):
            await self._compare_wanted(page)
        return begin

    async def compare_groups(self, engine: AsyncEngine, begin: datetime) -> None:
        """Compare what groups keep with their rows."""
        async for group_ids in groups_since(engine, begin):
            differences = await group_differences(engine, group_ids)
            self.balance.take(Outcome(difference, is_repaired=False) for difference in differences)
            self.balance.groups += len(group_ids)
            self.on_progress("groups", self.balance.groups)

    async def _compare_listed(self, gateway: PaymentGateway, part: int, start: datetime, end: datetime) -> None:
        """Every payment that the gateway made in a part of the period: it needs a row that says the same."""

        async def list_all() -> None:
            async for listed in _pages(gateway.payments_between(start, end)):
                await self.notes.list_payments(part, listed)

        await answered(list_all, within_s=None)
        async for page in self.notes.listed(part, PAYMENTS_AT_ONCE):
            await self._compare_page(gateway, page)
            self.balance.payments += len(page)
            self.on_progress(f"payments of {gateway.name}", self.balance.payments)

    async def _compare_page(self, gateway: PaymentGateway, page: Sequence[GatewayPayment]) -> None:
        ours = await read_ours(self.engine, [payment.order_id for payment in page])
        known: list[GatewayPayment] = []
        suspects: list[Suspect] = []
        for payment in page:
            row = ours.get(payment.order_id)
            if row is not None and not is_another(row, payment):
                known.append(payment)
            if judge(row, payment, gateway.name, self.period.now):
                suspects.append(Suspect(payment.order_id, payment.reference))
        await self.notes.tell_seen(known)
        await self._settle(gateway, suspects)

    async def _compare_wanted(self, page: Sequence[Wanted]) -> None:
        """Our rows: what no gateway listed is looked up there; and each is compared with the rest of our books."""
        unseen: dict[str, list[Suspect]] = {}
        for order in page:
            if order.is_unseen:
                unseen.setdefault(order.gateway, []).append(Suspect(order.order_id, None))
        for name, suspects in unseen.items():
            await self._settle(self.runtime.gateways.get(name), suspects)
        ours = await read_ours(self.engine, [order.order_id for order in page])
        differences = [difference for row in ours.values() for difference in judge_books(row)]
        self.balance.take(Outcome(difference, is_repaired=False) for difference in differences)
        self.balance.orders += len(page)
        self.on_progress("orders", self.balance.orders)

    async def _settle(self, gateway: PaymentGateway, suspects: Sequence[Suspect]) -> None:
        if not suspects:
            return
        now = self.period.now
        sure = [self._for_a_person(one) for one in await look_again(self.engine, gateway, suspects, now)]
        if self.is_dry:
            self.balance.take(Outcome(one.difference, is_repaired=False) for one in sure)
        else:
            self.balance.take(await repair_all(self.runtime, self.engine, gateway, sure, now))

    def _for_a_person(self, sure: Sure) -> Sure:
        """A database restored from a backup knows nothing of what was taken since: no duty gives all that back."""
        difference = sure.difference
        if self.gives_back_unknown or difference.what is not What.UNKNOWN:
            return sure
        return replace(sure, difference=replace(difference, repair=Repair.NONE, advice=_GIVE_BACK))


def _parts(begin: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    while begin < end:
        yield begin, min(begin + LISTED_AT_ONCE, end)
        begin += LISTED_AT_ONCE


async def _pages(payments: AsyncIterator[GatewayPayment]) -> AsyncIterator[list[GatewayPayment]]:
    page: list[GatewayPayment] = []
    async for payment in payments:
        page.append(payment)
        if len(page) == PAYMENTS_AT_ONCE:
            yield page
            page = []
    if page:
        yield page


@asynccontextmanager
async def _engines(runtime: Runtime) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """One for statements that go through tables, one for those that name their rows by key."""
    settings = replace(runtime.settings, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    patient = make_engine(settings, "tuan balancing", connections_max=2)
    by_key = make_engine(runtime.settings, "tuan balancing rows", connections_max=1, planner=ALWAYS_BY_INDEX)
    try:
        yield patient, by_key
    finally:
        await patient.dispose()
        await by_key.dispose()
