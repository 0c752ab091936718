"""How much is let through: the policies of each class of routes, and whose allowance each of them is.

A policy lets `quota` requests through in any `window_s` seconds. Sums of money or places never hang on these numbers;
they keep one caller from taking what belongs to all, and a stranger from sending codes at our expense.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Whose(StrEnum):
    """What an allowance is counted for."""

    ACCOUNT = "account"
    ADDRESS = "address"
    RECIPIENT = "recipient"
    PREFIX = "prefix"
    PAIR = "pair"


class RouteClass(StrEnum):
    """Operations that are limited alike."""

    CODES = "codes"
    SIGN_IN = "sign-in"
    REFRESH = "refresh"
    JOIN = "join"
    SELL = "sell"
    WRITE = "write"
    READ = "read"
    PICTURE = "picture"
    EXPORT = "export"
    ADMIN = "admin"
    WEBHOOK = "webhook"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Policy:
    """So many requests in any window of so many seconds, for each account, address or number.

    A pair is a recipient and the address that asks: what one stranger can take of somebody's messages.
    """

    name: str
    whose: Whose
    quota: int
    window_s: int


def _of(route: RouteClass, whose: Whose, quota: int, window_s: int, suffix: str = "") -> Policy:
    return Policy(f"{route}-{whose}{suffix}", whose, quota, window_s)


_ACCOUNT, _ADDRESS, _RECIPIENT, _PREFIX, _PAIR = Whose

POLICIES: Final[Mapping[RouteClass, tuple[Policy, ...]]] = MappingProxyType(
    {
        RouteClass.CODES: (
            _of(RouteClass.CODES, _ADDRESS, 60, 600),  # a whole office, or a mobile network's customers, share one
            _of(RouteClass.CODES, _PAIR, 3, 900),  # so that one stranger leaves some to whoever signs in there
            _of(RouteClass.CODES, _PAIR, 9, 86_400, "-day"),
            _of(RouteClass.CODES, _RECIPIENT, 5, 900),
            _of(RouteClass.CODES, _RECIPIENT, 15, 86_400, "-day"),
            _of(RouteClass.CODES, _PREFIX, 200, 3_600),  # see PREFIX_LEAVES_DIGITS
        ),
        RouteClass.SIGN_IN: (
            _of(RouteClass.SIGN_IN, _ACCOUNT, 30, 60),
            _of(RouteClass.SIGN_IN, _ADDRESS, 120, 60),
        ),
        RouteClass.REFRESH: (_of(RouteClass.REFRESH, _ADDRESS, 1_200, 60),),
        RouteClass.JOIN: (
            _of(RouteClass.JOIN, _ACCOUNT, 100, 10),
            _of(RouteClass.JOIN, _ADDRESS, 2_000, 10),
        ),
        RouteClass.SELL: (  # a merchant's systems put up a whole catalogue at once
            _of(RouteClass.SELL, _ACCOUNT, 3_000, 10),
            _of(RouteClass.SELL, _ADDRESS, 6_000, 10),
        ),
        RouteClass.WRITE: (
            _of(RouteClass.WRITE, _ACCOUNT, 200, 10),
            _of(RouteClass.WRITE, _ADDRESS, 2_000, 10),
        ),
        RouteClass.READ: (
            _of(RouteClass.READ, _ACCOUNT, 600, 10),
            _of(RouteClass.READ, _ADDRESS, 6_000, 10),
        ),
        RouteClass.PICTURE: (  # a chat's servers fetch for all its people
            _of(RouteClass.PICTURE, _ADDRESS, 1_200, 60),
        ),
        RouteClass.EXPORT: (  # all there is of one person, for which nobody asks often
            _of(RouteClass.EXPORT, _ACCOUNT, 10, 3_600),
            _of(RouteClass.EXPORT, _ADDRESS, 100, 3_600),
        ),
        RouteClass.ADMIN: (
            _of(RouteClass.ADMIN, _ACCOUNT, 300, 10),
            _of(RouteClass.ADMIN, _ADDRESS, 600, 10),
        ),
        RouteClass.WEBHOOK: (_of(RouteClass.WEBHOOK, _ADDRESS, 30_000, 60),),
        RouteClass.PROBE: (),
    }
)

UNKNOWN_KEYS: Final = Policy("keys-address", Whose.ADDRESS, 300, 60)
"""API keys of which a process knows nothing, before it looks them up: a good one counts once in each process."""

UNKNOWN_LINKS: Final = Policy("links-address", Whose.ADDRESS, 600, 60)
"""Links of which a process knows nothing, before it looks them up: who opens one that leads somewhere is not counted
again for it, so this is what a whole network opens for the first time in a minute, or what one guesser may try."""

DRAWN_CARDS: Final = Policy("cards-address", Whose.ADDRESS, 240, 60)
"""Cards that a process does not have and must draw: chats fetch them for all their people from few addresses."""

DRAWN_OF_A_LINK: Final = Policy("posters-address", Whose.ADDRESS, 120, 60)
"""Posters and codes that must be drawn: each link has its own, and people fetch them, not chats."""

NEEDS_THE_COUNT: Final = frozenset({RouteClass.CODES, RouteClass.SIGN_IN})
"""What is refused while nobody knows the count of all processes. Refreshing is not among them: a refresh token cannot
be guessed, and without new access tokens nobody could join ten minutes later."""

PREFIX_LEAVES_DIGITS: Final = 5
"""Numbers that differ only in their last digits, 100,000 of them, share an allowance: whoever earns by messages to
expensive numbers owns such a block, while its honest owners seldom ask for 200 codes in one hour."""


def prefix_of(phone: str) -> str:
    """The block of numbers that an E.164 number is in: its country and the first digits."""
    return phone[: max(len("+000"), len(phone) - PREFIX_LEAVES_DIGITS)]
