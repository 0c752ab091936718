"""Price schedules: how the unit price falls as participants join."""

from bisect import bisect_right
from dataclasses import dataclass, field

from domain.errors import FieldProblems

TIERS_MAX = 20
PRICE_MINOR_MAX = 10**12
PARTICIPANTS_MAX = 10_000_000


@dataclass(frozen=True, slots=True)
class Tier:
    """From `participants` on, everybody pays `unit_price` minor units per unit."""

    participants: int
    unit_price: int


@dataclass(frozen=True, slots=True)
class PriceSchedule:
    """A deal's tiers below its solo price; thresholds rise strictly, prices fall strictly.

    Prices are minor units of the deal's currency, from 1 to 10**12. Raises `InvalidInput` naming each wrong field.
    """

    solo_price: int
    tiers: tuple[Tier, ...]
    _thresholds: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self.solo_price, self.tiers)
        object.__setattr__(self, "_thresholds", tuple(tier.participants for tier in self.tiers))

    @property
    def ceiling_price(self) -> int:
        """The first tier's price: the most a participant can ever pay per unit."""
        return self.tiers[0].unit_price

    @property
    def tips_at(self) -> int:
        """Participants that reach the first tier."""
        return self._thresholds[0]

    def is_tipped(self, participants: int) -> bool:
        """Whether so many participants have reached the first tier."""
        return participants >= self.tips_at

    def unit_price(self, participants: int) -> int:
        """What a unit costs at this count; before the first tier the ceiling price."""
        reached = bisect_right(self._thresholds, participants)
        return self.tiers[max(reached - 1, 0)].unit_price

    def next_tier(self, participants: int) -> Tier | None:
        """The tier that the next joiners are on their way to; None at the lowest price."""
        reached = bisect_right(self._thresholds, participants)
        return self.tiers[reached] if reached < len(self.tiers) else None


def _check(solo_price: int, tiers: tuple[Tier, ...]) -> None:
    problems = FieldProblems()
    problems.require(
        1 <= solo_price <= PRICE_MINOR_MAX, "solo_price", f"must be from 1 to {PRICE_MINOR_MAX} minor units"
    )
    problems.require(1 <= len(tiers) <= TIERS_MAX, "tiers", f"must have from 1 to {TIERS_MAX} tiers")
    count_before, price_before = 0, None
    for number, tier in enumerate(tiers):
        where = f"tiers[{number}]"
        above = f"above {count_before}, the tier before it" if number else "at least 1"
        problems.require(
            count_before < tier.participants <= PARTICIPANTS_MAX,
            f"{where}.participants",
            f"must be {above}, and at most {PARTICIPANTS_MAX}",
        )
        _check_price(problems, f"{where}.unit_price", tier.unit_price, price_before, solo_price)
        count_before, price_before = tier.participants, tier.unit_price
    problems.raise_if_any()


def _check_price(problems: FieldProblems, where: str, price: int, price_before: int | None, solo_price: int) -> None:
    if not problems.require(1 <= price <= PRICE_MINOR_MAX, where, f"must be from 1 to {PRICE_MINOR_MAX} minor units"):
        return
    if price_before is not None:
        problems.require(price < price_before, where, f"must be below {price_before}, the tier before it")
    else:
        problems.require(price < solo_price, where, f"must be below the solo price {solo_price}")
