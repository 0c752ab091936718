"""The numbers of a notice, as they were when it was made: a text is made of them in whatever language, at any time."""

from dataclasses import dataclass
from datetime import datetime

from domain.groupbuy.group import Group, GroupStatus
from domain.sharing.situation import Situation, situation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a group stood; prices are minor units per unit. `stock_left`: units of its deal, None where not noted."""

    status: str
    participants: int
    seats_left: int
    unit_price: int
    solo_price: int
    ceiling_price: int
    next_at: int | None
    next_unit_price: int | None
    expires_at: datetime
    group_size_max: int
    stock_left: int | None = None

    @property
    def reserved(self) -> int:
        """Places that are neither free nor anybody's yet, while the group is open."""
        is_open = self.status == GroupStatus.OPEN
        return self.group_size_max - self.participants - self.seats_left if is_open else 0

    def situation(self, title: str, currency: str) -> Situation:
        """The same as texts are made of."""
        return situation_of(
            title=title,
            currency=currency,
            status=self.status,
            participants=self.participants,
            reserved=self.reserved,
            seats_left=self.seats_left,
            unit_price=self.unit_price,
            solo_price=self.solo_price,
            ceiling_price=self.ceiling_price,
            next_at=self.next_at,
            next_unit_price=self.next_unit_price,
            expires_at=self.expires_at,
            stock_left=self.stock_left,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one person is told in numbers.

    `joined`: how many others came since the person did, or has last read how many there were: `participants_before`.
    `pays_minor`: what the person pays in a group that succeeded. `amount_minor` and `pay_by`: of a payment that is
    awaited, came too late or did not come.
    """

    standing: Standing | None = None
    joined: int | None = None
    participants_before: int | None = None
    quantity: int | None = None
    pays_minor: int | None = None
    amount_minor: int | None = None
    pay_by: datetime | None = None


def standing_of(group: Group, stock_left: int | None = None) -> Standing:
    """How a group stands now, there being so many units left of its deal."""
    schedule = group.terms.schedule
    coming = schedule.next_tier(group.participants) if group.is_open else None
    return Standing(
        status=group.status,
        participants=group.participants,
        seats_left=group.seats_left,
        unit_price=group.unit_price,
        solo_price=schedule.solo_price,
        ceiling_price=group.ceiling_price,
        next_at=coming.participants if coming else None,
        next_unit_price=coming.unit_price if coming else None,
        expires_at=group.expires_at,
        group_size_max=group.terms.group_size_max,
        stock_left=stock_left,
    )
