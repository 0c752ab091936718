"""Settlements per second: closed groups whose money is captured and given back by the worker, through the sandbox."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from benchmarks.cannot_measure import CannotMeasure
from benchmarks.consumption import Consumption
from benchmarks.figures import Figure, Spread, Wanted, rate
from benchmarks.offers import LIFETIME_S, Shop, offer_of, shop
from benchmarks.paid_joins import THROUGH_SANDBOX
from benchmarks.stack import Stack
from cli.crew import in_parallel
from domain.groupbuy.commands import JoinGroup, OpenGroup
from domain.pricing.schedule import Tier
from infra.ids import new_id
from infra.settings import Settings

DEALS = 100
GROUPS_PER_DEAL = 20
TIPS_AT = 5
# Every other group fails: its payments are released, those of the others captured.
SIZES = (4, 6)
UNIT_PRICE = 700
PAYMENTS = DEALS * GROUPS_PER_DEAL * sum(SIZES) // len(SIZES)
ROUNDS = 3
JOINS_AT_ONCE = 500
REST_S = 3
CLOSE_IN_S = 2
LIMIT_S = 120
LOOK_EVERY_S = 0.05

_CLOSE_AT = "UPDATE groups SET expires_at = $2 WHERE id = ANY($1::uuid[])"
_SETTLED = "SELECT sum(settled)::int FROM groups WHERE id = ANY($1::uuid[])"
_CAPTURED = "SELECT sum(captured_minor)::bigint FROM groups WHERE id = ANY($1::uuid[])"
_STILL_HELD = """
  SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entries
  WHERE account = 'shopper_hold' AND group_id = ANY($1::uuid[])"""


@dataclass(frozen=True, slots=True)
class _Group:
    id: UUID
    deal_id: UUID
    size: int


def settlements(stack: Stack) -> Figure:
    """From the deadline that all groups share until the last payment is captured or released, and recorded."""
    consumption, rates = Consumption(stack.parts), []
    for _ in range(ROUNDS):
        groups = asyncio.run(_held(stack.settings))
        time.sleep(REST_S)  # what the joins have left to do is not what is measured
        consumption.begin()
        rates.append(PAYMENTS / asyncio.run(_settled(stack.settings, groups)))
        consumption.end(PAYMENTS)
    return Figure(
        "payments settled per second through the sandbox, from closing to the last one recorded",
        Spread(tuple(rates)),
        Wanted(1_000, 2_000, "{:,.0f}/s"),
        measured=f"{rate(rates)} ({consumption.shown()})",
        notes=(
            f"{PAYMENTS:,} payments of {DEALS * GROUPS_PER_DEAL:,} groups of {DEALS} deals with one deadline",
            "two fifths are released, the others captured in part",
        ),
    )


async def _held(settings: Settings) -> list[_Group]:
    """Open groups whose participants have paid."""
    offer = offer_of(group_size_max=max(SIZES) + 1, group_lifetime_s=LIFETIME_S, tiers=(Tier(TIPS_AT, UNIT_PRICE),))
    async with shop(settings) as at_work:
        deals = await asyncio.gather(*(at_work.publish(offer, THROUGH_SANDBOX) for _ in range(DEALS)))
        groups = [
            _Group(new_id(), deal_id, SIZES[number % len(SIZES)])
            for deal_id, _ in deals
            for number in range(GROUPS_PER_DEAL)
        ]
        await in_parallel(groups, JOINS_AT_ONCE, lambda group: _fill(at_work, group))
    return groups


async def _fill(at_work: Shop, group: _Group) -> None:
    await at_work.take(OpenGroup(order_id=new_id(), deal_id=group.deal_id, group_id=group.id, shopper_id=uuid4()))
    for _ in range(group.size - 1):
        await at_work.take(JoinGroup(order_id=new_id(), group_id=group.id, shopper_id=uuid4()))


async def _settled(settings: Settings, groups: Sequence[_Group]) -> float:
    """Let all fall due at one moment; seconds from then until all their money is where it belongs."""
    group_ids = [group.id for group in groups]
    async with _connected(settings) as connection:
        deadline = datetime.now(UTC) + timedelta(seconds=CLOSE_IN_S)
        await connection.execute(_CLOSE_AT, group_ids, deadline)
        await asyncio.sleep((deadline - datetime.now(UTC)).total_seconds())
        begun_at = time.perf_counter()
        while await connection.fetchval(_SETTLED, group_ids) < PAYMENTS:
            if time.perf_counter() - begun_at > LIMIT_S:
                raise CannotMeasure(f"Payments were still not settled after {LIMIT_S} s.")
            await asyncio.sleep(LOOK_EVERY_S)
        taken_s = time.perf_counter() - begun_at
        await _check_books(connection, groups)
        return taken_s


async def _check_books(connection: Any, groups: Sequence[_Group]) -> None:  # noqa: ANN401 - asyncpg ships no types
    """Raises where a figure would be of something else than what was due."""
    group_ids = [group.id for group in groups]
    due_minor = sum(group.size * UNIT_PRICE for group in groups if group.size >= TIPS_AT)
    if await connection.fetchval(_CAPTURED, group_ids) != due_minor:
        raise CannotMeasure("What was captured is not what was due.")
    if await connection.fetchval(_STILL_HELD, group_ids):
        raise CannotMeasure("The ledger still holds money of settled groups.")


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(settings.database_url)
    try:
        yield connection
    finally:
        await connection.close()
