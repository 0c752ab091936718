"""Whose request it is by its network address: the peer's, or what trusted proxies say of it, never what anyone says.

Proxies append to a header the address they were called from, so it is read from the right: past each address that is
a trusted proxy's own, up to the first that is not. What stands left of that may be invented.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple

from api.requests import AnyRequest, header, runtime_of
from infra.messages.console_rules import is_this_machine
from infra.settings import Settings

ADDRESSES_REMEMBERED_MAX = 8_192
HOPS_MAX = 16
SAID_BYTES_MAX = 1_024
"""What is read of a header, from the right: more than as many proxies write, and all that is remembered of it."""
IPV6_PREFIX_BITS = 64
"""One customer's network: whoever has one has all of its addresses."""

_FORWARDING: Final = (b"forwarded", b"x-forwarded", b"x-real-ip", b"via")
_Address = IPv4Address | IPv6Address
_Networks = tuple[IPv4Network | IPv6Network, ...]
_FOR: Final = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<token>[^;\s]*))', re.IGNORECASE)
_NAMED: Final = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)]|(?P<other>[0-9a-z.-]+))(?::\d+)?")
_HOST: Final = re.compile(r"\[(?P<six>[^]]*)](?::\S*)?|(?P<four>[0-9.]+)(?::\d*)?|(?P<bare>[0-9A-Fa-f:.]+)")


class Client(NamedTuple):
    """Who calls, as limits count them: an IPv4 address or an IPv6 network.

    `is_here` is this machine itself; a request that any proxy passed on is not.
    """

    name: str
    is_here: bool


def client_of(request: AnyRequest) -> Client:
    """The caller's address."""
    scope = request.scope
    settings = runtime_of(request).settings
    peer = scope.get("client")
    said = _said(scope["headers"], settings)
    client = _client(peer[0] if peer else "", said, settings.trusted_proxies, settings.proxy_header)
    return client if not client.is_here or not _was_passed_on(request) else client._replace(is_here=False)


def is_at_home(request: AnyRequest) -> bool:
    """Whether somebody at this machine asks, by its own name, and nobody passed it on.

    The name counts because a web page may let its own name mean this machine: then a browser here asks for it.
    """
    host = (header(request, b"host") or b"").decode("latin-1").lower()
    name = _NAMED.fullmatch(host)
    return client_of(request).is_here and name is not None and is_this_machine(name["six"] or name["other"])


def _was_passed_on(request: AnyRequest) -> bool:
    """Whether any proxy says so, trusted or not: then it may come from anywhere."""
    return any(key.startswith(_FORWARDING) for key, _ in request.scope["headers"])


def _said(headers: Iterable[tuple[bytes, bytes]], settings: Settings) -> bytes:
    """What the trusted proxies' header says, the end of it."""
    if not settings.trusted_proxies:
        return b""
    name = settings.proxy_header.encode()
    return _end_of(b",".join(value for key, value in headers if key == name))


def _end_of(said: bytes) -> bytes:
    """The last entries, whole ones: what is kept of a header must not be as long as callers like."""
    if len(said) > SAID_BYTES_MAX:
        said = said[-SAID_BYTES_MAX:].partition(b",")[2] or b"?"
    return b",".join(said.rsplit(b",", HOPS_MAX)[-HOPS_MAX:])


@lru_cache(ADDRESSES_REMEMBERED_MAX)
def _client(peer: str, said: bytes, trusted: _Networks, header: str) -> Client:
    address = _read(peer)
    if address is None:
        return Client("unknown", is_here=False)  # as over a unix socket
    is_here = address.is_loopback
    if said and _is_among(address, trusted):
        address = _behind(address, said, trusted, header)
    return Client(_name(address), is_here=is_here and address.is_loopback)


def _behind(proxy: _Address, said: bytes, trusted: _Networks, header: str) -> _Address:
    """The first address from the right that is no trusted proxy's; where one cannot be read, who passed it on."""
    nearest = proxy
    for entry in reversed(said.decode("latin-1").split(",")):
        address = _read(_for(entry) if header == "forwarded" else entry)
        if address is None:
            return nearest
        nearest = address
        if not _is_among(address, trusted):
            return nearest
    return nearest


def _for(entry: str) -> str:
    """The `for` of one element of Forwarded (RFC 7239, 4)."""
    found = _FOR.search(entry)
    return (found["quoted"] or found["token"] or "") if found else ""


def _read(text: str) -> _Address | None:
    """An address, with or without a port; an IPv4 address written as IPv6 is IPv4."""
    found = _HOST.fullmatch(text.strip())
    if found is None:
        return None
    try:
        address = ip_address(found["six"] or found["four"] or found["bare"] or "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_among(address: _Address, networks: _Networks) -> bool:
    return any(address in network for network in networks)


def _name(address: _Address) -> str:
    if address.version == 4 or address.is_loopback:
        return str(address)
    network = int(address) >> (128 - IPV6_PREFIX_BITS) << (128 - IPV6_PREFIX_BITS)
    return f"{IPv6Address(network)}/{IPV6_PREFIX_BITS}"
