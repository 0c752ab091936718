"""Texts to share: every number in them is the schedule's, in each language and at each turn of a group's life."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.groupbuy.group import GroupStatus
from domain.pricing.schedule import PARTICIPANTS_MAX, PRICE_MINOR_MAX, PriceSchedule, Tier
from domain.sharing.amounts import amount_text, count_text
from domain.sharing.language import Language
from domain.sharing.situation import Situation
from domain.sharing.texts import (
    LONG_CHARACTERS_MAX,
    PLACES_COUNTED_MAX,
    SHORT_CHARACTERS_MAX,
    SHORT_WEIGHT_MAX,
    SUBJECT_CHARACTERS_MAX,
    news_of,
    share_texts,
)
from domain.sharing.wording import WORDINGS
from tests.domain.offers import schedules
from tests.sharing.standing import standing

EN, ZH, DE, ES = Language
TEA = PriceSchedule(1_800, (Tier(4, 1_200), Tier(9, 800)))
ALONE_IN_IT = PriceSchedule(1_800, (Tier(1, 1_200), Tier(2, 800)))
LARGEST = PriceSchedule(PRICE_MINOR_MAX, (Tier(2, PRICE_MINOR_MAX - 1), Tier(PARTICIPANTS_MAX, PRICE_MINOR_MAX // 2)))
SUCCEEDED, FAILED, CANCELLED = GroupStatus.SUCCEEDED, GroupStatus.FAILED, GroupStatus.CANCELLED


def said(group: Situation, language: Language) -> str:
    """The news, with plain blanks between numbers and currencies."""
    return news_of(group, language).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("group", "news"),
    [
        (standing(TEA, 2), "2 more and everybody pays $12.00 instead of $18.00."),
        (standing(TEA, 3), "One more and everybody pays $12.00 instead of $18.00."),
        (standing(TEA, 5), "4 more and all 9 of us save $4.00 each."),
        (standing(TEA, 8, seats_left=4), "One more and all 9 of us save $4.00 each."),
        (standing(TEA, 8, seats_left=1), "One more and all 9 of us save $4.00 each. Only one place left."),
        (
            standing(TEA, 8, reserved=1, seats_left=0),
            ("Once reserved places are paid, the price is $8.00. All places are taken or reserved right now."),
        ),
        (
            standing(TEA, 2, reserved=1, seats_left=6),
            "One more and everybody pays $12.00 instead of $18.00. This counts places still unpaid.",
        ),
        (standing(ALONE_IN_IT, 1), "One more and we both save $4.00."),
        (standing(TEA, 9, seats_left=3), "$8.00 instead of $18.00: the lowest price is reached. 3 places left."),
        (standing(TEA, 9, seats_left=1), "$8.00 instead of $18.00: the lowest price is reached. Only one place left."),
        (
            standing(TEA, 9, seats_left=999),
            "$8.00 instead of $18.00: the lowest price is reached. There is room for more.",
        ),
        (standing(TEA, 2, stock_left=2), "2 more and everybody pays $12.00 instead of $18.00."),
        (standing(TEA, 2, stock_left=1), "Only one place left."),
        (standing(TEA, 2, stock_left=0), "Everything is sold or reserved right now."),
        (standing(TEA, 2, reserved=1, stock_left=0), "Everything is sold or reserved right now."),
        (
            standing(TEA, 3, reserved=1, stock_left=0),
            "Once reserved places are paid, the price is $12.00. Everything is sold or reserved right now.",
        ),
        (standing(TEA, 5, stock_left=3), "Now $12.00 instead of $18.00. 3 places left."),
        (standing(TEA, 5, stock_left=0), "Now $12.00 instead of $18.00. Everything is sold or reserved right now."),
        (
            standing(TEA, 9, stock_left=0),
            "$8.00 instead of $18.00: the lowest price is reached. Everything is sold or reserved right now.",
        ),
        (standing(TEA, 9, SUCCEEDED, stock_left=0), "Done! All 9 pay $8.00 instead of $18.00."),
        (standing(TEA, 9, SUCCEEDED), "Done! All 9 pay $8.00 instead of $18.00."),
        (standing(ALONE_IN_IT, 1, SUCCEEDED), "Done! One person pays $12.00 instead of $18.00."),
        (standing(TEA, 3, FAILED), "The group did not fill up in time. Nobody pays anything."),
        (standing(TEA, 3, CANCELLED), "The group was cancelled. Nobody pays anything."),
    ],
)
def test_each_turn_of_a_groups_life_has_its_words(group: Situation, news: str) -> None:
    """What one more person is worth, how few places are left, what became of it: in English."""
    assert said(group, EN) == news


@pytest.mark.parametrize(
    ("group", "news"),
    [
        (
            standing(TEA, 2, currency="CNY"),
            (
                "再来2人，每人只付¥12.00，单买¥18.00。",
                "Kommen noch 2 dazu, zahlen alle 12,00 CN¥ statt 18,00 CN¥.",
                "Con 2 personas más, pagamos 12,00 CNY cada uno en vez de 18,00 CNY.",
            ),
        ),
        (
            standing(TEA, 8, seats_left=1, currency="EUR"),
            (
                "再来1人，我们9人每人再省€4.00。仅剩1个名额。",
                "Kommt noch jemand dazu, sparen wir alle 9 je 4,00 €. Nur noch ein Platz frei.",
                "Con una persona más, los 9 ahorramos 4,00 € cada uno. Queda una sola plaza.",
            ),
        ),
        (
            standing(ALONE_IN_IT, 1, currency="EUR"),
            (
                "再来1人，我们俩每人再省€4.00。",
                "Kommt noch jemand dazu, sparen wir beide je 4,00 €.",
                "Con una persona más, los dos ahorramos 4,00 € cada uno.",
            ),
        ),
        (
            standing(TEA, 7, reserved=1, seats_left=1, currency="EUR"),
            (
                "再来1人，我们9人每人再省€4.00。已计入待付款的预留名额。仅剩1个名额。",
                (
                    "Kommt noch jemand dazu, sparen wir alle 9 je 4,00 €. "
                    "Unbezahlte Plätze zählen mit. Nur noch ein Platz frei."
                ),
                (
                    "Con una persona más, los 9 ahorramos 4,00 € cada uno. "
                    "Incluye plazas sin pagar. Queda una sola plaza."
                ),
            ),
        ),
        (
            standing(TEA, 3, reserved=1, currency="EUR"),
            (
                "预留名额付款后，每人只付€12.00。",
                "Sind die reservierten Plätze bezahlt, zahlen alle 12,00 €.",
                "Pagadas las reservas, el precio será 12,00 €.",
            ),
        ),
        (
            standing(TEA, 9, SUCCEEDED, currency="EUR"),
            (
                "拼团成功！9人每人只付€8.00，单买€18.00。",
                "Geschafft! Alle 9 zahlen 8,00 € statt 18,00 €.",
                "¡Conseguido! Los 9 pagan 8,00 € en vez de 18,00 €.",
            ),
        ),
    ],
)
def test_other_languages_say_the_same(group: Situation, news: tuple[str, str, str]) -> None:
    """Chinese has one form for all counts, German and Spanish one for one and one for the others."""
    assert tuple(said(group, language) for language in (ZH, DE, ES)) == news


@pytest.mark.parametrize(
    ("language", "nobody", "one", "many"),
    [
        (EN, "Nobody is in yet.", "1 person is in.", "12,345 people are in."),
        (ZH, "还没有人参团。", "已有1人参团。", "已有12,345人参团。"),
        (DE, "Noch ist niemand dabei.", "1 Person ist dabei.", "12.345 Personen sind dabei."),
        (
            ES,
            "Todavía no hay nadie en el grupo.",
            "Ya hay 1 persona en el grupo.",
            "Ya hay 12.345 personas en el grupo.",
        ),
    ],
)
def test_who_is_in_is_counted_as_people_count(language: Language, nobody: str, one: str, many: str) -> None:
    """Nobody, one and many are each said as they are said."""
    for participants, words in ((0, nobody), (1, one), (12_345, many)):
        assert share_texts(standing(TEA, participants), language).long.split("\n")[1].startswith(words)


def test_three_lengths_of_one_message() -> None:
    """A line for posts, two for chats, and a subject for mails."""
    texts = share_texts(standing(TEA, 8, seats_left=4), EN)
    assert texts.short == "Jasmine tea, 250 g: One more and all 9 of us save $4.00 each."
    assert texts.long == (
        "Join me: Jasmine tea, 250 g\n"
        "8 people are in. One more and all 9 of us save $4.00 each. Now $12.00 instead of $18.00."
    )
    assert texts.subject == "Join me: Jasmine tea, 250 g for $12.00 instead of $18.00"
    over = share_texts(standing(TEA, 3, CANCELLED), EN)
    assert over.short == over.subject == "Jasmine tea, 250 g: The group was cancelled. Nobody pays anything."
    assert over.long == "Jasmine tea, 250 g\nThe group was cancelled. Nobody pays anything."


def test_nobody_is_called_where_nobody_can_come() -> None:
    """Of a deal that is sold out no text invites; where too few are left for the price, none names it."""
    sold_out = "Everything is sold or reserved right now."
    texts = share_texts(standing(TEA, 5, stock_left=0), EN)
    assert texts.short == f"Jasmine tea, 250 g: Now $12.00 instead of $18.00. {sold_out}"
    assert texts.long == f"Jasmine tea, 250 g\nNow $12.00 instead of $18.00. {sold_out}"
    assert texts.subject == f"Jasmine tea, 250 g: {sold_out}"
    for language in Language:
        assert WORDINGS[language].sold_out in share_texts(standing(TEA, 2, stock_left=0), language).short
    few = share_texts(standing(TEA, 1, stock_left=2), EN)
    assert few.long == "Join me: Jasmine tea, 250 g\n1 person is in. 2 places left."
    assert few.subject == "Join me: Jasmine tea, 250 g"


@given(schedules(participants_max=60), st.integers(0, 70), st.integers(0, 30), st.sampled_from(Language), st.data())
def test_every_number_is_the_schedules(
    prices: PriceSchedule, participants: int, seats_left: int, language: Language, data: st.DataObject
) -> None:
    """Nothing but counts and prices of this group is told, and what each saves is the present price less the next."""
    currency = data.draw(st.sampled_from(["USD", "JPY", "KWD", "EUR", "CNY"]))
    group = standing(prices, participants, seats_left=seats_left, title="tea", currency=currency)
    before = prices.unit_price(participants) if prices.is_tipped(participants) else prices.solo_price
    tier = prices.next_tier(participants)
    counts, amounts = {participants}, {prices.unit_price(participants), prices.solo_price}
    if tier is not None:
        counts |= {tier.participants, tier.participants - participants}
        amounts |= {tier.unit_price, before - tier.unit_price}
    if seats_left <= PLACES_COUNTED_MAX:
        counts.add(seats_left)
    true = {count_text(count, language) for count in counts} | {
        numbers(amount_text(amount, currency, language))[0] for amount in amounts
    }
    texts = share_texts(group, language)
    for text in (texts.short, texts.long, texts.subject):
        assert set(numbers(text)) <= true, text
    if tier is None or tier.participants - participants > seats_left:
        return
    if prices.is_tipped(participants):
        assert amount_text(prices.unit_price(participants) - tier.unit_price, currency, language) in texts.short
    else:
        assert amount_text(tier.unit_price, currency, language) in texts.short
        assert amount_text(prices.solo_price, currency, language) in texts.short


@given(schedules(participants_max=60), st.data(), st.sampled_from(Language))
def test_nobody_is_asked_for_whom_there_is_no_place(
    prices: PriceSchedule, data: st.DataObject, language: Language
) -> None:
    """However many places are reserved: no more people are asked for than there are places left, in any text."""
    size_max = data.draw(st.integers(prices.tiers[-1].participants, 70))
    participants = data.draw(st.integers(0, size_max))
    reserved = data.draw(st.integers(0, size_max - participants))
    seats_left = size_max - participants - reserved
    group = standing(prices, participants, reserved=reserved, seats_left=seats_left)
    assert (group.still_needed or 0) <= seats_left
    told = said(group, language)
    assert not [count for count in range(seats_left + 1, 71) if told.startswith(asking_for(group, count, language))]


@given(
    st.text(max_size=200),
    st.sampled_from(Language),
    st.sampled_from(GroupStatus),
    st.integers(0, 9),
    st.sampled_from([0, 1, PARTICIPANTS_MAX - 9]),
)
@example("x" * 200, DE, GroupStatus.OPEN, 5, 1)
def test_texts_are_bounded_whatever_a_title_is(
    title: str, language: Language, status: GroupStatus, participants: int, reserved: int
) -> None:
    """A short text fits a post beside its link, a subject is one line, and a chat gets two."""
    group = standing(LARGEST, participants, status, reserved=reserved, title=title, currency="CHF")
    texts = share_texts(group, language)
    assert len(texts.short) <= SHORT_CHARACTERS_MAX
    assert weight(texts.short) <= SHORT_WEIGHT_MAX
    assert len(texts.subject) <= SUBJECT_CHARACTERS_MAX
    assert len(texts.long) <= LONG_CHARACTERS_MAX
    assert [text.count("\n") + 1 for text in (texts.short, texts.subject, texts.long)] == [1, 1, 2]


@pytest.mark.parametrize("language", Language)
def test_the_largest_numbers_fit_too(language: Language) -> None:
    """The dearest deal of most people, with a title that weighs most, still fits a post."""
    participants = PARTICIPANTS_MAX - 1_000_001
    for reserved in (0, 1, 1_000_000, 1_000_001):
        seats_left = PARTICIPANTS_MAX - participants - reserved
        group = standing(
            LARGEST, participants, reserved=reserved, seats_left=seats_left, title="茶" * 200, currency="CHF"
        )
        texts = share_texts(group, language)
        assert weight(texts.short) <= SHORT_WEIGHT_MAX, texts.short
        assert len(texts.subject) <= SUBJECT_CHARACTERS_MAX


def asking_for(group: Situation, count: int, language: Language) -> tuple[str, ...]:
    """What the news begin with where so many are asked for."""
    wording = WORDINGS[language]
    sentences = [wording.to_tip.of(count), wording.to_next.of(count), *([wording.to_be_two] if count == 1 else [])]
    counts = {"count": count_text(count, language), "all": count_text(group.next_at or 0, language)}
    return tuple(re.split("[{]next}|[{]saving}", one)[0].format(**counts) for one in sentences)


def numbers(text: str) -> list[str]:
    """The numbers in a text, with the points within them."""
    return re.findall(r"[0-9]+(?:[.,][0-9]+)*", text)


def weight(text: str) -> int:
    """How X counts: two for all but Latin, its neighbours and some punctuation (its `v3` configuration)."""
    light = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
    composed = unicodedata.normalize("NFC", text)
    return sum(1 if any(low <= ord(character) <= high for low, high in light) else 2 for character in composed)
