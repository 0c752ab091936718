"""How a group stands, as far as anything is said of it to somebody who is not in it."""

from dataclasses import dataclass
from datetime import datetime

from domain.groupbuy.group import GroupStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What texts, tags, cards, pages and notices are made from; prices are minor units of `currency` per unit.

    `reserved` places count for nobody until they are paid; `seats_left` are the others that are free and for which
    there is something left: of a deal that `is_sold_out`, none. `unit_price` is the price at the present count.

    While there is a next tier: it is reached at `next_at` participants, `needed` more than now, and costs
    `next_unit_price`, which spares each `saving_each` against what would be paid otherwise (`present_price`). These
    four are None together: at the lowest price, and once the group is closed.
    """

    title: str
    currency: str
    status: GroupStatus
    participants: int
    reserved: int
    seats_left: int
    is_sold_out: bool
    unit_price: int
    solo_price: int
    ceiling_price: int
    next_at: int | None
    next_unit_price: int | None
    needed: int | None
    saving_each: int | None
    expires_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status is GroupStatus.OPEN

    @property
    def can_be_joined(self) -> bool:
        """Whether anybody can come; where not, nobody is called for."""
        return self.is_open and self.seats_left > 0

    @property
    def is_tipped(self) -> bool:
        """Whether the first tier is reached; a group that did not get there and is closed has failed."""
        if self.is_open:
            return self.next_unit_price != self.ceiling_price
        return self.status is GroupStatus.SUCCEEDED

    @property
    def still_needed(self) -> int | None:
        """How many must come besides those who have a place reserved."""
        return None if self.needed is None else max(self.needed - self.reserved, 0)

    @property
    def is_next_in_reach(self) -> bool:
        """Whether so many can still come as the next tier needs: there may be less left of the deal than places."""
        return self.still_needed is not None and self.still_needed <= self.seats_left

    @property
    def present_price(self) -> int:
        """What one unit would cost if nobody else came: alone, the solo price, until the first tier is reached."""
        return self.unit_price if self.is_tipped else self.solo_price


def situation_of(  # noqa: PLR0913 - each is a fact of its own
    *,
    title: str,
    currency: str,
    status: str,
    participants: int,
    reserved: int,
    seats_left: int,
    unit_price: int,
    solo_price: int,
    ceiling_price: int,
    next_at: int | None,
    next_unit_price: int | None,
    expires_at: datetime,
    stock_left: int | None = None,
) -> Situation:
    """A situation from what a group shows; the next tier only while the group is open.

    `stock_left` are the units left of all variants, of which everybody who comes takes one or more; None if unknown.
    """
    fate = GroupStatus(status)
    needed, saving_each = None, None
    if fate is not GroupStatus.OPEN or next_at is None or next_unit_price is None:
        next_at, next_unit_price = None, None
    else:
        needed = next_at - participants
        saving_each = (solo_price if next_unit_price == ceiling_price else unit_price) - next_unit_price
    return Situation(
        title=title,
        currency=currency,
        status=fate,
        participants=participants,
        reserved=reserved,
        seats_left=seats_left if stock_left is None else min(seats_left, stock_left),
        is_sold_out=stock_left == 0,
        unit_price=unit_price,
        solo_price=solo_price,
        ceiling_price=ceiling_price,
        next_at=next_at,
        next_unit_price=next_unit_price,
        needed=needed,
        saving_each=saving_each,
        expires_at=expires_at,
    )
