"""Addresses that merchants wrote lead us nowhere but to public hosts, and no host holds us up."""

import asyncio

import pytest

from infra.cards.fetching import ImageFetcher
from infra.cards.reachable import is_public
from tests.cards.conftest import TIMEOUT_S, reason_of
from tests.cards.image_host import ImageHost, moved, png


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
    await reason_of(fetcher, host.address("/moved"))
    assert set(host.asked) == {("/moved", f"pictures.example:{host.port}")}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
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
    """Floods, loops and what is no image end soon, each with its reason for the log."""
    assert await reason_of(fetcher, host.address(path)) == reason


async def test_a_host_that_sends_little_or_nothing_has_its_time(host: ImageHost) -> None:
    """However often it sends another byte."""
    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=host.resolve, timeout_s=TIMEOUT_S)
    for_both = (reason_of(fetcher, host.address(path)) for path in ("/drip", "/silent"))
    assert await asyncio.gather(*for_both) == ["too slow"] * 2
    await fetcher.close()


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
    assert await reason_of(fetcher, host.address("/tea.png")) == "not a public address"
    await fetcher.close()


async def test_a_name_with_one_private_address_is_refused(host: ImageHost) -> None:
    """Whichever of its addresses the system would have chosen."""

    async def both(name: str, port: int) -> list[str]:
        return [*await host.resolve(name, port), "192.168.0.1"]

    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=both)
    assert await reason_of(fetcher, host.address("/tea.png")) == "not a public address"
    assert host.asked == []


async def test_names_of_this_machine_are_refused_as_they_are_resolved() -> None:
    """With the system's own resolver: every spelling of loopback comes out as loopback."""
    fetcher = ImageFetcher()
    for name in ("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:7f00:1]", "0"):
        assert await reason_of(fetcher, f"http://{name}/") in {"not a public address", "gaierror"}, name


async def test_an_address_that_cannot_be_reached_does_not_hide_the_next_one(host: ImageHost) -> None:
    """A host with IPv6 addresses, as seen from a network that has none: its IPv4 address is asked."""

    async def both(name: str, port: int) -> list[str]:
        return ["::1", "::1", *await host.resolve(name, port)]

    fetcher = ImageFetcher(may_reach=lambda _address, port: port == host.port, resolver=both)
    assert await fetcher.fetch(host.address("/tea.png")) == png()
    await fetcher.close()


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
