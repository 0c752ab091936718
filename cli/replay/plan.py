"""What the log does not say, chosen the same way every time: each item's deal, and so what each group must come to.

The prices are worked out here with plain sums, not by the rules under test: they are what the API's answers are held
against.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cli.replay.log import LoggedGroup
from domain.pricing.schedule import TIERS_MAX

CURRENCY = "CNY"
TIPS_AT = 2
CEILING_PERCENT = 85
STEP_PERCENT = 2


@dataclass(slots=True)
class Item:
    """An item of the log as a deal: as large as its largest group, with a unit in stock for everybody in the log."""

    number: int
    size: int = TIPS_AT
    units: int = 0

    @property
    def solo_price(self) -> int:
        """From 9.90 to 49.89 in minor units, by the item's number."""
        return 990 + self.number * 37 % 4000

    def unit_price(self, participants: int) -> int:
        """One step less for each participant after the second, as long as there are tiers."""
        ceiling = self.solo_price * CEILING_PERCENT // 100
        step = self.solo_price * STEP_PERCENT // 100
        steps = min(max(participants, TIPS_AT), TIPS_AT + TIERS_MAX - 1) - TIPS_AT
        return ceiling - steps * step

    def deal(self, group_lifetime_s: int) -> dict[str, object]:
        """The body that creates the deal."""
        last_tier = min(self.size, TIPS_AT + TIERS_MAX - 1)
        return {
            "title": f"Item {self.number}",
            "description": "An item of a replayed group-buying log; its prices are made up.",
            "currency": CURRENCY,
            "solo_price": self.solo_price,
            "tiers": [
                {"participants": participants, "unit_price": self.unit_price(participants)}
                for participants in range(TIPS_AT, last_tier + 1)
            ],
            "grouping": "team",
            "group_size_max": self.size,
            "group_lifetime_s": group_lifetime_s,
            "stock": self.units,
        }


@dataclass(frozen=True, slots=True)
class Fate:
    """What a group must have come to; `pays` is what each of its shoppers pays, `full` that it closed at once."""

    status: Literal["succeeded", "failed"]
    participants: int
    unit_price: int
    pays: int
    full: bool


def items_of(log: Iterable[LoggedGroup]) -> dict[int, Item]:
    """The items of a log by number, in the order they first appear."""
    items: dict[int, Item] = {}
    for group in log:
        item = items.get(group.item)
        if item is None:
            item = items[group.item] = Item(group.item)
        participants = 1 + len(group.friends)
        item.size = max(item.size, participants)
        item.units += participants
    return items


def fate_of(group: LoggedGroup, item: Item) -> Fate:
    """What the log says became of a group."""
    participants = 1 + len(group.friends)
    unit_price = item.unit_price(participants)
    if participants < TIPS_AT:
        return Fate("failed", participants, unit_price, pays=0, full=False)
    return Fate("succeeded", participants, unit_price, pays=unit_price, full=participants == item.size)
