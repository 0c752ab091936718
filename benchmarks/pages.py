"""Links that are opened: pages per second beside a request that does nothing, and pages that stay open."""

import asyncio
import time

import psutil

from benchmarks.figures import Figure, Spread, Wanted, percentile
from benchmarks.live import CHANGES, WATCHERS, changes_seen
from benchmarks.offers import Opened, open_groups, shop
from benchmarks.rounds import WARM_UP_S, compare, join_request
from benchmarks.stack import Stack
from benchmarks.wrk import Request
from domain.groupbuy.commands import CreateInvite
from infra.ids import new_id, new_invite_code

LINKS = 100
SETTLE_S = 2
KB = 1_000


def page(stack: Stack) -> Figure:
    """Links of one group are opened, each by people who have not been there: the pages are in memory."""
    group = open_groups(stack.settings)[0]
    stack.wrk.run(join_request(group.path), WARM_UP_S)
    opening = Request("GET", tuple(f"/i/{code}" for code in asyncio.run(_share(stack, group))), anonymous=True)
    nothing = Request("GET", (f"{group.path}/nothing",))
    for request in (nothing, opening):
        stack.wrk.run(request, WARM_UP_S)
    what = f"GET /i/{{code}}, the page of {LINKS} links of one group / authenticated no-op"
    return compare(stack, what, Wanted(0.4, 0.6), lambda: opening, lambda: nothing)


def open_pages(stack: Stack) -> Figure:
    """Join again and again while pages of the group are open; each time wait until all of them show it."""
    group = open_groups(stack.settings)[0]
    answering = stack.parts["API"]
    before_kb = _resident_kb(answering)
    with_pages_kb: list[float] = []

    def weigh() -> None:
        time.sleep(SETTLE_S)
        with_pages_kb.append(_resident_kb(answering))

    delays_s = asyncio.run(changes_seen(stack, group.path, f"/g/{group.group_id}/live", weigh))
    shown = [percentile(delays_s, percent) * 1000 for percent in (50, 99)]
    return Figure(
        f"{WATCHERS:,} open pages of one group on one process, a change to the last of them, p99",
        Spread((percentile(delays_s, 99),)),
        Wanted(1.0, 0.5, "{:.2f} s", at_most=True),
        measured=f"p50 {shown[0]:.0f} ms, p99 {shown[1]:.0f} ms, most {max(delays_s) * 1000:.0f} ms",
        notes=(
            f"{CHANGES} joins, from each one's answer on",
            f"{(with_pages_kb[0] - before_kb) / WATCHERS:.0f} KB of memory for each open page",
        ),
    )


async def _share(stack: Stack, group: Opened) -> list[str]:
    """Links into a group, each of somebody else's."""
    codes = [new_invite_code() for _ in range(LINKS)]
    async with shop(stack.settings) as at_work:
        for code in codes:
            await at_work.batcher.tell(
                CreateInvite(group_id=group.group_id, sharer_id=new_id(), channel="link", code=code)
            )
    return codes


def _resident_kb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / KB
