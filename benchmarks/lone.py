"""A lone join on an idle server, beside one plain transaction that touches the same rows."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
import uvloop

from benchmarks.caller import Caller
from benchmarks.figures import Figure, Spread, Wanted, ratios
from benchmarks.offers import open_groups
from benchmarks.plain_join import CONNECTION_SETTINGS, join_plainly
from benchmarks.shoppers import token_for_one
from benchmarks.stack import Stack

ROUNDS = 6
REQUESTS_PER_ROUND = 100
WARM_UP_REQUESTS = 50
# Each one meets a server at rest: what the one before it left to do after its commit is done by then.
PAUSE_S = 0.003


@dataclass(frozen=True, slots=True)
class _Medians:
    """The p50 of each round, in seconds; `nothing` is what HTTP, token and routing take of a join."""

    joins: list[float] = field(default_factory=list)
    transactions: list[float] = field(default_factory=list)
    nothing: list[float] = field(default_factory=list)


def lone(stack: Stack) -> Figure:
    """One connection, one request after the other."""
    medians = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_measure(stack))
    return Figure(
        "lone join on an idle server, p50 / one plain transaction",
        ratios(medians.joins, medians.transactions),
        Wanted(1.5, 1.2, "{:.1f} x", at_most=True),
        measured=_shown(medians.joins),
        ceiling=f"{_shown(medians.transactions)}; an authenticated no-op over HTTP takes {_shown(medians.nothing)}",
        notes=(f"{PAUSE_S * 1000:.0f} ms of rest before each, {ROUNDS} x {REQUESTS_PER_ROUND} of each",),
    )


async def _measure(stack: Stack) -> _Medians:
    ours, theirs = await asyncio.to_thread(open_groups, stack.settings, 2)
    connection = await asyncpg.connect(stack.settings.database_url, server_settings=CONNECTION_SETTINGS)
    caller = await Caller.connected(stack.settings.port)

    async def join() -> float:
        return await _asked(stack, caller, f"{ours.path}/participants")

    async def ask_nothing() -> float:
        return await _asked(stack, caller, f"{ours.path}/nothing")

    async def transact() -> float:
        await asyncio.sleep(PAUSE_S)
        return await join_plainly(connection, theirs)

    medians = _Medians()
    try:
        for work in (join, ask_nothing, transact):
            await _median(work, WARM_UP_REQUESTS)
        for _ in range(ROUNDS):
            medians.transactions.append(await _median(transact, REQUESTS_PER_ROUND))
            medians.joins.append(await _median(join, REQUESTS_PER_ROUND))
            medians.nothing.append(await _median(ask_nothing, REQUESTS_PER_ROUND))
    finally:
        caller.close()
        await connection.close()
    return medians


async def _asked(stack: Stack, caller: Caller, path: str) -> float:
    """How long a request of a new shopper takes, in seconds."""
    request = caller.request("POST", path, token_for_one(stack.settings), b'{"quantity":1}')
    await asyncio.sleep(PAUSE_S)
    begun_at = time.perf_counter()
    await caller.ask(request, 201)
    return time.perf_counter() - begun_at


async def _median(work: Callable[[], Awaitable[float]], count: int) -> float:
    return statistics.median([await work() for _ in range(count)])


def _shown(seconds: list[float]) -> str:
    return Spread(tuple(one * 1000 for one in seconds)).shown("{:.2f}") + " ms"
