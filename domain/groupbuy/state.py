"""What one decision sees: a deal, one of its groups, what is left of the stock, and the asking shopper's places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from domain.groupbuy.deal import Deal
from domain.groupbuy.group import Group, Invite, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The part of the world one command is decided in.

    `stock_left` is units by variant. `places` are the asking shopper's, by group: those that count towards the
    deal's limit, and the one in `group` whatever its fate. `invite` is the one the command names or would repeat.
    """

    deal: Deal | None = None
    group: Group | None = None
    stock_left: Mapping[UUID, int] = field(default_factory=dict)
    places: Mapping[UUID, Place] = field(default_factory=dict)
    invite: Invite | None = None

    @property
    def place(self) -> Place | None:
        """The asking shopper's place in the group, if there is one."""
        return self.places.get(self.group.id) if self.group else None

    @property
    def units_held(self) -> int:
        """Units of the deal the asking shopper holds."""
        return sum(place.quantity for place in self.places.values())
