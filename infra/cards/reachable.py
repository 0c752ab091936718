"""Which addresses of the network strangers may send us to: public ones, at the ports of the web."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

PORTS: Final = frozenset({80, 443})

Reachable = Callable[[str, int], bool]
"""Whether an address and port may be connected to."""

_NOT_PUBLIC_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' own
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local: clouds tell secrets there
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
"""The IANA registry of special-purpose addresses, with multicast and what is reserved."""

_GLOBAL_V6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_V6: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
"""Of the global addresses those with a special purpose: Teredo, examples, 6to4 and others that stand for IPv4 ones.

What is not in `_GLOBAL_V6` is not public: loopback, local, multicast, IPv4-mapped, NAT64.
"""


def is_public(address: str, port: int) -> bool:
    """Whether a numeric address is of the public internet and the port one of the web's."""
    if port not in PORTS:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    return (
        address.scope_id is None and address in _GLOBAL_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
    )
