"""Joins of a full group: how many of their refusals cost PostgreSQL a transaction."""

import asyncio
import time
from dataclasses import dataclass

import asyncpg

from benchmarks.figures import Figure, Spread, Wanted
from benchmarks.offers import fill, open_groups
from benchmarks.rounds import join_request
from benchmarks.stack import Stack
from domain.pricing.schedule import Tier

REFUSALS = 50_000
SEATS = 10
ROUND_S = 3
IDLE_S = 5
# PostgreSQL's connections report what they did at once when a second has passed, at the latest after ten seconds idle.
STATISTICS_LAG_S = 11


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    transactions: int


def refusals(stack: Stack) -> Figure:
    """Hammer a full group; what the duties do anyway is measured before and taken off."""
    group = open_groups(stack.settings, group_size_max=SEATS, tiers=(Tier(3, 900),))[0]
    fill(stack.settings, group, SEATS)
    time.sleep(STATISTICS_LAG_S)
    idle_from, begun = _look(stack, after_s=0), _look(stack, after_s=IDLE_S)
    refused, rates = 0, []
    while refused < REFUSALS:
        result = stack.wrk.run(join_request(group.path), ROUND_S, refusals=True)
        refused += result.refused
        rates.append(result.rate)
    ended = _look(stack, after_s=STATISTICS_LAG_S)
    idle_rate = (begun.transactions - idle_from.transactions) / (begun.at - idle_from.at)
    anyway = idle_rate * (ended.at - begun.at)
    reached = max(0.0, ended.transactions - begun.transactions - anyway)
    return Figure(
        f"of {REFUSALS:,} joins refused because the group is full, share that reached PostgreSQL",
        Spread((100 * reached / refused,)),
        Wanted(5, 0.05, "{:.0f} %", at_most=True),
        measured=f"{reached:.0f} transactions for {refused:,} refusals, at {Spread(tuple(rates)).shown('{:,.0f}')}/s",
        ceiling=f"duties alone: {idle_rate:.0f} transactions/s, taken off",
    )


def _look(stack: Stack, after_s: float) -> _Seen:
    time.sleep(after_s)
    return asyncio.run(_transactions(stack.settings.database_url))


async def _transactions(database_url: str) -> _Seen:
    connection = await asyncpg.connect(database_url)
    try:
        count = await connection.fetchval(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        )
        return _Seen(time.monotonic(), count)
    finally:
        await connection.close()
