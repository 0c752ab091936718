"""What one decision sees: a deal, one of its groups, what is left of the stock, and what the asking shopper has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from domain.groupbuy.deal import Deal
from domain.groupbuy.group import Group, Invite, Place
from domain.groupbuy.order import Order, Refund
from domain.groupbuy.payment import Payment, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The part of the world one command is decided in.

    `stock_left` is units by variant. `places` are the asking shopper's, by group: those that count towards the
    deal's limit, and the one in `group` whatever its fate. `payments` are the shopper's by order: those units are kept
    for, and the one the command names. `order` and `refund` are those the command names, `invite` the one it names or
    would repeat; `comes_round`: the asking shopper shared it, or brought whoever did; `links`: how many the asking
    sharer has into the group, revoked ones among them.
    """

    deal: Deal | None = None
    group: Group | None = None
    stock_left: Mapping[UUID, int] = field(default_factory=dict)
    places: Mapping[UUID, Place] = field(default_factory=dict)
    payments: Mapping[UUID, Payment] = field(default_factory=dict)
    order: Order | None = None
    refund: Refund | None = None
    invite: Invite | None = None
    comes_round: bool = False
    links: int = 0

    @property
    def place(self) -> Place | None:
        """The asking shopper's place in the group, if there is one."""
        return self.places.get(self.group.id) if self.group else None

    @property
    def awaited(self) -> Payment | None:
        """The payment a place in the group is reserved for, if there is one."""
        for payment in self.payments.values():
            if self.group and payment.group_id == self.group.id and payment.status is PaymentStatus.AWAITING:
                return payment
        return None

    @property
    def units_held(self) -> int:
        """Units of the deal the asking shopper holds or has reserved."""
        in_groups = sum(place.quantity for place in self.places.values() if place.units_count_for_limit)
        return in_groups + sum(payment.quantity for payment in self.payments.values() if payment.holds_units)
