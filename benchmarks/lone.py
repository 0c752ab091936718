"""A lone join on an idle server, beside one plain transaction that touches the same rows."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import asyncpg
import uvloop

from benchmarks.caller import Caller
from benchmarks.figures import Figure, Spread, Wanted, ratios
from benchmarks.offers import open_groups
from benchmarks.plain_join import CONNECTION_SETTINGS, join_plainly
from benchmarks.shoppers import token_for_one
from benchmarks.stack import Stack

ROUNDS = 6
JOINS_PER_ROUND = 100
WARM_UP_JOINS = 50
# Each one meets a server at rest: what the one before it left to do after its commit is done by then.
PAUSE_S = 0.003


def lone(stack: Stack) -> Figure:
    """One connection, one request after the other."""
    joins, transactions = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_measure(stack))
    values, ceilings = ([statistics.median(one) for one in rounds] for rounds in (joins, transactions))
    return Figure(
        "lone join on an idle server, p50 / one plain transaction",
        ratios(values, ceilings),
        Wanted(1.5, 1.2, "{:.1f} x", at_most=True),
        measured=_shown(values),
        ceiling=_shown(ceilings),
        notes=(f"{PAUSE_S * 1000:.0f} ms of rest before each, {ROUNDS} x {JOINS_PER_ROUND} of both",),
    )


async def _measure(stack: Stack) -> tuple[list[list[float]], list[list[float]]]:
    ours, theirs = await asyncio.to_thread(open_groups, stack.settings, 2)
    tokens = iter([token_for_one(stack.settings) for _ in range(ROUNDS * JOINS_PER_ROUND + WARM_UP_JOINS)])
    connection = await asyncpg.connect(stack.settings.database_url, server_settings=CONNECTION_SETTINGS)
    caller = await Caller.connected(stack.settings.port)

    async def join() -> float:
        request = caller.request("POST", f"{ours.path}/participants", next(tokens), b'{"quantity":1}')
        begun_at = time.perf_counter()
        await caller.ask(request, 201)
        return time.perf_counter() - begun_at

    async def transact() -> float:
        return await join_plainly(connection, theirs)

    try:
        await _several(join, WARM_UP_JOINS)
        await _several(transact, WARM_UP_JOINS)
        joins, transactions = [], []
        for _ in range(ROUNDS):
            transactions.append(await _several(transact, JOINS_PER_ROUND))
            joins.append(await _several(join, JOINS_PER_ROUND))
    finally:
        caller.close()
        await connection.close()
    return joins, transactions


async def _several(work: Callable[[], Awaitable[float]], count: int) -> list[float]:
    taken = []
    for _ in range(count):
        await asyncio.sleep(PAUSE_S)
        taken.append(await work())
    return taken


def _shown(seconds: list[float]) -> str:
    return Spread(tuple(one * 1000 for one in seconds)).shown("{:.2f}") + " ms"
