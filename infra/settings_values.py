"""How the text of an environment variable becomes a value, and what to say when it does not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

Value = TypeVar("Value")

NAMES_MAX = 32

Network = IPv4Network | IPv6Network

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_PASSWORD_IN_URL = re.compile(r"(//[^/@]*:)[^/@]*@")


@dataclass(frozen=True, slots=True)
class Reader(Generic[Value]):
    """`read` turns text into a value or raises ValueError; `accepts` completes the sentence "expected ..."."""

    accepts: str
    read: Callable[[str], Value]


def whole_number(least: int, most: int) -> Reader[int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return Reader(f"a whole number from {least} to {most}", read)


def one_of(*choices: str) -> Reader[str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(text)
        return text.lower()

    return Reader(" or ".join(choices), read)


def on_or_off() -> Reader[bool]:
    return Reader("on or off", lambda text: {"on": True, "off": False}[one_of("on", "off").read(text)])


def path() -> Reader[Path]:
    """A path made absolute now, so that a later change of folder cannot move it."""

    def read(text: str) -> Path:
        if "\0" in text:
            raise ValueError(text)
        return Path(text).expanduser().absolute()

    return Reader("a path", read)


def words() -> Reader[str]:
    def read(text: str) -> str:
        if not re.fullmatch(r"[!-~]{1,200}", text):
            raise ValueError(text)
        return text

    return Reader("1 to 200 visible ASCII characters without spaces", read)


def names() -> Reader[tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        found = tuple(name.strip() for name in text.split(","))
        if len(found) > NAMES_MAX or not all(re.fullmatch(r"[!-+\--~]{1,200}", name) for name in found):
            raise ValueError(text)
        return found

    return Reader(f"1 to {NAMES_MAX} names of visible ASCII characters, with commas between them", read)


def url(*schemes: str) -> Reader[str]:
    def read(text: str) -> str:
        if urlsplit(text).scheme not in schemes or "://" not in text:
            raise ValueError(text)
        return text

    return Reader("an address that begins with " + " or ".join(f"{scheme}://" for scheme in schemes), read)


def mailbox() -> Reader[str]:
    def read(text: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", text):
            raise ValueError(text)
        return text

    return Reader("an e-mail address such as codes@example.com", read)


def web_address(*schemes: str) -> Reader[str]:
    """As `url`, with a host and, if any, a port that can be."""

    def read(text: str) -> str:
        parts = urlsplit(url(*schemes).read(text))
        if not parts.hostname or parts.port == 0 or not text.isascii():
            raise ValueError(text)
        return text

    return Reader(url(*schemes).accepts, read)


def networks() -> Reader[tuple[Network, ...]]:
    def read(text: str) -> tuple[Network, ...]:
        return tuple(ip_network(one.strip()) for one in text.split(","))

    return Reader("networks parted by commas, such as 10.0.0.0/8,2001:db8::/32", read)


def origins() -> Reader[tuple[str, ...]]:
    """Origins as browsers send them (RFC 6454, 6.2), or `*` for all."""

    def read(text: str) -> tuple[str, ...]:
        given = tuple(one.strip() for one in text.split(","))
        if given != ("*",) and not all(map(_is_origin, given)):
            raise ValueError(text)
        return given

    return Reader("origins parted by commas, such as https://shop.example, or *", read)


def origin() -> Reader[str]:
    """One origin, without a slash at its end."""

    def read(text: str) -> str:
        given = text.removesuffix("/")
        if not _is_origin(given):
            raise ValueError(text)
        return given

    return Reader("an origin such as https://tuan.example", read)


def _is_origin(text: str) -> bool:
    """Whether it is one, with a port that can be if there is one; raises ValueError beyond 65535."""
    return _ORIGIN.fullmatch(text) is not None and urlsplit(text).port != 0


def shown(text: str) -> str:
    """The value as an error message may repeat it: short, on one line, no password."""
    safe = _PASSWORD_IN_URL.sub(r"\1***@", text)
    return ascii(safe if len(safe) <= 80 else safe[:77] + "...")
