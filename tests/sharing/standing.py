"""Groups as they stand at a count of participants, for what is said of them."""

from datetime import UTC, datetime

from domain.groupbuy.group import GroupStatus
from domain.pricing.schedule import PriceSchedule
from domain.sharing.situation import Situation, situation_of

DEADLINE = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


def standing(
    prices: PriceSchedule,
    participants: int,
    status: GroupStatus = GroupStatus.OPEN,
    *,
    reserved: int = 0,
    seats_left: int | None = None,
    stock_left: int | None = None,
    title: str = "Jasmine tea, 250 g",
    currency: str = "USD",
) -> Situation:
    """A group of that schedule; without `seats_left` big enough for its last tier, those reserved, and one more."""
    tier = prices.next_tier(participants)
    size_max = max(prices.tiers[-1].participants, participants + reserved) + 1
    seats_left = size_max - participants - reserved if seats_left is None else seats_left
    return situation_of(
        title=title,
        currency=currency,
        status=status.value,
        participants=participants,
        reserved=reserved,
        seats_left=seats_left if status is GroupStatus.OPEN else 0,
        unit_price=prices.unit_price(participants),
        solo_price=prices.solo_price,
        ceiling_price=prices.ceiling_price,
        next_at=tier.participants if tier else None,
        next_unit_price=tier.unit_price if tier else None,
        expires_at=DEADLINE,
        stock_left=stock_left,
    )
