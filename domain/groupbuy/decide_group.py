"""Decisions about groups: open, join, leave, close, cancel."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import FieldProblems
from domain.groupbuy.address import Address
from domain.groupbuy.commands import (
    BuyAlone,
    CancelGroup,
    CloseGroup,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
)
from domain.groupbuy.deal import QUANTITY_MAX, Deal, DealStatus, Grouping, Terms
from domain.groupbuy.errors import (
    AddressRequired,
    CrowdHasOneGroup,
    DealClosesTooSoon,
    DealNotFound,
    DealNotStarted,
    DealOver,
    DealPausedNow,
    GroupClosed,
    GroupCommitted,
    GroupFull,
    GroupNotFound,
    GuestsMayNotBuy,
    InviteNotUsable,
    OutOfStock,
    UnitsLimitReached,
    VariantNotFound,
    VariantRequired,
)
from domain.groupbuy.events import (
    Event,
    GroupCancelled,
    GroupEvent,
    GroupFailed,
    GroupOpened,
    GroupSucceeded,
    ParticipantJoined,
    ParticipantLeft,
    PlaceReserved,
    ReservationLapsed,
    TierReached,
)
from domain.groupbuy.evolve import evolve
from domain.groupbuy.group import ClosedBy, Group, GroupStatus
from domain.groupbuy.payment import LapsedBecause, Payment
from domain.groupbuy.state import State
from domain.groupbuy.text import DISPLAY_NAME_CHARACTERS_MAX, check_line
from domain.pricing.settlement import hold_for


def join(state: State, command: JoinGroup, now: datetime) -> tuple[Event, ...]:
    """Take a place; being in already is no refusal and no event."""
    deal, group = deal_and_group(state, command.group_id)
    if state.place is not None or state.awaited is not None:
        return ()
    if not group.is_open:
        raise GroupFull if group.is_full and group.status is GroupStatus.SUCCEEDED else GroupClosed
    if now >= group.expires_at:
        raise GroupClosed
    return _take_place(state, deal, group, command, now)


def open_group(state: State, command: OpenGroup, now: datetime) -> tuple[Event, ...]:
    """Begin a group of a live team deal, its leader in it."""
    deal = state.deal
    if deal is None or deal.status_at(now) is DealStatus.DRAFT:
        raise DealNotFound(command.deal_id)
    require_live(deal, now)
    if deal.offer.grouping is Grouping.CROWD:
        raise CrowdHasOneGroup(deal.crowd_group_id)
    expires_at = deal.group_deadline(now)
    if expires_at is None:
        raise DealClosesTooSoon(deal.last_opening_at or now)
    opened = GroupOpened(
        group_id=command.group_id,
        deal_id=deal.id,
        leader_id=command.shopper_id,
        terms=deal.terms,
        expires_at=expires_at,
        at=now,
    )
    begun = evolve(state, opened)
    _, group = deal_and_group(begun, command.group_id)
    return (opened, *_take_place(begun, deal, group, command, now))


def leave(state: State, command: LeaveGroup, now: datetime) -> tuple[Event, ...]:
    """Give the place up while the group has not tipped; a team group that everybody left is over."""
    _, group = deal_and_group(state, command.group_id)
    place = state.place
    if place is None:
        return () if state.awaited is None else lapse(group, state.awaited, LapsedBecause.LEFT, now)
    if not group.is_open or now >= group.expires_at:
        raise GroupClosed
    if group.is_tipped:
        raise GroupCommitted
    left = ParticipantLeft(
        group_id=group.id,
        deal_id=group.deal_id,
        shopper_id=command.shopper_id,
        order_id=place.order_id,
        variant_id=place.variant_id,
        quantity=place.quantity,
        invite_code=place.invite_code,
        participants=group.participants - 1,
        at=now,
    )
    return (left, *_end_if_empty(group, left.participants, group.awaiting, now))


def lapse(group: Group | None, payment: Payment, because: LapsedBecause, now: datetime) -> tuple[Event, ...]:
    """A reservation comes to nothing; a team group in which nobody is left is over."""
    lapsed = ReservationLapsed(
        group_id=payment.group_id,
        deal_id=payment.deal_id,
        shopper_id=payment.shopper_id,
        order_id=payment.order_id,
        variant_id=payment.variant_id,
        quantity=payment.quantity,
        because=because,
        at=now,
    )
    if group is None or not group.is_open:
        return (lapsed,)
    return (lapsed, *_end_if_empty(group, group.participants, group.awaiting - 1, now))


def joined(group: Group, payment: Payment, reference: str | None, now: datetime) -> tuple[Event, ...]:
    """A reserved place becomes one that counts, with all that follows from it."""
    schedule = group.terms.schedule
    participants = group.participants + 1
    event = ParticipantJoined(
        group_id=group.id,
        deal_id=group.deal_id,
        shopper_id=payment.shopper_id,
        variant_id=payment.variant_id,
        quantity=payment.quantity,
        hold_minor=payment.hold_minor,
        participants=participants,
        unit_price=schedule.unit_price(participants),
        invite_code=payment.invite_code,
        display_name=payment.display_name,
        order_id=payment.order_id,
        was_reserved=True,
        reference=reference,
        at=now,
    )
    return (event, *_after_joining(event, group.terms))


def close(state: State, command: CloseGroup, now: datetime) -> tuple[Event, ...]:
    """Decide a due group's fate; one that is closed or not due yet stays as it is."""
    _, group = deal_and_group(state, command.group_id)
    if not group.is_open or now < group.expires_at:
        return ()
    if group.is_tipped:
        succeeded = GroupSucceeded(
            group_id=group.id,
            deal_id=group.deal_id,
            participants=group.participants,
            unit_price=group.unit_price,
            closed_by=ClosedBy.DEADLINE,
            at=now,
        )
        return (succeeded,)
    failed = GroupFailed(
        group_id=group.id,
        deal_id=group.deal_id,
        participants=group.participants,
        participants_needed=group.terms.schedule.tips_at - group.participants,
        returned_units=dict(group.units_by_variant),
        closed_by=ClosedBy.DEADLINE,
        at=now,
    )
    return (failed,)


