"""Price schedules: only falling ones can be built, and each count has one price."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.pricing.schedule import PARTICIPANTS_MAX, PRICE_MINOR_MAX, TIERS_MAX, PriceSchedule, Tier
from tests.domain.catalogue import schedule, wrong_fields
from tests.domain.offers import schedules

large_schedules = schedules(participants_max=200, tiers_max=TIERS_MAX)
counts = st.integers(0, 250)


def naive_unit_price(given_schedule: PriceSchedule, participants: int) -> int:
    """A linear scan: the price of the last tier whose threshold is not above the count, else of the first."""
    reached = [tier for tier in given_schedule.tiers if tier.participants <= participants]
    return (reached or [given_schedule.tiers[0]])[-1].unit_price


@given(large_schedules, counts)
def test_unit_price_is_that_of_the_last_tier_reached(prices: PriceSchedule, participants: int) -> None:
    """Promise 3: the price of a count is its tier's, and the ceiling price before the first."""
    assert prices.unit_price(participants) == naive_unit_price(prices, participants)
    assert prices.is_tipped(participants) == (participants >= prices.tiers[0].participants)


@given(large_schedules, counts, counts)
def test_more_participants_never_pay_more(prices: PriceSchedule, some: int, others: int) -> None:
    """Promise 2: the unit price never rises with the count, and stays between the last tier's and the ceiling."""
    fewer, more = sorted((some, others))
    assert prices.unit_price(more) <= prices.unit_price(fewer) <= prices.ceiling_price < prices.solo_price
    assert prices.unit_price(more) >= prices.tiers[-1].unit_price >= 1


@given(large_schedules, counts)
def test_next_tier_is_the_first_not_yet_reached(prices: PriceSchedule, participants: int) -> None:
    """The tier on the way is the nearest above the count, and none at the lowest price."""
    ahead = [tier for tier in prices.tiers if tier.participants > participants]
    assert prices.next_tier(participants) == (ahead[0] if ahead else None)


def test_price_changes_exactly_at_the_threshold() -> None:
    """Promise 3: one below the threshold the price before holds, at it the new one."""
    prices = schedule(1_000, (3, 900), (5, 700))
    assert [prices.unit_price(count) for count in range(7)] == [900, 900, 900, 900, 900, 700, 700]
    assert [prices.is_tipped(count) for count in (2, 3, 4)] == [False, True, True]
    assert [prices.next_tier(count) for count in (2, 3, 4, 5)] == [Tier(3, 900), Tier(5, 700), Tier(5, 700), None]


WRONG = [
    (1_000, [], ["tiers"]),
    (2_000, [(count, 1_000 - count) for count in range(1, TIERS_MAX + 2)], ["tiers"]),
    (0, [(2, 900)], ["solo_price", "tiers[0].unit_price"]),
    (PRICE_MINOR_MAX + 1, [(2, 900)], ["solo_price"]),
    (1_000, [(2, 0)], ["tiers[0].unit_price"]),
    (1_000, [(2, -5)], ["tiers[0].unit_price"]),
    (1_000, [(2, 1_000)], ["tiers[0].unit_price"]),
    (1_000, [(2, 1_001)], ["tiers[0].unit_price"]),
    (1_000, [(0, 900)], ["tiers[0].participants"]),
    (1_000, [(-1, 900)], ["tiers[0].participants"]),
    (1_000, [(PARTICIPANTS_MAX + 1, 900)], ["tiers[0].participants"]),
    (1_000, [(2, 900), (2, 800)], ["tiers[1].participants"]),
    (1_000, [(3, 900), (2, 800)], ["tiers[1].participants"]),
    (1_000, [(2, 900), (3, 900)], ["tiers[1].unit_price"]),
    (1_000, [(2, 900), (3, 950), (4, 800)], ["tiers[1].unit_price"]),
    (1_000, [(2, 900), (3, 800), (3, 800)], ["tiers[2].participants", "tiers[2].unit_price"]),
]


@pytest.mark.parametrize(("solo_price", "tiers", "fields"), WRONG)
def test_a_wrong_schedule_cannot_be_built(solo_price: int, tiers: list[tuple[int, int]], fields: list[str]) -> None:
    """Each wrong tier is refused by its own name."""
    with pytest.raises(InvalidInput) as refused:
        schedule(solo_price, *tiers)
    assert wrong_fields(refused.value) == fields


def test_the_largest_schedule_can_be_built() -> None:
    """The bounds themselves are allowed: 20 tiers, the highest price, the most participants."""
    tiers = [(PARTICIPANTS_MAX - TIERS_MAX + number, PRICE_MINOR_MAX - number) for number in range(1, TIERS_MAX + 1)]
    prices = schedule(PRICE_MINOR_MAX, *tiers)
    assert prices.unit_price(PARTICIPANTS_MAX) == PRICE_MINOR_MAX - TIERS_MAX


tier_lists = st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 6)), max_size=4)


@given(st.integers(-1, 7), tier_lists)
def test_only_strictly_falling_schedules_can_be_built(solo_price: int, tiers: list[tuple[int, int]]) -> None:
    """A schedule is built exactly when thresholds rise, prices fall below solo, strictly, and all are positive."""
    counts_of, prices = [0, *(count for count, _ in tiers)], [solo_price, *(price for _, price in tiers)]
    is_right = (
        bool(tiers)
        and all(before < after for before, after in pairwise(counts_of))
        and all(before > after for before, after in pairwise(prices))
        and min(prices) >= 1
    )
    if is_right:
        schedule(solo_price, *tiers)
        return
    with pytest.raises(InvalidInput) as refused:
        schedule(solo_price, *tiers)
    assert all(field.startswith(("tiers", "solo_price")) for field in wrong_fields(refused.value))
