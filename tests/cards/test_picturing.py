"""What pictures show of a group, and so when their addresses change."""

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from domain.pricing.schedule import PriceSchedule, Tier
from domain.sharing.language import Language
from infra.cards.addresses import card_address, poster_address
from infra.cards.picture import Kind, Mood
from infra.cards.picturing import about, chosen, picture_of
from infra.sharing.landing import Landing
from infra.views import NextTier
from tests.cards.conftest import LINK
from tests.pages.scene import DEAL, INVITE, ORIGIN, STATES, TERMS, landing


def _changed(state: str = "tipped", **group_changes: Any) -> Landing:
    shown = landing(state)
    return replace(shown, group=replace(shown.group, **group_changes))


def _card(shown: Landing, language: Language = Language.EN) -> str:
    return card_address(ORIGIN, shown, language)


def test_a_cards_address_changes_with_the_tier_and_the_fate() -> None:
    """Every state of a group has a card of its own, in each language; asked again it is at the same address."""
    addresses = {_card(landing(state), language) for state in STATES for language in Language}
    assert len(addresses) == len(STATES) * len(Language)
    assert addresses == {_card(landing(state), language) for state in STATES for language in Language}


def test_a_cards_address_changes_with_what_the_merchant_changes() -> None:
    """Title, image and the merchant's name are in it, too."""
    plain = _card(landing())
    assert _card(landing(deal={"title": "Green tea"})) != plain
    assert _card(landing(deal={"image_url": None})) != plain
    assert _card(landing(merchant_name=None)) != plain


def test_what_is_not_drawn_does_not_change_the_address() -> None:
    """Time, the version and those who are in leave the card where it is: chats fetch each address once."""
    shown = landing()
    later = _changed(version=99, expires_at=shown.group.opened_at)
    assert _card(later) == _card(replace(shown, people=[]))


def test_a_card_asks_for_no_more_people_than_there_are_places() -> None:
    """Reserved places are on their way: besides them fewer are missing, or nobody is but all still have to pay."""
    coming = NextTier(4, 3, 900)
    for awaiting, seats_left, headline, aside in (
        (0, 3, "3 more and it's a deal", "3 places left"),
        (2, 1, "1 more and it's a deal", "Last place"),
        (3, 2, "$9.00 each once all have paid", "2 places left"),
        (3, 0, "$9.00 each once all have paid", "No place free"),
    ):
        shown = _changed("open", participants=1, next_tier=coming, awaiting_payment=awaiting, seats_left=seats_left)
        picture = picture_of(Kind.CARD, shown, Language.EN, "")
        assert (picture.headline, picture.aside) == (headline, aside)


@pytest.mark.parametrize(
    ("stock_left", "headline", "aside"),
    [
        (0, "Sold out for now", ""),
        (1, "Last place", ""),
        (2, "2 more and it's a deal", "2 places left"),
    ],
)
def test_a_card_promises_no_more_than_the_deal_has_left(stock_left: int, headline: str, aside: str) -> None:
    """Two are missing and many places free: what is left of all variants decides how many can come."""
    variants = [replace(DEAL.variants[0], stock_left=stock_left)]
    shown = replace(_changed("open", next_tier=NextTier(3, 2, 900)), deal=replace(DEAL, variants=variants))
    picture = picture_of(Kind.CARD, shown, Language.EN, "")
    assert (picture.headline, picture.aside) == (headline, aside)


def _missing(needed: int) -> Landing:
    """A group that comes to its last tier with so many more."""
    far = dataclasses.replace(TERMS, schedule=PriceSchedule(1_200, (Tier(2, 900), Tier(40, 700))))
    group = _changed(participants=40 - needed, next_tier=NextTier(40, needed, 700), seats_left=needed + 20)
    return replace(group, terms=far)


def test_large_numbers_are_told_coarsely() -> None:
    """While many are missing a join draws no new card; the last five do."""
    assert len({_card(_missing(needed)) for needed in (21, 25, 30)}) == 1
    assert len({_card(_missing(needed)) for needed in (1, 2, 3, 4, 5, 6)}) == 6


@pytest.mark.parametrize(
    ("number", "told"), [(1, 1), (5, 5), (6, 5), (10, 5), (11, 10), (21, 20), (10_000_000, 1_000_000)]
)
def test_a_round_number_is_never_above_the_true_one(number: int, told: int) -> None:
    """20+ is said only where more than 20 are missing."""
    assert about(number) == told


def test_all_links_of_a_group_share_its_card_and_none_its_poster() -> None:
    """The card says nothing of the link, so it is drawn once; the poster carries the link's code."""
    other = landing(invite=replace(INVITE, code="anothercodeofhis"))
    assert _card(landing()).rsplit("/", 1)[1] == _card(other).rsplit("/", 1)[1]
    posters = {poster_address(ORIGIN, one, Language.EN).rsplit("/", 1)[1] for one in (landing(), other)}
    assert len(posters) == 2


def test_a_groups_own_page_has_its_own_addresses() -> None:
    """Without a link the pictures are under the group's address."""
    shown = landing(invite=None)
    assert card_address(ORIGIN, shown, Language.ZH).startswith(f"{ORIGIN}/g/{shown.group.id}/card/zh-")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_said_in_every_language(state: str, language: Language) -> None:
    """No form of a text is left unfilled, and a closed group invites to open one's own."""
    shown = picture_of(Kind.POSTER, landing(state), language, LINK)
    said = [shown.headline, shown.aside, shown.price, shown.alone, *(rung.people for rung in shown.rungs)]
    assert not [text for text in said if "{" in text]
    assert shown.headline
    assert (shown.mood is Mood.OPEN) == (state in {"empty", "open", "tipped", "lowest"})


def test_what_one_more_person_changes_is_said() -> None:
    """A group that has tipped tells the next price; one that has not, what makes it a deal."""
    assert picture_of(Kind.CARD, landing("tipped"), Language.EN, LINK).headline == "1 more → $7.00 each"
    assert picture_of(Kind.CARD, landing("open"), Language.EN, LINK).headline == "1 more and it's a deal"
    assert picture_of(Kind.CARD, landing("tipped"), Language.DE, LINK).headline == "Noch 1 → je 7,00\u00a0$"


def test_tiers_given_to_the_deal_since_are_not_the_groups() -> None:
    """A merchant's later edit does not reach a group: its picture shows the ladder it was opened with."""
    edited = landing(deal={"tiers": (Tier(2, 850), Tier(4, 600))})
    shown = picture_of(Kind.CARD, edited, Language.EN, LINK).rungs
    assert shown == picture_of(Kind.CARD, landing(), Language.EN, LINK).rungs
    assert len(shown) == len(DEAL.tiers)


def test_of_many_tiers_the_last_reached_and_the_lowest_are_shown() -> None:
    """Four steps fit: where the group stands, what comes next, and what it can come to."""
    for tiers in range(1, 21):
        for reached in range(tiers + 1):
            shown = chosen(tiers, reached)
            assert shown == sorted(set(shown))
            assert len(shown) == min(tiers, 4)
            assert shown[-1] == tiers - 1
            assert not reached or reached - 1 in shown
