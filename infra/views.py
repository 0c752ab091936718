"""What a group looks like to anyone: the same shape in the API, in the counters and on the live stream."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from domain.groupbuy.group import Group, GroupStatus, Place
from domain.groupbuy.payment import Payment
from domain.pricing.schedule import Tier
from domain.pricing.settlement import settle


class NextTier(msgspec.Struct, frozen=True):
    """The tier the next joiners are on their way to."""

    participants: int
    participants_needed: int
    unit_price: int


class SettlingView(msgspec.Struct, frozen=True):
    """How far a closed group's money is: of so many participants' payments, `settled` have come to their end."""

    settled: int
    payments: int


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A group's public state at a version; prices are minor units of `currency`.

    `awaiting_payment` are places reserved for shoppers who still have to pay. `settling` is null before closing, and
    where no money is taken.
    """

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
    awaiting_payment: int = 0
    settling: SettlingView | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the group's fate is decided."""
        return self.status != GroupStatus.OPEN

    @property
    def is_final(self) -> bool:
        """Whether nothing of this state will change any more."""
        settling = self.settling
        return (
            self.is_closed and not self.awaiting_payment and (settling is None or settling.settled == settling.payments)
        )


class PlaceStatus(StrEnum):
    """Where a shopper's place stands.

    `awaiting_payment`: only reserved. `joined`: it counts. `dropped`: lost after closing, because its payment could not
    be captured or its order was cancelled.
    """

    AWAITING_PAYMENT = "awaiting_payment"
    JOINED = "joined"
    DROPPED = "dropped"


class PlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper's own place; `hold` is held until closing, `pays` is final (null while the group is open).

    `payment` says what is still to do and until when, while the place is `awaiting_payment`.
    """

    quantity: int
    variant_id: UUID
    joined_at: datetime
    invite_code: str | None
    hold: int
    pays: int | None
    order_id: UUID
    status: PlaceStatus = PlaceStatus.JOINED
    payment: "AwaitedPayment | None" = None


class AwaitedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """What a shopper still has to do, by `pay_by`, for the place to count.

    `client_secret` or `redirect_url` is what the app finishes the payment with; both are null while the gateway has not
    answered yet: ask again with `POST /v1/orders/{order_id}/payment`.
    """

    gateway: str
    amount: int
    currency: str
    pay_by: datetime
    client_secret: str | None = None
    redirect_url: str | None = None


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
        awaiting_payment=group.awaiting,
        settling=_settling(group),
    )


def _settling(group: Group) -> SettlingView | None:
    if group.is_open or group.terms.payment is None:
        return None
    return SettlingView(settled=group.settled, payments=group.participants)


def _coming(tier: Tier, participants: int) -> NextTier:
    return NextTier(tier.participants, tier.participants - participants, tier.unit_price)


def place_view(place: Place, group: GroupView) -> PlaceView:
    """A place as its shopper sees it, in a group at that state."""
    pays = None
    if group.is_closed:
        final_unit_price = group.unit_price if group.status == GroupStatus.SUCCEEDED else None
        pays = (
            settle(place.hold_minor, place.quantity, final_unit_price).capture_minor if place.dropped_at is None else 0
        )
    return PlaceView(
        quantity=place.quantity,
        variant_id=place.variant_id,
        joined_at=place.joined_at,
        invite_code=place.invite_code,
        hold=place.hold_minor,
        pays=pays,
        order_id=place.order_id,
        status=PlaceStatus.JOINED if place.dropped_at is None else PlaceStatus.DROPPED,
    )


def reserved_view(payment: Payment, awaited: AwaitedPayment) -> PlaceView:
    """A reserved place as its shopper sees it."""
    return PlaceView(
        quantity=payment.quantity,
        variant_id=payment.variant_id,
        joined_at=payment.created_at,
        invite_code=payment.invite_code,
        hold=payment.hold_minor,
        pays=None,
        order_id=payment.order_id,
        status=PlaceStatus.AWAITING_PAYMENT,
        payment=awaited,
    )
