"""Quotes: what a price schedule means at each count of participants, for an editor or a shopper."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.pricing.schedule import PriceSchedule


@dataclass(frozen=True, slots=True)
class Quote:
    """The price at one count: minor units per unit, for one participant's quantity, and for all of them together."""

    participants: int
    tipped: bool
    unit_price: int
    participant_total: int
    group_total: int
    saved_per_unit: int
    saved_total: int


def quote(schedule: PriceSchedule, participants: int, quantity: int = 1) -> Quote:
    """What everybody pays and saves against the solo price at this count, each taking `quantity`."""
    unit_price = schedule.unit_price(participants)
    saved_per_unit = schedule.solo_price - unit_price
    return Quote(
        participants=participants,
        tipped=schedule.is_tipped(participants),
        unit_price=unit_price,
        participant_total=unit_price * quantity,
        group_total=unit_price * quantity * participants,
        saved_per_unit=saved_per_unit,
        saved_total=saved_per_unit * quantity * participants,
    )


def quotes(schedule: PriceSchedule, group_size_max: int, quantity: int, rows_max: int) -> Iterator[Quote]:
    """A quote at each count up to `group_size_max`; over `rows_max`, at 1, around each tier and at the end."""
    if group_size_max <= rows_max:
        counts: list[int] = list(range(1, group_size_max + 1))
    else:
        thresholds = {tier.participants for tier in schedule.tiers}
        before = {count - 1 for count in thresholds if count > 1}
        counts = sorted({1, group_size_max} | thresholds | before)
    return (quote(schedule, count, quantity) for count in counts)
