"""Two thousand watchers of one group on one process: how long until the last of them has a change."""

import asyncio
import sys
import time
from collections.abc import Callable

import msgspec

from benchmarks.caller import Caller
from benchmarks.cannot_measure import CannotMeasure
from benchmarks.figures import Figure, Spread, Wanted, percentile
from benchmarks.offers import open_groups
from benchmarks.shoppers import token_for_one
from benchmarks.stack import Stack

WATCHERS = 2_000
CHANGES = 100
CHANGE_EVERY_S = 0.05
LIMIT_S = 60


class _Answer(msgspec.Struct):
    version: int


def live(stack: Stack) -> Figure:
    """Join again and again; each time wait until everybody has seen it."""
    path = open_groups(stack.settings)[0].path
    delays_s = asyncio.run(changes_seen(stack, path, f"{path}/live"))
    shown = [percentile(delays_s, percent) * 1000 for percent in (50, 99)]
    return Figure(
        f"{WATCHERS:,} live watchers of one group on one process, a change to the last of them, p99",
        Spread((percentile(delays_s, 99),)),
        Wanted(1.0, 0.3, "{:.2f} s", at_most=True),
        measured=f"p50 {shown[0]:.0f} ms, p99 {shown[1]:.0f} ms, most {max(delays_s) * 1000:.0f} ms",
        notes=(f"{CHANGES} joins, from each one's answer on; the watchers' own process is part of it",),
    )


async def changes_seen(
    stack: Stack, path: str, watched: str, meanwhile: Callable[[], None] = lambda: None
) -> list[float]:
    """Seconds from each change's answer until all `WATCHERS` of an address have it; `meanwhile`: when all watch."""
    command = ["-m", "benchmarks.watching", str(stack.settings.port), watched, str(WATCHERS)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    caller = await Caller.connected(stack.settings.port)
    assert process.stdout is not None
    try:
        await _all_have(process.stdout, 0)
        meanwhile()
        delays_s = []
        for _ in range(CHANGES):
            await asyncio.sleep(CHANGE_EVERY_S)
            request = caller.request("POST", f"{path}/participants", token_for_one(stack.settings), b"{}")
            reply = await caller.ask(request, 201)
            answered_at = time.monotonic()
            version = msgspec.json.decode(reply.body, type=_Answer).version
            delays_s.append(max(0.0, await _all_have(process.stdout, version) - answered_at))
        return delays_s
    finally:
        caller.close()
        process.kill()
        await process.wait()


async def _all_have(lines: asyncio.StreamReader, version: int) -> float:
    """When (monotonic clock) the last watcher had this version or a newer one."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while line := await lines.readline():
                told, at = line.split()
                if int(told) >= version:
                    return float(at)
    except TimeoutError:
        raise CannotMeasure(f"Not all of {WATCHERS} watchers saw version {version} within {LIMIT_S} s.") from None
    raise CannotMeasure("The watchers' process ended; its lines above say why.")
