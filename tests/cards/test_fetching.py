"""Addresses that merchants wrote lead us nowhere but to public hosts, and no host holds us up."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from infra.cards.fetching import TURN_PART, ImageFetcher, NotFetched, OthersInTheWay
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
from infra.cards.reachable import is_public
from tests.cards.image_host import ImageHost, image_host, moved, png

TIMEOUT_S = 0.5


@pytest.fixture
async def host() -> AsyncIterator[ImageHost]:
    async with image_host() as made:
        yield made


@pytest.fixture
async def fetcher(host: ImageHost) -> AsyncIterator[ImageFetcher]:
    made = ImageFetcher(may_reach=host.may_reach, resolver=host.resolve, timeout_s=TIMEOUT_S)
    yield made
    await made.close()


async def _reason(fetcher: ImageFetcher, url: str) -> str:
    """Why an address is not fetched; within its time."""
    begun = time.monotonic()
    with pytest.raises(NotFetched) as refused:
        await fetcher.fetch(url)
    assert time.monotonic() - begun < TIMEOUT_S + 2
    return str(refused.value)


async def _dropped(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_image_is_fetched_from_the_address_that_was_judged(host: ImageHost, fetcher: ImageFetcher) -> None:
    """The connection goes to the number, the question names the host, and the name is looked up once."""
    assert await fetcher.fetch(host.address("/tea.png")) == png()
    assert host.asked == [("/tea.png", f"pictures.example:{host.port}")]


async def test_a_redirect_to_another_public_host_is_followed(host: ImageHost, fetcher: ImageFetcher) -> None:
    """As content networks send them; a relative one too."""
    host.answers |= {"/a": moved("/b"), "/b": moved(host.address("/tea.png", "cdn.example"))}
    assert await fetcher.fetch(host.address("/a")) == png()
    assert host.asked[-1] == ("/tea.png", f"cdn.example:{host.port}")


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "ftp://pictures.example/tea.png",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "//",
        "http://",
        "http://user:password@pictures.example/",
        "data:image/png;base64,AAAA",
        "http://pictures.example:99999/",
    ],
)
async def test_no_redirect_leads_to_an_address_of_ours(host: ImageHost, fetcher: ImageFetcher, to: str) -> None:
    """Each turn is judged like the first address: nothing is connected to, and no other scheme is understood."""
    host.answers["/moved"] = moved(to)
    await _reason(fetcher, host.address("/moved"))
    assert set(host.asked) == {("/moved", f"pictures.example:{host.port}")}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/drip", "too slow"),
        ("/silent", "too slow"),
        ("/endless", "too large"),
        ("/large", "too large"),
        ("/endless-head", "RemoteProtocolError"),
        ("/nonsense", "RemoteProtocolError"),
        ("/page", "no image"),
        ("/tea.svg", "no image"),
        ("/gone", "answered 404"),
        ("/loop", "too many redirects"),
    ],
)
async def test_a_hostile_host_costs_a_bounded_time_and_size(
    host: ImageHost, fetcher: ImageFetcher, path: str, reason: str
) -> None:
    """Drips, floods, loops and what is no image end soon, each with its reason for the log."""
    assert await _reason(fetcher, host.address(path)) == reason


async def test_a_name_is_looked_up_once_for_each_turn(host: ImageHost) -> None:
    """A name that leads elsewhere at the second look (DNS rebinding) is not looked at a second time."""
    looks = 0

    async def rebinding(name: str, port: int) -> list[str]:
        nonlocal looks
        looks += 1
        return await host.resolve(name, port) if looks == 1 else ["10.0.0.1"]

    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=rebinding)
    assert await fetcher.fetch(host.address("/tea.png")) == png()
    assert looks == 1
    assert await _reason(fetcher, host.address("/tea.png")) == "not a public address"
    await fetcher.close()


async def test_a_name_with_one_private_address_is_refused(host: ImageHost) -> None:
    """Whichever of its addresses the system would have chosen."""

    async def both(name: str, port: int) -> list[str]:
        return [*await host.resolve(name, port), "192.168.0.1"]

    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=both)
    assert await _reason(fetcher, host.address("/tea.png")) == "not a public address"
    assert host.asked == []


async def test_names_of_this_machine_are_refused_as_they_are_resolved() -> None:
    """With the system's own resolver: every spelling of loopback comes out as loopback."""
    fetcher = ImageFetcher()
    for name in ("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:7f00:1]", "0"):
        assert await _reason(fetcher, f"http://{name}/") in {"not a public address", "gaierror"}, name


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
    others = [_reason(fetcher, host.address("/", f"{number}.example")) for number in range(5 * TURNS_MAX)]
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


async def test_an_address_that_cannot_be_reached_does_not_hide_the_next_one(host: ImageHost) -> None:
    """A host with IPv6 addresses, as seen from a network that has none: its IPv4 address is asked."""

    async def both(name: str, port: int) -> list[str]:
        return ["::1", "::1", *await host.resolve(name, port)]

    fetcher = ImageFetcher(may_reach=lambda _address, port: port == host.port, resolver=both)
    assert await fetcher.fetch(host.address("/tea.png")) == png()
    await fetcher.close()


async def test_a_slow_host_is_in_no_other_hosts_way(host: ImageHost, fetcher: ImageFetcher) -> None:
    """Thirty of its addresses at once, and an honest image is there at once, too."""
    slow = [asyncio.create_task(_reason(fetcher, host.address("/silent", "slow.example"))) for _ in range(30)]
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
            hanging = [_reason(fetcher, host.address("/tea.png", f"hangs{number}.example")) for number in range(6)]
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


NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1 172.31.9.9
    192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1
    255.255.255.255 :: ::1 ::7f00:1 ::ffff:8.8.8.8 ::ffff:127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808
    64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd12::1 fe80::1
    fe80::1%eth0 2606:4700::1%1 fec0::1 ff02::1 localhost 127.1 0x7f000001 2130706433 017700000001"""


def test_no_address_of_a_special_purpose_is_public() -> None:
    """Nor one that stands for an IPv4 address in another dress, nor what is no plain number."""
    assert [address for address in NOT_PUBLIC.split() if is_public(address, 443)] == []


def test_public_addresses_are_reached_at_the_ports_of_the_web_only() -> None:
    """What most hosts of images are."""
    for address in ("1.1.1.1", "93.184.216.34", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"):
        assert is_public(address, 80)
        assert is_public(address, 443)
        assert not is_public(address, 6379)
        assert not is_public(address, 22)