def cancel(state: State, command: CancelGroup, now: datetime) -> tuple[Event, ...]:
    """Call an open group off, by the deal's merchant; cancelled already is no refusal."""
    deal, group = deal_and_group(state, command.group_id)
    if command.merchant_id is not None and deal.merchant_id != command.merchant_id:
        raise GroupNotFound(command.group_id)
    if group.status is GroupStatus.CANCELLED:
        return ()
    if not group.is_open or now >= group.expires_at:
        raise GroupClosed
    closed_by = ClosedBy.PLATFORM if command.merchant_id is None else ClosedBy.MERCHANT
    return (_cancelled(group, group.participants, dict(group.units_by_variant), closed_by, now),)


def _take_place(
    state: State, deal: Deal, group: Group, command: OpenGroup | JoinGroup, now: datetime
) -> tuple[Event, ...]:
    """The joining, the tier it reaches, and the closing if it fills the group; where money is taken, a reservation."""
    if group.is_full:
        raise GroupFull
    _check_place(command)
    terms = group.terms
    variant_id = variant_of(deal, command.variant_id)
    require_known(command, guests_may_buy=terms.guests_may_buy)
    require_units(state, terms.units_per_shopper_max, variant_id, command)
    if terms.payment is not None:
        invite_code = _attributed_invite(state, deal, command)
        return (_reserved(group, command, variant_id, invite_code, now),)
    participants = group.participants + 1
    event = ParticipantJoined(
        group_id=group.id,
        deal_id=deal.id,
        shopper_id=command.shopper_id,
        variant_id=variant_id,
        quantity=command.quantity,
        hold_minor=hold_for(terms.schedule.ceiling_price, command.quantity),
        participants=participants,
        unit_price=terms.schedule.unit_price(participants),
        invite_code=_attributed_invite(state, deal, command),
        display_name=command.display_name,
        order_id=command.order_id,
        was_reserved=False,
        at=now,
    )
    return (event, *_after_joining(event, terms))


def _reserved(
    group: Group, command: OpenGroup | JoinGroup, variant_id: UUID, invite_code: str | None, now: datetime
) -> PlaceReserved:
    terms = group.terms
    assert terms.payment is not None
    return PlaceReserved(
        group_id=group.id,
        deal_id=group.deal_id,
        shopper_id=command.shopper_id,
        order_id=command.order_id,
        variant_id=variant_id,
        quantity=command.quantity,
        hold_minor=hold_for(terms.schedule.ceiling_price, command.quantity),
        currency=terms.currency,
        payment=terms.payment,
        pay_by=min(now + timedelta(seconds=command.pay_within_s), group.expires_at),
        invite_code=invite_code,
        display_name=command.display_name,
        address=address_for(terms.needs_shipping, command.address),
        at=now,
    )


