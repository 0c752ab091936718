"""What notices say, in every language."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.notices.facts import Facts, Standing
from domain.notices.kinds import OF_PAYMENTS, Kind
from domain.notices.texts import Money, Telling, notice_text
from domain.sharing.language import Language

STANDING = Standing(
    status="open",
    participants=3,
    seats_left=3,
    unit_price=900,
    solo_price=1_200,
    ceiling_price=900,
    next_at=4,
    next_unit_price=700,
    expires_at=datetime(2026, 11, 22, 18, 30, tzinfo=UTC),
    group_size_max=6,
)
LOWEST = replace(STANDING, participants=4, seats_left=2, unit_price=700, next_at=None, next_unit_price=None)
CLOSED = replace(LOWEST, status="succeeded", seats_left=0)


def said(
    kind: Kind, facts: Facts | None = None, language: Language = Language.EN, money: Money = Money.NEVER_TAKEN
) -> str:
    """The text."""
    told = Telling(kind=kind, title="Tea", currency="USD", facts=facts or Facts(standing=STANDING), money=money)
    return notice_text(told, language).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("kind", "facts", "english", "german"),
    [
        (
            Kind.JOINED,
            Facts(standing=STANDING, joined=1),
            "One more person joined. 3 people are in. One more and all 4 of us save $2.00 each.",
            "Noch jemand ist dabei. 3 Personen sind dabei. Kommt noch jemand dazu, sparen wir alle 4 je 2,00 $.",
        ),
        (
            Kind.JOINED,
            Facts(standing=replace(STANDING, stock_left=0), joined=1),
            (
                "One more person joined. 3 people are in. "
                "Now $9.00 instead of $12.00. Everything is sold or reserved right now."
            ),
            (
                "Noch jemand ist dabei. 3 Personen sind dabei. "
                "Jetzt 9,00 $ statt 12,00 $. Gerade ist alles verkauft oder reserviert."
            ),
        ),
        (
            Kind.JOINED,
            Facts(standing=LOWEST, joined=1_200),
            "1,200 more people joined. 4 people are in.",
            "1.200 weitere sind dabei. 4 Personen sind dabei.",
        ),
        (
            Kind.PRICE_DROPPED,
            Facts(standing=LOWEST),
            "The price dropped: $7.00 each now. That is the lowest price.",
            "Der Preis ist gefallen: jetzt 7,00 $ pro Stück. Das ist der niedrigste Preis.",
        ),
        (Kind.TWO_PLACES_LEFT, Facts(standing=LOWEST), "Only 2 places left.", "Nur noch 2 Plätze frei."),
        (
            Kind.TWO_PLACES_LEFT,
            Facts(standing=replace(STANDING, seats_left=1)),
            "Only one place left.",
            "Nur noch ein Platz frei.",
        ),
        (
            Kind.ONE_HOUR_LEFT,
            Facts(standing=STANDING),
            "One hour left. One more and all 4 of us save $2.00 each.",
            "Noch eine Stunde. Kommt noch jemand dazu, sparen wir alle 4 je 2,00 $.",
        ),
        (
            Kind.SUCCEEDED,
            Facts(standing=CLOSED, quantity=1, pays_minor=700),
            "Your group succeeded! You pay $7.00 instead of $12.00.",
            "Deine Gruppe hat es geschafft! Du zahlst 7,00 $ statt 12,00 $.",
        ),
        (
            Kind.SUCCEEDED,
            Facts(standing=CLOSED, quantity=3, pays_minor=2_100),
            "Your group succeeded! You pay $21.00: 3 for $7.00 each.",
            "Deine Gruppe hat es geschafft! Du zahlst 21,00 $: 3 Stück für je 7,00 $.",
        ),
        (
            Kind.PAYMENT_NEEDED,
            Facts(amount_minor=900),
            "Your place is kept for a few minutes: pay $9.00 to be in.",
            "Dein Platz ist für ein paar Minuten reserviert: Zahle 9,00 $, dann bist du dabei.",
        ),
    ],
)
def test_what_is_said(kind: Kind, facts: Facts, english: str, german: str) -> None:
    """Counts and amounts as people write them, and one is not many."""
    assert said(kind, facts) == english
    assert said(kind, facts, Language.DE) == german


@pytest.mark.parametrize(
    ("money", "english"),
    [
        (Money.NEVER_TAKEN, "You pay nothing."),
        (Money.COMING_BACK, "Your money is on its way back to you."),
        (Money.BACK, "Your money is back."),
    ],
)
def test_money_is_back_only_when_it_is(money: Money, english: str) -> None:
    """What is said of it is where it is."""
    assert said(Kind.FAILED, money=money) == f"Your group did not fill up in time. {english}"
    assert said(Kind.CANCELLED, money=money) == f"Your group was cancelled. {english}"
    late = said(Kind.PAYMENT_LATE, Facts(amount_minor=900), money=money)
    assert late.endswith(f"{english} There are other groups to join.")


@pytest.mark.parametrize("language", Language)
def test_who_buys_alone_has_no_place_in_a_group(language: Language) -> None:
    """What is said of a payment that was to be made, came late, did not come or was refused is of their order."""
    for kind in OF_PAYMENTS:
        told = Telling(
            kind=kind, title="Tea", currency="USD", facts=Facts(amount_minor=900), money=Money.BACK, is_alone=True
        )
        alone, in_group = notice_text(told, language), notice_text(replace(told, is_alone=False), language)
        assert alone != in_group
        assert not {"place", "名额", "Platz", "plaza"} & set(re.findall(r"名额|\w+", alone)), alone


@given(st.integers(2, 10**6), st.integers(1, 10**6), st.integers(1, 20), st.integers(1, 10**9))
def test_every_notice_says_something_in_every_language(people: int, joined: int, units: int, price: int) -> None:
    """No place for a value is left open, and no sentence is glued to the next."""
    standing = replace(
        STANDING, participants=people, next_at=people + joined, unit_price=price, next_unit_price=price - 1
    )
    facts = Facts(
        standing=standing, joined=joined, quantity=units, pays_minor=units * price, amount_minor=price * units
    )
    for kind, language, money in product(Kind, Language, Money):
        text = said(kind, facts, language, money)
        assert text.strip() == text != ""
        assert "{" not in text
        assert "  " not in text
        assert "Tea" not in text
        if language is not Language.ZH:
            assert not any(f"{end}{letter}" in text for end in ".!" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ¡")


def test_last_places_ask_for_no_more_people_than_fit() -> None:
    """Places that are neither free nor anybody's yet are on their way: besides them fewer are missing."""
    reserved = replace(STANDING, participants=2, seats_left=2, group_size_max=5)
    text = said(Kind.TWO_PLACES_LEFT, Facts(standing=reserved))
    assert "One more and all 4 of us save $2.00 each. This counts places still unpaid." in text
