"""What the demonstration shows: the group as the API last told it, and who is in it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from domain.pricing.currency import format_minor


class Tier(msgspec.Struct, frozen=True):
    """From so many participants on, this unit price for everybody."""

    participants: int
    unit_price: int


class Deal(msgspec.Struct, frozen=True):
    """A deal as the API shows it, as far as the demonstration needs it."""

    id: str
    title: str
    currency: str
    solo_price: int
    tiers: tuple[Tier, ...]
    group_size_max: int
    group_lifetime_s: int


class Settling(msgspec.Struct, frozen=True):
    """How far a closed group's money is: `settled` of so many payments have come to their end."""

    settled: int
    payments: int


class Group(msgspec.Struct, frozen=True):
    """A group as the live stream tells it; `settling` is null while it is open, and where no money is taken."""

    id: str
    status: str
    participants: int
    seats_left: int
    unit_price: int
    ceiling_price: int
    tipped: bool
    version: int
    closed_at: str | None = None
    settling: Settling | None = None

    @property
    def is_final(self) -> bool:
        """Whether its fate is decided and its money where it belongs."""
        settling = self.settling
        return self.status != "open" and (settling is None or settling.settled == settling.payments)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody's joining as the screen tells it: when, who, by whose link, and the price if it fell."""

    at_s: float
    name: str
    invited_by: str | None
    participants: int
    new_price: int | None


Take: TypeAlias = Callable[[Group, list[str]], list[Arrival]]
"""Takes in a group's newest state and the names of who is in it; answers who is new."""


@dataclass(slots=True)
class Scene:
    """Everything on the screen; it changes only by what the API answers."""

    deal: Deal
    invited_by: dict[str, str | None]
    clock: Callable[[], float] = time.monotonic
    group: Group | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    opened_at: float = 0.0
    closed_at: float | None = None
    price_fell_at: float = -1e9

    @property
    def elapsed_s(self) -> float:
        """Seconds since the group was opened; stands still once it is closed."""
        return (self.clock() if self.closed_at is None else self.closed_at) - self.opened_at

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.deal.group_lifetime_s - self.elapsed_s)

    def money(self, amount_minor: int) -> str:
        """An amount of the deal's currency without its code."""
        return format_minor(amount_minor, self.deal.currency).split()[0]

    def take(self, group: Group, names: list[str]) -> list[Arrival]:
        """Take in the group's newest state and who is in it; answers who is new.

        The names are asked for after the state came, so there may be more of them than it counts: they come next.
        """
        if self.group is not None and group.version < self.group.version:
            return []
        fell = self.group is not None and group.unit_price < self.group.unit_price
        fell = fell or (group.tipped and (self.group is None or not self.group.tipped))
        self.group = group
        if fell:
            self.price_fell_at = self.clock()
        if group.status != "open" and self.closed_at is None:
            self.closed_at = self.clock()
        return self._arrive(names[: group.participants], group.unit_price if fell else None)

    def _arrive(self, names: list[str], new_price: int | None) -> list[Arrival]:
        """Several may have come since the last look: the price belongs to the last of them."""
        known = len(self.arrivals)
        new = [
            Arrival(
                self.elapsed_s,
                name,
                self.invited_by.get(name),
                known + number,
                new_price if known + number == len(names) else None,
            )
            for number, name in enumerate(names[known:], start=1)
        ]
        self.arrivals += new
        return new


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one shopper's own view of the closed group says, and what their order says was taken of what was held.

    `taken` is None where no money is taken, or where it is still on its way.
    """

    name: str
    held: int
    due: int
    taken: int | None

    @property
    def pays(self) -> int:
        """What the order says, else what is due."""
        return self.due if self.taken is None else self.taken

    @property
    def given_back(self) -> int:
        """What is free again of what was held."""
        return self.held - self.pays
