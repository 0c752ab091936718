"""A slow host keeps no turn from the others, nor does a name that hangs; what is at work or waits has an end."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from infra.cards.fetching import TURN_PART, ImageFetcher, OthersInTheWay
from infra.cards.fetching_turns import (
    FETCHES_PER_HOST_MAX,
    SLOW_TURNS_MAX,
    TURNS_MAX,
    WAITING_MAX,
    WAITING_OF_HOST_MAX,
    FetchingTurns,
    NoTurn,
)
from infra.cards.lookups import LOOKUPS_MAX, Lookups
from tests.cards.conftest import TIMEOUT_S, reason_of
from tests.cards.image_host import ImageHost, png


async def test_only_so_many_are_fetched_at_once(host: ImageHost) -> None:
    """A flood of slow addresses is at work on as many as short turns let in within their time, two of one host."""
    at_once = at_once_max = 0
    seen: list[str] = []

    async def never(name: str, port: int) -> list[str]:  # noqa: ARG001 - as resolvers are asked
        nonlocal at_once, at_once_max
        at_once += 1
        at_once_max = max(at_once, at_once_max)
        seen.append(name)
        try:
            await asyncio.Event().wait()
        finally:
            at_once -= 1
        return []

    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=never, timeout_s=TIMEOUT_S)
    one_host = [asyncio.create_task(fetcher.fetch(host.address("/", "slow.example"))) for _ in range(TURNS_MAX)]
    others = [reason_of(fetcher, host.address("/", f"{number}.example")) for number in range(5 * TURNS_MAX)]
    assert set(await asyncio.gather(*others)) == {"too slow"}
    assert TURNS_MAX < at_once_max <= (TURNS_MAX + SLOW_TURNS_MAX) / TURN_PART
    assert seen[: TURNS_MAX + 1].count("slow.example") == FETCHES_PER_HOST_MAX
    await _dropped(one_host)
    await fetcher.close()


async def test_slow_hosts_take_no_turns_from_honest_ones(host: ImageHost) -> None:
    """Four of them, each with as many as it may have, and an honest image comes first; then they are known."""
    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=host.resolve, timeout_s=2)
    addresses = [host.address("/silent", f"slow{number}.example") for number in range(4)] * FETCHES_PER_HOST_MAX
    for _ in range(2):
        host.asked.clear()
        slow = [asyncio.create_task(fetcher.fetch(address)) for address in addresses]
        await asyncio.sleep(0)
        assert await fetcher.fetch(host.address("/tea.png")) == png()
        assert not any(one.done() for one in slow)
        await _dropped(slow)
    assert len(host.asked) <= TURNS_MAX  # the known ones were let in by twos
    await fetcher.close()


async def test_the_line_for_a_turn_has_an_end() -> None:
    """For a host, so that others come in beside it, and for all of them."""
    turns = FetchingTurns(turn_s=60)

    async def fetch(name: str) -> None:
        async with turns.taken(name):
            await asyncio.Event().wait()

    def begin(names: list[str]) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(fetch(name)) for name in names]

    at_work = begin(["one.example"] * (FETCHES_PER_HOST_MAX + WAITING_OF_HOST_MAX))
    await asyncio.sleep(0)
    with pytest.raises(NoTurn):
        await asyncio.wait_for(fetch("one.example"), 5)
    at_work += begin([f"{number}.example" for number in range(TURNS_MAX - FETCHES_PER_HOST_MAX + WAITING_MAX)])
    await asyncio.sleep(0)
    with pytest.raises(NoTurn):
        await asyncio.wait_for(fetch("another.example"), 5)
    assert not any(one.done() for one in at_work)
    await _dropped(at_work)


async def test_a_slow_host_is_in_no_other_hosts_way(host: ImageHost, fetcher: ImageFetcher) -> None:
    """Thirty of its addresses at once, and an honest image is there at once, too."""
    slow = [asyncio.create_task(reason_of(fetcher, host.address("/silent", "slow.example"))) for _ in range(30)]
    await asyncio.sleep(0)
    assert await fetcher.fetch(host.address("/tea.png")) == png()
    assert not any(one.done() for one in slow)
    await _dropped(slow)


async def test_names_that_hang_are_in_no_other_names_way(host: ImageHost) -> None:
    """A hanging look-up has one thread however often it is asked for, and an honest name is looked up meanwhile."""
    answered, looked_up = threading.Event(), list[str]()

    def look_up(name: str) -> list[str]:
        looked_up.append(name)
        return ["127.0.0.1"] if name == "pictures.example" or answered.wait(20) else []

    lookups = Lookups(look_up)
    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=lookups.resolve, timeout_s=TIMEOUT_S)
    try:
        for _ in range(2):
            hanging = [reason_of(fetcher, host.address("/tea.png", f"hangs{number}.example")) for number in range(6)]
            assert set(await asyncio.gather(*hanging)) == {"too slow"}
        assert await fetcher.fetch(host.address("/tea.png")) == png()
        assert sorted(looked_up) == [*(f"hangs{number}.example" for number in range(6)), "pictures.example"]
    finally:
        answered.set()
        await fetcher.close()
        await lookups.stop()


async def test_no_more_names_hang_than_there_are_threads() -> None:
    """One more is told so at once instead of waiting behind them, and it is no fault of its own."""
    answered = threading.Event()
    lookups = Lookups(lambda _: ["127.0.0.1"] if answered.wait(20) else [])
    hanging = [asyncio.create_task(lookups.resolve(f"{number}.example", 80)) for number in range(LOOKUPS_MAX)]
    try:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        fetcher = ImageFetcher(resolver=lookups.resolve)
        with pytest.raises(OthersInTheWay):
            await fetcher.fetch("http://one-more.example/tea.png")
    finally:
        answered.set()
    assert await asyncio.gather(*hanging) == [["127.0.0.1"]] * LOOKUPS_MAX


def test_a_name_that_hangs_does_not_hold_up_the_end_of_the_program() -> None:
    """Its thread cannot be ended, and nobody waits for it."""
    program = (
        "import asyncio, threading\n"
        "from infra.cards.lookups import Lookups\n"
        "async def main():\n"
        "    hangs = threading.Event()\n"
        "    lookups = Lookups(lambda _: hangs.set() or threading.Event().wait())\n"
        "    asking = asyncio.create_task(lookups.resolve('hangs.example', 80))\n"
        "    await asyncio.to_thread(hangs.wait)\n"
        "    await lookups.stop()\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=10)


async def _dropped(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
