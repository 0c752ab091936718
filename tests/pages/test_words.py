"""What pages say is there in every language, with the same things filled in."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from string import Formatter
from typing import Final

import pytest

from api.pages.speaking import WORDS
from api.pages.words import Words
from api.pages.words_en import ENGLISH
from domain.sharing.language import Language
from domain.sharing.saying import Forms

SENTENCES: Final = [field.name for field in dataclasses.fields(Words) if field.name != "months"]
MAY_BE_THE_SAME: Final = {"days_short", "live", "by_email", "by_sms"}
"""Words that several languages share."""


@pytest.mark.parametrize("language", Language)
def test_every_sentence_is_there_with_what_is_filled_in(language: Language) -> None:
    """No language lacks a sentence, a name in it, or has English left in it."""
    for name in SENTENCES:
        theirs, ours = _forms(WORDS[language], name), _forms(ENGLISH, name)
        assert len(theirs) == len(ours), name
        for sentence in theirs:
            assert sentence.strip() == sentence != "", name
            assert _filled_in(sentence) == _filled_in(ours[0]), name
        assert language is Language.EN or name in MAY_BE_THE_SAME or theirs != ours, name


def test_a_year_has_twelve_months() -> None:
    """In every language."""
    assert all(len(words.months) == 12 for words in WORDS.values())


@pytest.mark.parametrize(
    ("language", "written"),
    [
        (Language.EN, "7 Mar 2027, 23:05 UTC"),
        (Language.DE, "7. März 2027, 23:05 Uhr UTC"),
        (Language.ES, "7 de marzo de 2027, 23:05 UTC"),
        (Language.ZH, "2027年3月7日 23:05 (UTC)"),
    ],
)
def test_moments_are_written_as_people_write_them(language: Language, written: str) -> None:
    """In UTC and saying so, wherever the moment was told."""
    moment = datetime(2027, 3, 7, 23, 5, tzinfo=UTC).astimezone(timezone(timedelta(hours=9)))
    assert WORDS[language].moment_text(moment) == written


def _forms(words: Words, name: str) -> list[str]:
    said = getattr(words, name)
    return [said.one, said.other] if isinstance(said, Forms) else [said]


def _filled_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
