"""Fee and reward: parts of the whole, rounded down once, gone when the money is gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.pricing.ledger import Account, Movement, refunded, settled
from domain.pricing.shares import BASIS_POINTS, Reward, RewardKind, fee_on, full_reward, reward_on
from tests.domain.catalogue import wrong_fields

basis_points = st.integers(0, BASIS_POINTS) | st.sampled_from([0, 1, 250, 3_333, BASIS_POINTS])
kept = st.integers(0, 5_000)
rewards = st.none() | st.one_of(
    st.builds(Reward, st.just(RewardKind.FIXED), st.integers(1, 6_000)),
    st.builds(Reward, st.just(RewardKind.SHARE), st.integers(1, BASIS_POINTS)),
    st.just(Reward(RewardKind.FREE_UNIT)),
)


@given(kept_minor=kept, fee_bps=basis_points)
def test_a_fee_is_the_part_rounded_down(kept_minor: int, fee_bps: int) -> None:
    """The stated rounding: down, in the merchant's favour, to whole minor units."""
    fee_minor = fee_on(kept_minor, fee_bps)
    assert fee_minor * BASIS_POINTS <= kept_minor * fee_bps < (fee_minor + 1) * BASIS_POINTS


def test_rounding_by_hand() -> None:
    """2.5 % of 39 is 0 (0.975), of 40 is 1; 11.11 % of 1000 is 111."""
    assert (fee_on(39, 250), fee_on(40, 250), fee_on(1_000, 1_111)) == (0, 1, 111)
    assert reward_on(2, 3, 2) == 1


@pytest.mark.parametrize(
    ("reward", "whole"),
    [
        (None, 0),
        (Reward(RewardKind.FIXED, 200), 200),
        (Reward(RewardKind.FIXED, 100_000), 2_925),
        (Reward(RewardKind.SHARE, 1_000), 300),
        (Reward(RewardKind.SHARE, BASIS_POINTS), 2_925),
        (Reward(RewardKind.FREE_UNIT), 1_500),
    ],
)
def test_each_kind_of_reward(reward: Reward | None, whole: int) -> None:
    """Of 2 x 1500 less 2.5 % fee: the amount, the share of all, or one unit, never beyond the merchant's share."""
    assert full_reward(reward, 3_000, 1_500, 250) == whole


@given(reward=rewards, asked_minor=kept, unit_price=kept, fee_bps=basis_points)
def test_a_reward_fits_the_merchants_share(
    reward: Reward | None, asked_minor: int, unit_price: int, fee_bps: int
) -> None:
    """Fee and reward together never exceed what is paid."""
    whole_minor = full_reward(reward, asked_minor, unit_price, fee_bps)
    assert 0 <= whole_minor <= asked_minor - fee_on(asked_minor, fee_bps)


@st.composite
def sales(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int]]]:
    """What the orders of a group are to pay, and refunds (order, amount) in any order that never exceed it."""
    orders = draw(st.lists(st.integers(1, 400), min_size=1, max_size=5))
    left, refunds = list(orders), []
    for _ in range(draw(st.integers(0, 12))):
        at = draw(st.integers(0, len(orders) - 1))
        if left[at]:
            amount_minor = draw(st.integers(1, left[at]) | st.just(left[at]))
            left[at] -= amount_minor
            refunds.append((at, amount_minor))
    return orders, refunds


@given(sale=sales(), reward=rewards, fee_bps=basis_points, missing=st.sets(st.integers(0, 4)), gives_all=st.booleans())
def test_parts_are_the_whole_after_every_capture_and_refund(
    *,
    sale: tuple[list[int], list[tuple[int, int]]],
    reward: Reward | None,
    fee_bps: int,
    missing: set[int],
    gives_all: bool,
) -> None:
    """Whatever is captured and refunded in whatever pieces: nobody is below zero, the parts are what is kept."""
    orders, refunds = sale
    books = Books(orders, reward, fee_bps)
    for at in range(len(orders)):
        if at not in missing:
            books.capture(at)
    for at, amount_minor in refunds:
        if at not in missing:
            books.refund(at, amount_minor)
    if gives_all:
        for at, kept_minor in enumerate(books.kept):
            if kept_minor:
                books.refund(at, kept_minor)
        assert not any(books.balances[account] for account in PARTS)


PARTS = (Account.MERCHANT_PAYABLE, Account.PLATFORM_FEE, Account.LEADER_REWARD)


class Books:
    """The accounts of one group, checked after every movement of its money."""

    def __init__(self, orders: list[int], reward: Reward | None, fee_bps: int) -> None:
        self.orders, self.fee_bps = orders, fee_bps
        self.asked_minor = sum(orders)
        self.full_minor = full_reward(reward, self.asked_minor, orders[0], fee_bps)
        self.kept = [0] * len(orders)
        self.given_back_minor = 0
        self.balances = dict.fromkeys(Account, 0)

    def capture(self, at: int) -> None:
        before_minor = sum(self.kept)
        self.kept[at] = self.orders[at]
        fee_minor = fee_on(self.orders[at], self.fee_bps)
        reward_minor = self._reward(sum(self.kept)) - self._reward(before_minor)
        self._move(*settled(self.orders[at], 0, fee_minor, reward_minor))

    def refund(self, at: int, amount_minor: int) -> None:
        before, before_minor = self.kept[at], sum(self.kept)
        self.kept[at] -= amount_minor
        self.given_back_minor += amount_minor
        fee_minor = fee_on(before, self.fee_bps) - fee_on(self.kept[at], self.fee_bps)
        reward_minor = self._reward(before_minor) - self._reward(sum(self.kept))
        self._move(*refunded(amount_minor, fee_minor, reward_minor))

    def _reward(self, kept_minor: int) -> int:
        return reward_on(kept_minor, self.asked_minor, self.full_minor)

    def _move(self, *movements: Movement) -> None:
        for movement in movements:
            assert movement.amount_minor > 0
            self.balances[movement.from_account] -= movement.amount_minor
            self.balances[movement.to_account] += movement.amount_minor
        assert sum(self.balances[part] for part in PARTS) == sum(self.kept)
        assert self.balances[Account.REFUNDS] == self.given_back_minor
        assert all(self.balances[part] >= 0 for part in PARTS)
        assert sum(self.balances.values()) == 0


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        (RewardKind.FIXED, 0),
        (RewardKind.FIXED, -1),
        (RewardKind.SHARE, 0),
        (RewardKind.SHARE, BASIS_POINTS + 1),
        (RewardKind.FREE_UNIT, 1),
    ],
)
def test_a_reward_that_means_nothing_cannot_be_built(kind: RewardKind, amount: int) -> None:
    """Nothing, less than nothing, more than all of it, or a free unit with a price."""
    with pytest.raises(InvalidInput) as refusal:
        Reward(kind, amount)
    assert wrong_fields(refusal.value) == ["reward.amount"]