def _end_if_empty(group: Group, participants: int, awaiting: int, now: datetime) -> tuple[Event, ...]:
    if participants or awaiting or group.terms.grouping is Grouping.CROWD:
        return ()
    return (_cancelled(group, 0, {}, ClosedBy.EVERYONE_LEFT, now),)


def _after_joining(joined: ParticipantJoined, terms: Terms) -> tuple[GroupEvent, ...]:
    participants, unit_price = joined.participants, joined.unit_price
    following: list[GroupEvent] = []
    if any(tier.participants == participants for tier in terms.schedule.tiers):
        following.append(
            TierReached(
                group_id=joined.group_id,
                deal_id=joined.deal_id,
                participants=participants,
                unit_price=unit_price,
                tipped=participants == terms.schedule.tips_at,
                at=joined.at,
            )
        )
    if participants >= terms.group_size_max:
        following.append(
            GroupSucceeded(
                group_id=joined.group_id,
                deal_id=joined.deal_id,
                participants=participants,
                unit_price=unit_price,
                closed_by=ClosedBy.FULL,
                at=joined.at,
            )
        )
    return tuple(following)


def _check_place(command: OpenGroup | JoinGroup) -> None:
    problems = FieldProblems()
    problems.require(1 <= command.quantity <= QUANTITY_MAX, "quantity", f"must be from 1 to {QUANTITY_MAX} units")
    if command.display_name is not None:
        check_line(problems, "display_name", command.display_name, 1, DISPLAY_NAME_CHARACTERS_MAX)
    problems.raise_if_any()


def variant_of(deal: Deal, variant_id: UUID | None) -> UUID:
    """The variant asked for, or the only one."""
    if variant_id is None:
        if len(deal.variants) > 1:
            raise VariantRequired(len(deal.variants))
        return deal.variants[0].id
    if all(variant.id != variant_id for variant in deal.variants):
        raise VariantNotFound(variant_id)
    return variant_id


def require_known(command: OpenGroup | JoinGroup | BuyAlone, *, guests_may_buy: bool) -> None:
    """Raise where nobody knows the shopper yet and the deal is for those who are known."""
    if command.is_guest and not guests_may_buy:
        raise GuestsMayNotBuy


def require_units(
    state: State, units_max: int | None, variant_id: UUID, command: OpenGroup | JoinGroup | BuyAlone
) -> None:
    """Raise where the shopper would hold too many units of the deal, or too few are left."""
    if units_max is not None:
        held = state.units_held + command.units_elsewhere
        if held + command.quantity > units_max:
            raise UnitsLimitReached(units_max, held)
    stock_left = state.stock_left[variant_id]
    if command.quantity > stock_left:
        raise OutOfStock(stock_left)


def address_for(needs_shipping: bool, address: Address | None) -> Address | None:  # noqa: FBT001 - a term of the deal, named by its only callers
    """Where the goods go; an address nothing is sent to is not kept."""
    if needs_shipping and address is None:
        raise AddressRequired
    return address if needs_shipping else None


def _attributed_invite(state: State, deal: Deal, command: OpenGroup | JoinGroup) -> str | None:
    """The invite that brought the shopper; a link of one's own, or of whom one brought oneself, brings nobody."""
    if command.invite_code is None:
        return None
    if state.invite is None or state.invite.is_revoked or state.invite.deal_id != deal.id:
        raise InviteNotUsable
    return None if state.comes_round else command.invite_code


def require_live(deal: Deal, now: datetime) -> None:
    """Raise unless the deal takes new groups now."""
    match deal.status_at(now):
        case DealStatus.LIVE:
            return
        case DealStatus.PAUSED:
            raise DealPausedNow
        case DealStatus.ENDED:
            raise DealOver
        case _:
            raise DealNotStarted(deal.offer.starts_at)


def deal_and_group(state: State, group_id: UUID) -> tuple[Deal, Group]:
    """A group and its deal; raises `GroupNotFound`."""
    if state.deal is None or state.group is None:
        raise GroupNotFound(group_id)
    return state.deal, state.group


def _cancelled(
    group: Group, participants: int, returned_units: Mapping[UUID, int], closed_by: ClosedBy, now: datetime
) -> GroupCancelled:
    return GroupCancelled(
        group_id=group.id,
        deal_id=group.deal_id,
        participants=participants,
        returned_units=returned_units,
        closed_by=closed_by,
        at=now,
    )
