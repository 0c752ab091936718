"""Quotes, holds, settlements and amounts written for people."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.currency import MINOR_DIGITS, format_minor, is_currency
from domain.pricing.quote import quote, quotes
from domain.pricing.schedule import PriceSchedule
from domain.pricing.settlement import hold_for, settle
from tests.domain.catalogue import schedule
from tests.domain.offers import schedules


@given(schedules(), st.integers(0, 10), st.integers(1, 1_000), st.sampled_from(["succeeded", "failed"]))
def test_capture_and_release_are_the_hold(prices: PriceSchedule, participants: int, quantity: int, fate: str) -> None:
    """Promise 3: whatever the count at closing, never more than the hold is taken and nothing of it is lost."""
    hold_minor = hold_for(prices.ceiling_price, quantity)
    paid = fate == "succeeded"
    final_unit_price = prices.unit_price(participants) if paid else None
    settlement = settle(hold_minor, quantity, final_unit_price)
    assert settlement.capture_minor + settlement.release_minor == settlement.hold_minor == hold_minor
    assert settlement.capture_minor == (prices.unit_price(participants) * quantity if paid else 0)
    assert settlement.release_minor >= 0


@pytest.mark.parametrize("final_unit_price", [901, -1])
def test_a_capture_never_exceeds_its_hold(final_unit_price: int) -> None:
    """Promise 3: a sum above the hold, or below nothing, is a fault that stops instead of charging."""
    assert settle(1_800, 2, 900).release_minor == 0
    with pytest.raises(ValueError, match="does not fit a hold"):
        settle(1_800, 2, final_unit_price)


@given(schedules(), st.integers(0, 10), st.integers(1, 50))
def test_a_quote_adds_up(prices: PriceSchedule, participants: int, quantity: int) -> None:
    """What all pay and what all save together is what they would pay alone."""
    quoted = quote(prices, participants, quantity)
    assert quoted.unit_price + quoted.saved_per_unit == prices.solo_price
    assert quoted.group_total == quoted.participant_total * participants
    assert quoted.participant_total == quoted.unit_price * quantity
    assert quoted.group_total + quoted.saved_total == prices.solo_price * quantity * participants
    assert quoted.tipped == prices.is_tipped(participants)


def test_quotes_show_every_count_of_a_small_group() -> None:
    """An editor sees each count where they fit the rows."""
    prices = schedule(1_000, (2, 900), (4, 700))
    assert [row.unit_price for row in quotes(prices, 5, 1, rows_max=5)] == [900, 900, 900, 700, 700]


def test_quotes_of_a_large_group_show_where_the_price_changes() -> None:
    """Where counts are too many for the rows: the first, both sides of each tier, and the last."""
    prices = schedule(1_000, (1, 950), (10, 900), (40, 700))
    assert [row.participants for row in quotes(prices, 500, 1, rows_max=100)] == [1, 9, 10, 39, 40, 500]


@given(schedules(participants_max=40, tiers_max=20), st.integers(40, 60), st.integers(1, 60))
def test_quotes_never_skip_a_price(prices: PriceSchedule, group_size_max: int, rows_max: int) -> None:
    """However few rows, each price of the schedule is among them, and counts rise from 1 to the group's size."""
    rows = list(quotes(prices, group_size_max, 1, rows_max))
    participants = [row.participants for row in rows]
    assert participants == sorted(set(participants))
    assert (participants[0], participants[-1]) == (1, group_size_max)
    assert {row.unit_price for row in rows} >= {tier.unit_price for tier in prices.tiers}


@pytest.mark.parametrize(
    ("amount_minor", "currency", "written"),
    [
        (1_234, "USD", "12.34 USD"),
        (5, "EUR", "0.05 EUR"),
        (0, "EUR", "0.00 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (-1_234, "CNY", "-12.34 CNY"),
        (1_234, "JPY", "1234 JPY"),
        (-1, "JPY", "-1 JPY"),
        (1_234, "KWD", "1.234 KWD"),
        (7, "BHD", "0.007 BHD"),
    ],
)
def test_amounts_are_written_with_their_currency_digits(amount_minor: int, currency: str, written: str) -> None:
    """Money shows the minor digits ISO 4217 gives its currency."""
    assert format_minor(amount_minor, currency) == written


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(MINOR_DIGITS)))
def test_a_written_amount_loses_nothing(amount_minor: int, currency: str) -> None:
    """Reading the written amount back gives the same minor units."""
    written, code = format_minor(amount_minor, currency).split(" ")
    assert code == currency
    assert Decimal(written).scaleb(MINOR_DIGITS[currency]) == amount_minor


@pytest.mark.parametrize("code", ["", "usd", "US", "USDX", "XXX", "ABC", " USD", "DEM", "€"])
def test_only_active_codes_in_capitals_are_currencies(code: str) -> None:
    """Retired, test and misspelt codes are none."""
    assert not is_currency(code)
    assert all(is_currency(known) for known in ("USD", "EUR", "CNY", "JPY", "KWD"))
