"""The rules of merchants and those who work for them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from domain.errors import FieldProblem, FieldProblems, InvalidInput
from domain.groupbuy.text import check_line, check_text
from domain.identity.errors import LastOwner, StandingNotPossible
from domain.identity.permissions import KEYS_MAY, Permission, StaffRole, Standing

NAME_CHARACTERS_MAX: Final = 100
CONTACT_CHARACTERS_MAX: Final = 200
ABOUT_CHARACTERS_MAX: Final = 2_000
STAFF_MAX: Final = 100
INVITES_A_DAY_MAX: Final = 50
"""Each sends a message that costs money, and anybody may apply to be a merchant."""
INVITE_LIFETIME_S: Final = 7 * 24 * 3600
KEYS_MAX: Final = 50
KEY_NAME_CHARACTERS_MAX: Final = 100
KEY_LIFETIME_MIN_S: Final = 60
KEY_LIFETIME_MAX_S: Final = 5 * 366 * 24 * 3600

_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)

MAY_BECOME: Final[Mapping[Standing, frozenset[Standing]]] = MappingProxyType(
    {
        Standing.APPLIED: frozenset({Standing.APPROVED, Standing.REFUSED}),
        Standing.APPROVED: frozenset({Standing.SUSPENDED}),
        Standing.SUSPENDED: frozenset({Standing.APPROVED}),
        Standing.REFUSED: frozenset({Standing.APPROVED}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a merchant says of itself; `contact` is for the platform, not for shoppers.

    Raises `InvalidInput`, fields named.
    """

    name: str
    contact: str
    country: str | None = None
    about: str = ""

    def __post_init__(self) -> None:
        problems = FieldProblems()
        check_line(problems, "name", self.name, 1, NAME_CHARACTERS_MAX)
        check_line(problems, "contact", self.contact, 1, CONTACT_CHARACTERS_MAX)
        check_text(problems, "about", self.about, 0, ABOUT_CHARACTERS_MAX)
        problems.require(
            self.country is None or _COUNTRY.fullmatch(self.country) is not None,
            "country",
            "must be a country's two letters (ISO 3166-1) such as DE",
        )
        problems.raise_if_any()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """What an API key is for; raises `InvalidInput`, fields named."""

    name: str
    scopes: frozenset[Permission]
    lifetime_s: int | None = None

    def __post_init__(self) -> None:
        problems = FieldProblems()
        check_line(problems, "name", self.name, 1, KEY_NAME_CHARACTERS_MAX)
        problems.require(bool(self.scopes), "scopes", "must name at least one thing the key may do")
        problems.require(
            self.lifetime_s is None or KEY_LIFETIME_MIN_S <= self.lifetime_s <= KEY_LIFETIME_MAX_S,
            "expires_in_s",
            f"must be from {KEY_LIFETIME_MIN_S} to {KEY_LIFETIME_MAX_S} seconds, or be left out: good until revoked",
        )
        problems.raise_if_any()


def read_scopes(words: Iterable[str]) -> frozenset[Permission]:
    """Scopes as a caller writes them; raises `InvalidInput` for one that no key may have."""
    scopes = set()
    for number, word in enumerate(words):
        if word not in KEYS_MAY:
            raise InvalidInput([FieldProblem(f"scopes[{number}]", f"must be one of {', '.join(sorted(KEYS_MAY))}")])
        scopes.add(Permission(word))
    return frozenset(scopes)


def check_standing(before: Standing, after: Standing) -> None:
    """Raises `StandingNotPossible` unless a merchant that stands here may come to stand there."""
    if after not in MAY_BECOME[before]:
        raise StandingNotPossible(before, after)


def check_owners(owners: int, role: StaffRole, becomes: StaffRole | None) -> None:
    """Raises `LastOwner` where the only owner there is would be one no more (`becomes` None: would leave)."""
    if role is StaffRole.OWNER and becomes is not StaffRole.OWNER and owners <= 1:
        raise LastOwner
