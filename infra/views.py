"""What a group looks like to anyone: the same shape in the API, in the counters and on the live stream."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.groupbuy.group import Group, GroupStatus, Place
from domain.pricing.schedule import Tier
from domain.pricing.settlement import settle


class NextTier(msgspec.Struct, frozen=True):
    """The tier the next joiners are on their way to."""

    participants: int
    participants_needed: int
    unit_price: int


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A group's public state at a version; prices are minor units of `currency`."""

    id: UUID
    deal_id: UUID
    leader_id: UUID | None
    status: str
    participants: int
    seats_left: int
    unit_price: int
    ceiling_price: int
    solo_price: int
    next_tier: NextTier | None
    tipped: bool
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    version: int
    currency: str

    @property
    def is_closed(self) -> bool:
        """Whether this state is final."""
        return self.status != GroupStatus.OPEN


class PlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper's own place; `hold` is held until closing, `pays` is final (null while the group is open)."""

    quantity: int
    variant_id: UUID
    joined_at: datetime
    invite_code: str | None
    hold: int
    pays: int | None


def group_view(group: Group) -> GroupView:
    """The public state of a group."""
    schedule = group.terms.schedule
    coming = schedule.next_tier(group.participants) if group.is_open else None
    return GroupView(
        id=group.id,
        deal_id=group.deal_id,
        leader_id=group.leader_id,
        status=group.status.value,
        participants=group.participants,
        seats_left=group.seats_left,
        unit_price=group.unit_price,
        ceiling_price=group.ceiling_price,
        solo_price=schedule.solo_price,
        next_tier=_coming(coming, group.participants) if coming else None,
        tipped=group.is_tipped,
        opened_at=group.opened_at,
        expires_at=group.expires_at,
        closed_at=group.closed_at,
        closed_by=group.closed_by and group.closed_by.value,
        version=group.version,
        currency=group.terms.currency,
    )


def _coming(tier: Tier, participants: int) -> NextTier:
    return NextTier(tier.participants, tier.participants - participants, tier.unit_price)


def place_view(place: Place, group: GroupView) -> PlaceView:
    """A place as its shopper sees it, in a group at that state."""
    pays = None
    if group.is_closed:
        final_unit_price = group.unit_price if group.status == GroupStatus.SUCCEEDED else None
        pays = settle(place.hold_minor, place.quantity, final_unit_price).capture_minor
    return PlaceView(
        quantity=place.quantity,
        variant_id=place.variant_id,
        joined_at=place.joined_at,
        invite_code=place.invite_code,
        hold=place.hold_minor,
        pays=pays,
    )
