"""The languages that people are written to in, and which of them somebody reads."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

RANGES_MAX: Final = 32
"""How many ranges of an `Accept-Language` are looked at; browsers send a handful."""
HEADER_CHARACTERS_MAX: Final = 1_000

_RANGE: Final = re.compile(
    r"[ \t]*(?P<tag>\*|[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*[qQ]=(?P<quality>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*",
    re.ASCII,
)
"""A language tag or range with its weight (RFC 9110, 12.5.4), as phones write tags too: `zh_Hans_CN`."""


class Language(StrEnum):
    """A language that texts are there in; Chinese is written in simplified characters for everybody."""

    EN = "en"
    ZH = "zh"
    DE = "de"
    ES = "es"


DEFAULT: Final = Language.EN

Said = TypeVar("Said")


def by_language(*, en: Said, zh: Said, de: Said, es: Said) -> Mapping[Language, Said]:
    """What is said in each language: none can be forgotten."""
    return MappingProxyType({Language.EN: en, Language.ZH: zh, Language.DE: de, Language.ES: es})


def language_of(locale_or_accept_language: str | None) -> Language:
    """The language that fits a locale or an `Accept-Language` header best; English where none does."""
    return fitting(locale_or_accept_language) or DEFAULT


def first_fitting(*wishes: str | None) -> Language:
    """The language of the first wish that names one of ours, the strongest wish first; English where none does."""
    return next((found for found in map(fitting, wishes) if found is not None), DEFAULT)


def fitting(wish: str | None) -> Language | None:
    """As `language_of`, and None where none fits; `*` is content with English, unless English is refused."""
    weights: dict[Language | None, float] = {}
    for tag, weight in _ranges((wish or "")[:HEADER_CHARACTERS_MAX]):
        language = None if tag == "*" else _known(tag)
        if language is not None or tag == "*":
            weights[language] = max(weight, weights.get(language, 0.0))
    if None in weights:
        weights.setdefault(DEFAULT, weights[None])
    best = max((language for language in weights if language), key=lambda language: weights[language], default=None)
    return best if best is not None and weights[best] > 0 else None


def _ranges(header: str) -> list[tuple[str, float]]:
    """What can be read of a header, in its order; the rest is as if it had not been sent."""
    found = map(_RANGE.fullmatch, header.split(",")[:RANGES_MAX])
    return [(match["tag"], float(match["quality"] or 1)) for match in found if match]


def _known(tag: str) -> Language | None:
    primary = re.split("[-_]", tag, maxsplit=1)[0].lower()
    return Language(primary) if primary in set(Language) else None
