"""Several notices at once, in words: what stands above them, and what a phone has room for."""

import pytest

from domain.notices.bundles import LINES_SHOWN_MAX, Item, headline, letter_text, push_text
from domain.sharing.language import Language

TEA = Item("Tea", "One more person joined.", "https://tuan.example/g/1")
RICE = Item("Rice {0}", "Your group succeeded!")
LINK = "https://tuan.example/unsubscribe/x"


def test_one_deal_is_named_and_several_are_counted() -> None:
    """A phone shows the title in bold: the deal, or how much there is to see."""
    assert headline([TEA, TEA], Language.EN) == "Tea"
    assert headline([TEA, RICE, TEA], Language.EN) == "3 things happened in your groups"
    assert headline([TEA, RICE], Language.ZH) == "您的拼团有2条新动态"


def test_the_newest_comes_first_and_no_more_than_has_room() -> None:
    """The oldest of many are in the inbox."""
    items = [Item("Tea", f"{number}.") for number in range(LINES_SHOWN_MAX + 2)]
    assert push_text(items, Language.EN) == "4.\n3.\n2."
    assert push_text([TEA, RICE], Language.EN) == "Rice {0}: Your group succeeded!\nTea: One more person joined."


@pytest.mark.parametrize("language", Language)
def test_a_letter_has_all_of_them_and_its_way_out(language: Language) -> None:
    """The oldest first, each with its link if it has one, whatever stands in a title."""
    text = letter_text([TEA, RICE], language, LINK)
    parts = text.split("\n\n")
    assert parts[0] == "Tea\nOne more person joined.\nhttps://tuan.example/g/1"
    assert parts[1] == "Rice {0}\nYour group succeeded!"
    assert len(parts) == 3
    assert parts[2].endswith(LINK)
