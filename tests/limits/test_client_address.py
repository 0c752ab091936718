"""Whose address a request is counted for: nobody chooses their own by writing a header."""

from dataclasses import replace
from ipaddress import IPv4Network, ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from litestar import Request

from api.client_address import HOPS_MAX, SAID_BYTES_MAX, Client, _client, _said, client_of
from infra.settings import read_settings

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))
PEER = "10.0.0.1"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (b"203.0.113.9", "203.0.113.9"),
        (b"1.1.1.1, 203.0.113.9", "203.0.113.9"),  # what stands further left may be invented
        (b"203.0.113.9, 10.0.0.2", "203.0.113.9"),  # past a second proxy of ours
        (b"203.0.113.9, 10.0.0.2,2001:db8:1::7", "203.0.113.9"),
        (b"203.0.113.9:4711", "203.0.113.9"),
        (b"::ffff:203.0.113.9", "203.0.113.9"),
        (b"2001:db8:aa:bb:1:2:3:4", "2001:db8:aa:bb::/64"),
        (b"[2001:db8:aa:bb::1]:443", "2001:db8:aa:bb::/64"),
        (b"1.1.1.1, unknown", PEER),  # who passed it on, where it cannot be read
        (b"1.1.1.1, 10.0.0.2, _hidden", PEER),
        (b"1.1.1.1, 300.1.1.1, 10.0.0.2", "10.0.0.2"),
        (b"", PEER),
        (b"10.0.0.3", "10.0.0.3"),
        (b"127.0.0.1, 10.0.0.9", "127.0.0.1"),
    ],
)
def test_x_forwarded_for_is_read_from_the_right(said: bytes, name: str) -> None:
    """Past trusted proxies to the first address that is none; and nobody is at home by saying so."""
    assert _client(PEER, said, TRUSTED, "x-forwarded-for") == Client(name, is_here=False)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (b"for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"),
        (b'for=1.1.1.1, For="[2001:db8:aa:bb::1]:443"', "2001:db8:aa:bb::/64"),
        (b'for=203.0.113.9, for="10.0.0.2"', "203.0.113.9"),
        (b"for=_hidden", PEER),
        (b"proto=https", PEER),
        (b"1.1.1.1", PEER),
    ],
)
def test_forwarded_is_read_where_proxies_write_it(said: bytes, name: str) -> None:
    """RFC 7239: the `for` of each element."""
    assert _client(PEER, said, TRUSTED, "forwarded") == Client(name, is_here=False)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"," * 60_000, PEER),
        (b"1" * 60_000, PEER),
        (b"x" * 60_000 + b", 203.0.113.9", "203.0.113.9"),
        (b"203.0.113.9, " * 5_000 + b"10.0.0.2", "203.0.113.9"),
        (b"1.1.1.1," + b" " * SAID_BYTES_MAX, PEER),
        (b"10.0.0.2, " * 5_000, PEER),
        (b"1.1.1.1, " + b"10.0.0.2," * HOPS_MAX, PEER),
        (b"1.1.1.1" + b",10.0.0.2" * HOPS_MAX, "10.0.0.2"),  # so many proxies nobody has
    ],
)
def test_of_a_huge_header_the_end_is_read_and_remembered(header: bytes, name: str) -> None:
    """A kilobyte and some entries of it, whole ones: memory is not the caller's to fill."""
    settings = replace(read_settings({}), trusted_proxies=TRUSTED)
    said = _said([(b"x-forwarded-for", header)], settings)
    assert len(said) <= SAID_BYTES_MAX
    assert said.count(b",") < HOPS_MAX
    assert _client(PEER, said, TRUSTED, "x-forwarded-for") == Client(name, is_here=False)


def test_what_stands_further_left_makes_nothing_new_to_remember() -> None:
    """Whatever a caller puts before what proxies wrote, it is one thing to remember."""
    settings = replace(read_settings({}), trusted_proxies=TRUSTED)
    written = b", 203.0.113.9" + b", 10.0.0.2" * (HOPS_MAX - 1)
    assert len({_said([(b"x-forwarded-for", b"%d" % number * 9_000 + written)], settings) for number in range(50)}) == 1


@pytest.mark.parametrize("said", [b"?", b"1.1.1.1", b"127.0.0.1"])
def test_whoever_is_no_trusted_proxy_speaks_for_itself(said: bytes) -> None:
    """A header from anywhere else changes nothing."""
    for trusted in ((), TRUSTED):
        assert _client("203.0.113.9", said, trusted, "x-forwarded-for") == Client("203.0.113.9", is_here=False)


def test_this_machine_is_known() -> None:
    """Whoever calls from loopback is here; whoever a trusted proxy here calls for is not."""
    assert _client("127.0.0.1", b"", (), "x-forwarded-for") == Client("127.0.0.1", is_here=True)
    assert _client("::1", b"", TRUSTED, "x-forwarded-for") == Client("::1", is_here=True)
    here = (ip_network("127.0.0.1"),)
    assert _client("127.0.0.1", b"203.0.113.9", here, "x-forwarded-for") == Client("203.0.113.9", is_here=False)
    assert _client("", b"", here, "x-forwarded-for") == Client("unknown", is_here=False)


def test_all_addresses_of_one_ipv6_network_are_one() -> None:
    """Whoever has a /64 has 2 to the 64 addresses."""
    names = {_client(f"2001:db8:aa:bb::{number:x}", b"", (), "").name for number in range(1, 300)}
    assert names == {"2001:db8:aa:bb::/64"}
    assert _client("2001:db8:aa:bc::1", b"", (), "").name not in names


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
@pytest.mark.parametrize("trusted", [(), (ip_network("10.0.0.0/8"),), (ip_network("127.0.0.0/8"),)])
def test_what_any_proxy_passed_on_is_not_of_this_machine(name: str, trusted: tuple[IPv4Network, ...]) -> None:
    """Trusted or not, in the header that is read or in another, readable or not: its callers are not ours."""
    settings = replace(read_settings({}), trusted_proxies=trusted)
    state = SimpleNamespace(runtime=SimpleNamespace(settings=settings))
    scope: Any = {
        "type": "http",
        "client": ("127.0.0.1", 50_000),
        "headers": [(name.lower().encode(), b"unknown")],
        "litestar_app": SimpleNamespace(state=state),
    }
    assert not client_of(Request(scope)).is_here
