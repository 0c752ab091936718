"""Who gets what of captured money: the platform's fee and the leader's reward, so that the parts always make the whole.

Both are functions of what is kept (captured less refunded) and only differences of them are ever moved. So rounding,
always down, happens on the total and never adds up: after a full refund exactly nothing is left with anybody.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.errors import FieldProblems
from domain.pricing.schedule import PRICE_MINOR_MAX

BASIS_POINTS = 10_000


class RewardKind(StrEnum):
    """`fixed`: an amount; `share`: basis points of the group's captured total; `free_unit`: the leader's own unit."""

    FIXED = "fixed"
    SHARE = "share"
    FREE_UNIT = "free_unit"


_AMOUNTS = {
    RewardKind.FIXED: (1, PRICE_MINOR_MAX, "minor units"),
    RewardKind.SHARE: (1, BASIS_POINTS, "basis points"),
    RewardKind.FREE_UNIT: (0, 0, "for a free unit, which is worth its price"),
}


@dataclass(frozen=True, slots=True)
class Reward:
    """What a deal gives the leader of a group that succeeds, out of the merchant's share.

    `amount` is minor units for `fixed`, basis points for `share`, and 0 for `free_unit` (worth the final unit price).
    Raises `InvalidInput`.
    """

    kind: RewardKind
    amount: int = 0

    def __post_init__(self) -> None:
        least, most, unit = _AMOUNTS[self.kind]
        problems = FieldProblems()
        problems.require(least <= self.amount <= most, "reward.amount", f"must be from {least} to {most} {unit}")
        problems.raise_if_any()


def fee_on(kept_minor: int, fee_bps: int) -> int:
    """The platform's fee on an order of which so much is kept, rounded down, minor units."""
    return kept_minor * fee_bps // BASIS_POINTS


def full_reward(reward: Reward | None, asked_minor: int, unit_price: int, fee_bps: int) -> int:
    """What the leader gets where everything asked for is captured and kept; never more than the merchant's share."""
    if reward is None:
        return 0
    wanted = {
        RewardKind.FIXED: reward.amount,
        RewardKind.SHARE: asked_minor * reward.amount // BASIS_POINTS,
        RewardKind.FREE_UNIT: unit_price,
    }
    return min(wanted[reward.kind], asked_minor - fee_on(asked_minor, fee_bps))


def reward_on(kept_minor: int, asked_minor: int, full_reward_minor: int) -> int:
    """The leader's reward while so much of what was asked for is kept: in proportion, rounded down, minor units."""
    return kept_minor * full_reward_minor // asked_minor if asked_minor else 0
