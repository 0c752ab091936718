"""Situations: how a group stands follows from its schedule alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.groupbuy.group import GroupStatus
from domain.pricing.schedule import PriceSchedule
from tests.domain.offers import schedules
from tests.sharing.standing import standing


@given(schedules(participants_max=50), st.integers(1, 60))
def test_the_next_tier_is_the_schedules(prices: PriceSchedule, participants: int) -> None:
    """`needed` more people make `next_at`; each then pays `saving_each` less than without them."""
    group = standing(prices, participants)
    tier = prices.next_tier(participants)
    assert group.is_tipped == prices.is_tipped(participants)
    assert group.present_price == (prices.unit_price(participants) if group.is_tipped else prices.solo_price)
    if tier is None:
        assert (group.next_at, group.next_unit_price, group.needed, group.saving_each) == (None,) * 4
    else:
        assert (group.next_at, group.next_unit_price) == (tier.participants, tier.unit_price)
        assert group.needed == tier.participants - participants
        assert group.saving_each == group.present_price - tier.unit_price > 0


@pytest.mark.parametrize("status", [GroupStatus.SUCCEEDED, GroupStatus.FAILED, GroupStatus.CANCELLED])
@given(prices=schedules(participants_max=50), participants=st.integers(0, 60))
def test_a_closed_group_goes_nowhere(status: GroupStatus, prices: PriceSchedule, participants: int) -> None:
    """No next tier is held out once the fate is decided."""
    group = standing(prices, participants, status)
    assert (group.next_at, group.next_unit_price, group.needed, group.saving_each) == (None,) * 4
    assert group.is_tipped == (status is GroupStatus.SUCCEEDED)
