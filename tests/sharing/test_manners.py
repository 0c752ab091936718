"""All that is said, in each language's manners: one form of address, its own punctuation, and no blank that breaks."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

import pytest

from api.pages.speaking import JOIN_WORDS, WORDS
from domain.notices.bundles import _WORDINGS as BUNDLES
from domain.notices.wording import NOTICE_WORDINGS
from domain.sharing.language import Language
from domain.sharing.picture_words import PICTURE_WORDS
from domain.sharing.saying import Forms
from domain.sharing.wording import WORDINGS

EN, ZH, DE, ES = Language
CATALOGUES: Final[tuple[Mapping[Language, Any], ...]] = (
    WORDINGS,
    PICTURE_WORDS,
    NOTICE_WORDINGS,
    BUNDLES,
    WORDS,
    JOIN_WORDS,
)


def sentences(language: Language) -> Iterator[str]:
    """Everything that is said in a language, each form of it."""
    for catalogue in CATALOGUES:
        words = catalogue[language]
        for field in fields(words):
            said = getattr(words, field.name)
            if isinstance(said, Forms):
                yield from (getattr(said, form.name) for form in fields(said))
            else:
                yield from (said,) if isinstance(said, str) else said


@pytest.mark.parametrize(
    ("language", "wrong"),
    [
        (DE, r"\b(?:Sie|Ihnen|Ihr|Ihre[mnrs]?)\b"),
        (ZH, r"你"),
        (ES, r"\b[Uu]sted(?:es)?\b"),
        (ZH, r"[\u4e00-\u9fff}][,.!?;:]|[,.!?;:][\u4e00-\u9fff]"),
        (ES, r"^[^¿]*\?|^[^¡]*!"),
        (DE, r"[^\u00a0]%"),
        (ES, r"[^\u00a0]%"),
        *((language, r"  |^\s|\s$|\s[.,!?]|\.\.\.|\"") for language in Language),
    ],
)
def test_each_language_keeps_its_manners(language: Language, wrong: str) -> None:
    """German says du and Chinese 您 throughout, Spanish opens its questions, and numbers stay with their percent."""
    assert [said for said in sentences(language) if re.search(wrong, said)] == []


def test_a_sentence_fits_its_count() -> None:
    """One is one; none and all others are many; and the number is written as people of the language write it."""
    places = Forms("one place", "{count} places of {owner}")
    assert places.said(1, EN) == "one place"
    assert [places.said(count, DE, owner="Mei") for count in (0, 1_200)] == ["0 places of Mei", "1.200 places of Mei"]
