"""Pages are valid HTML in every state and language, and hold nothing that their own policy refuses."""

import re
from typing import Any, Final

import pytest

from api.pages.group_html import page_with
from api.pages.join_step import CHOOSING, Step
from api.pages.showing import POLICY
from domain.pricing.schedule import Tier
from domain.sharing.language import Language
from tests.pages.reading import Read
from tests.pages.scene import ORIGIN, STATES, page_of, part_of, person, shows

EVERY: Final = [(state, language) for state in STATES for language in Language]


@pytest.mark.parametrize(("state", "language"), EVERY)
def test_a_page_is_valid_and_within_its_policy(state: str, language: Language) -> None:
    """No error of HTML, no id twice, nothing that leads nowhere, no style or script but those the policy allows."""
    read = Read(page_of(state, language))
    assert (read.errors, read.faults()) == ([], [])
    assert read.one("html").get("lang") == language
    assert read.style_source in POLICY.decode()
    assert "unsafe" not in POLICY.decode()


def test_a_groups_own_page_is_valid_too() -> None:
    """Without a sharer, a merchant's name, a picture or a word about the deal."""
    bare: dict[str, Any] = {"invite": None, "merchant_name": None, "deal": {"image_url": None, "description": ""}}
    read = Read(page_of("tipped", **bare))
    assert (read.errors, read.faults()) == ([], [])


@pytest.mark.parametrize("state", STATES)
def test_a_live_part_is_valid_and_what_the_page_shows(state: str) -> None:
    """What comes while the page is open is what a fresh page has in the same place."""
    part, page = part_of(state), page_of(state)
    assert Read.of_part(part.partition("<hx-partial")[0]).errors == []
    shown = part.partition("<hx-partial")[0].strip()
    assert shown in page


def test_prices_and_people_are_said() -> None:
    """The present price, the price without a group, the ladder, who is in, and how many more; 12 faces at most."""
    read = Read(page_of("lowest"))
    text = " ".join(read.text().split())
    assert "$7.00" in text
    assert [one.text for one in read.all("s")] == ["$12.00"]
    assert [one.get("class") for one in read.all("li") if one.get("class")] == ["reached", "now"]
    assert "17 people are in" in text
    assert "Person 12" in text
    assert "+5" in text
    assert "3 places left" in text


def test_prices_of_a_deal_that_was_edited_are_not_said_of_a_group_that_opened_before() -> None:
    """Promise 4: what the group goes by is shown, its next price among it, and its own ladder."""
    edited = {"tiers": (Tier(3, 1_000), Tier(5, 600))}
    page = Read(page_of("open", deal=edited))
    text = " ".join(page.text().split())
    assert "from 2 people $9.00 each" in text
    assert "from 4 people" in text
    assert ("$7.00" in text, "$10.00" in text, "$6.00" in text) == (True, False, False)
    assert (page.errors, page.faults()) == ([], [])


@pytest.mark.parametrize(
    ("state", "may_fail", "may_fall"), [("open", True, True), ("tipped", False, True), ("lowest", False, False)]
)
def test_what_friends_bring_is_said_while_it_is_true(state: str, *, may_fail: bool, may_fall: bool) -> None:
    """No lower price is promised where there is none, and whoever joins a group that made it is held to it."""
    page = " ".join(page_with(shows(state), Language.EN, ORIGIN, CHOOSING).decode().split())
    assert ("If too few come together, nobody pays." in page) == may_fail
    assert ("The more who join, the less everyone pays" in page) == may_fall
    assert ("The more friends join, the less all of you pay." in page) == may_fall
    assert ('" data-tipped' in page, "data-lowest>" in page) == (not may_fail, not may_fall)
    place = page_with(shows(state), Language.EN, ORIGIN, Step(name="place")).decode()
    assert ("This group has reached its first price" in place) == (not may_fail)


def test_before_the_first_tier_the_price_is_the_one_of_so_many() -> None:
    """Nobody is told that the group's price is there already."""
    text = " ".join(Read(page_of("open")).text().split())
    assert "from 2 people $9.00 each" in text
    assert "Price now" not in text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("succeeded", "Every place was taken. Everyone pays $7.00 each."),
        ("failed", "Its time was over. Nobody pays. What was held for it goes back."),
        ("cancelled", "The seller called it off. Nobody pays. What was held for it goes back."),
    ],
)
def test_after_closing_it_says_what_happened_and_where_else_to_go(state: str, said: str) -> None:
    """Promise 3 in words, other groups and deals, and nothing that leads to joining or sharing this one."""
    read = Read(page_of(state))
    assert said in " ".join(read.text().split())
    assert [one.get("href") for one in read.all("a") if "/g/" in one.get("href", "")] != []
    assert not {one.get("id") for one in read.all("section")} & {"join", "share"}
    assert "data-hx-sse:connect" not in page_of(state)
    prices = [one.get("class") for one in read.all("p") if one.get("class") in {"price", "news"}]
    assert prices == (["price"] if state == "succeeded" else [])  # no price that nobody pays


def test_a_closing_part_brings_where_else_to_go() -> None:
    """The last event changes what stands outside of the live part as well."""
    part = part_of("failed")
    assert re.search(r'<hx-partial hx-target="#more"[^>]*>\s*<section', part)
    assert "<hx-partial" not in part_of("tipped")


def test_pictures_of_people_come_by_https_or_not_at_all() -> None:
    """An address that is none of ours is asked for without saying who asks."""
    people = [person("Ada", "https://pictures.example/ada.jpg"), person("Bob", "http://pictures.example/bob.jpg")]
    faces = [one for one in Read(page_of(people=people)).all("img") if "pictures.example" in one.get("src", "")]
    assert [one.get("src") for one in faces][1:] == ["https://pictures.example/ada.jpg"]
    assert faces[1].get("referrerpolicy") == "no-referrer"


def test_a_long_description_is_cut() -> None:
    """A page has its bounds, whatever a merchant writes."""
    read = Read(page_of(deal={"description": "tea " * 1_250}))
    assert len(read.one("div", dir="auto").text or "") == 2_000


def test_nothing_is_shown_of_a_deal_that_nothing_is_told_of() -> None:
    """No empty card: neither its seller nor a description is known."""
    read = Read(page_of(deal={"description": ""}, merchant_name=None))
    assert [one for one in read.all("section") if one.get("class") == "about"] == []
