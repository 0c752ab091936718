"""What the way into a group says is there in every language, with the same things filled in."""

import dataclasses
from string import Formatter
from typing import Final

import pytest

from api.pages.join_step import JOIN_WORDS
from api.pages.words_join import JoinWords
from api.pages.words_join_en import ENGLISH
from domain.sharing.language import Language

SENTENCES: Final = [field.name for field in dataclasses.fields(JoinWords)]
SHARED: Final = {"code"}
"""A word that two languages share."""


@pytest.mark.parametrize("language", Language)
def test_every_sentence_of_joining_is_there_with_what_is_filled_in(language: Language) -> None:
    """No language lacks a sentence, a name in it, or has English left in it."""
    for name in SENTENCES:
        theirs, ours = getattr(JOIN_WORDS[language], name), getattr(ENGLISH, name)
        assert theirs.strip() == theirs != "", name
        assert _filled_in(theirs) == _filled_in(ours), name
        assert language is Language.EN or name in SHARED or theirs != ours, name


def _filled_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
