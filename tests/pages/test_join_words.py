"""What the way into a group says is there in every language, with the same things filled in."""

import dataclasses
from string import Formatter
from typing import Final

import pytest

from api.pages.join_said import said_of
from api.pages.speaking import JOIN_WORDS
from api.pages.words_join import JoinWords
from api.pages.words_join_en import ENGLISH
from domain.groupbuy.errors import GroupFull
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


def test_there_is_no_blank_between_chinese_sentences() -> None:
    """What bars the way and where else to go stand in a row, as people of the language write."""
    assert said_of(GroupFull(), Language.EN, "US").problem.startswith("Every place in this group is taken. Join ")
    assert said_of(GroupFull(), Language.ZH, "CN").problem == "该团名额已满。请加入其他团，或自己开团。"


def _filled_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
