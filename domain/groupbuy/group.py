"""Groups: one run of a deal, open, then succeeded, failed or cancelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.groupbuy.deal import Terms


class GroupStatus(StrEnum):
    """A group's fate; every status but `open` is final."""

    OPEN = "open"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ClosedBy(StrEnum):
    """What closed a group."""

    FULL = "full"
    DEADLINE = "deadline"
    MERCHANT = "merchant"
    EVERYONE_LEFT = "everyone_left"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group as decisions see it: counters, never its members, so a million of them cost what two cost.

    `version` rises by one with every event; `units_by_variant` is what its participants have taken of the deal's stock.
    `awaiting` are places reserved for shoppers who still have to pay: taken, but counting for no price. `settled` are
    participants whose payment has come to its end, `captured_minor` and `refunded_minor` what was taken from them and
    is decided to go back. `leader_is_in`: the leader has joined and not left: who is not in it earns no reward.
    """

    id: UUID
    deal_id: UUID
    leader_id: UUID | None
    terms: Terms
    status: GroupStatus
    participants: int
    units_by_variant: Mapping[UUID, int]
    version: int
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None
    awaiting: int = 0
    settled: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    leader_is_in: bool = False

    @property
    def unit_price(self) -> int:
        """What a unit costs at the present count, minor units; after closing the final price."""
        return self.terms.schedule.unit_price(self.participants)

    @property
    def ceiling_price(self) -> int:
        """The most a participant can ever pay per unit, minor units."""
        return self.terms.schedule.ceiling_price

    @property
    def final_unit_price(self) -> int | None:
        """What everybody pays per unit; None while open, and where nobody pays."""
        return self.unit_price if self.status is GroupStatus.SUCCEEDED else None

    @property
    def is_open(self) -> bool:
        """Whether its fate is undecided."""
        return self.status is GroupStatus.OPEN

    @property
    def is_tipped(self) -> bool:
        """Whether the first tier is reached, so that participants are committed."""
        return self.terms.schedule.is_tipped(self.participants)

    @property
    def is_full(self) -> bool:
        """Whether nobody more can join: every place is taken or reserved."""
        return self.participants + self.awaiting >= self.terms.group_size_max

    @property
    def seats_left(self) -> int:
        """How many can still join: none once it is closed."""
        return self.terms.group_size_max - self.participants - self.awaiting if self.is_open else 0

    @property
    def units(self) -> int:
        """Units its participants have taken, of all variants."""
        return sum(self.units_by_variant.values())

    @property
    def asked_minor(self) -> int:
        """What its participants are to pay in all; 0 where nobody pays, minor units."""
        return (self.final_unit_price or 0) * self.units

    @property
    def kept_minor(self) -> int:
        """What its participants have paid and not got back, minor units."""
        return self.captured_minor - self.refunded_minor

    @property
    def units_count_for_limit(self) -> bool:
        """Whether its units count towards `units_per_shopper_max`: units of failed and cancelled groups do not."""
        return self.status in {GroupStatus.OPEN, GroupStatus.SUCCEEDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One shopper's place in one group, with what is held for it (minor units).

    `number` is the group's version at joining: it orders the places of a group and never repeats. `dropped_at` is when
    the place was lost after closing: its capture failed, or its order was cancelled.
    """

    group_id: UUID
    shopper_id: UUID
    variant_id: UUID
    quantity: int
    hold_minor: int
    number: int
    joined_at: datetime
    order_id: UUID
    invite_code: str | None = None
    display_name: str | None = None
    dropped_at: datetime | None = None

    @property
    def units_count_for_limit(self) -> bool:
        """Whether its units are still the shopper's: those of a dropped place went back to stock."""
        return self.dropped_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A sharer's link into a group; knows its channel, its parent and how many joined through it.

    One that is revoked leads nowhere any more; whoever came by it stays brought.
    """

    code: str
    deal_id: UUID
    group_id: UUID
    sharer_id: UUID
    channel: str
    parent_code: str | None
    joins: int
    created_at: datetime
    revoked_at: datetime | None = None

    @property
    def is_revoked(self) -> bool:
        """Whether its sharer has taken it back."""
        return self.revoked_at is not None
