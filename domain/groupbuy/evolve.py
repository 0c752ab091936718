"""evolve: the state after an event. It trusts events: what may happen was decided before."""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never
from uuid import UUID

from domain.groupbuy.deal import Deal, Lifecycle
from domain.groupbuy.events import (
    DealChange,
    DealCreated,
    DealEdited,
    DealEnded,
    DealPaused,
    DealPublished,
    DealResumed,
    Event,
    GroupCancelled,
    GroupFailed,
    GroupOpened,
    GroupSucceeded,
    InviteCreated,
    InviteRevoked,
    OrderCancelled,
    OrderDelivered,
    OrderRefunded,
    OrderShipped,
    ParticipantJoined,
    ParticipantLeft,
    PlaceReserved,
    RefundMade,
    TierReached,
)
from domain.groupbuy.evolve_order import order_changed
from domain.groupbuy.evolve_payment import held, left, payment_changed, plus, reserved
from domain.groupbuy.group import Group, GroupStatus, Invite, Place
from domain.groupbuy.state import State


def evolve(state: State, event: Event) -> State:  # noqa: C901, PLR0911, PLR0912 - one match over every event is the map of the domain
    """The state after `event`."""
    match event:
        case ParticipantJoined():
            return _joined(state, event)
        case PlaceReserved():
            return reserved(state, event)
        case TierReached():
            return replace(state, group=_next(_group(state)))
        case GroupOpened():
            return _opened(state, event)
        case ParticipantLeft():
            return _left(state, event)
        case GroupSucceeded():
            return _closed(state, event, GroupStatus.SUCCEEDED, {})
        case GroupFailed():
            return _closed(state, event, GroupStatus.FAILED, event.returned_units)
        case GroupCancelled():
            return _closed(state, event, GroupStatus.CANCELLED, event.returned_units)
        case InviteCreated():
            return _invited(state, event)
        case InviteRevoked():
            return replace(state, invite=replace(_invite(state), revoked_at=event.at))
        case DealCreated():
            return _created(event)
        case DealEdited() | DealPublished() | DealPaused() | DealResumed() | DealEnded():
            return _deal_changed(state, event)
        case OrderShipped() | OrderDelivered() | OrderCancelled() | OrderRefunded() | RefundMade():
            return order_changed(state, event)
        case _:
            return payment_changed(state, event)


def _joined(state: State, event: ParticipantJoined) -> State:
    group = _group(state)
    place = Place(
        group_id=group.id,
        shopper_id=event.shopper_id,
        variant_id=event.variant_id,
        quantity=event.quantity,
        hold_minor=event.hold_minor,
        number=group.version + 1,
        joined_at=event.at,
        order_id=event.order_id,
        invite_code=event.invite_code,
        display_name=event.display_name,
    )
    stock_left, payments = state.stock_left, state.payments
    if event.was_reserved:
        payments = {**payments, event.order_id: held(payments[event.order_id], event.reference, event.at)}
    else:
        stock_left = plus(stock_left, event.variant_id, -event.quantity)
    return State(
        deal=state.deal,
        group=_counted_anew(group, event, event.quantity, group.awaiting - event.was_reserved),
        stock_left=stock_left,
        places={**state.places, group.id: place},
        payments=payments,
        invite=_counted(state.invite, event.invite_code, 1),
    )


def _left(state: State, event: ParticipantLeft) -> State:
    group = _group(state)
    payments = state.payments
    if event.order_id in payments:
        payments = {**payments, event.order_id: left(payments[event.order_id], event.at)}
    return State(
        deal=state.deal,
        group=_counted_anew(group, event, -event.quantity, group.awaiting),
        stock_left=plus(state.stock_left, event.variant_id, event.quantity),
        places={group_id: place for group_id, place in state.places.items() if group_id != group.id},
        payments=payments,
        invite=_counted(state.invite, event.invite_code, -1),
    )


def _opened(state: State, event: GroupOpened) -> State:
    group = Group(
        id=event.group_id,
        deal_id=event.deal_id,
        leader_id=event.leader_id,
        terms=event.terms,
        status=GroupStatus.OPEN,
        participants=0,
        units_by_variant={},
        version=1,
        opened_at=event.at,
        expires_at=event.expires_at,
    )
    deal = state.deal
    if event.leader_id is None and deal is not None:
        deal = replace(deal, crowd_group_id=event.group_id, version=deal.version + 1)
    return replace(state, deal=deal, group=group)


def _closed(
    state: State,
    event: GroupSucceeded | GroupFailed | GroupCancelled,
    status: GroupStatus,
    returned_units: Mapping[UUID, int],
) -> State:
    group = _group(state)
    closed = replace(group, version=group.version + 1, status=status, closed_at=event.at, closed_by=event.closed_by)
    stock_left = state.stock_left
    for variant_id, units in returned_units.items():
        stock_left = plus(stock_left, variant_id, units)
    return replace(state, group=closed, stock_left=stock_left)


def _invited(state: State, event: InviteCreated) -> State:
    invite = Invite(
        code=event.code,
        deal_id=event.deal_id,
        group_id=event.group_id,
        sharer_id=event.sharer_id,
        channel=event.channel,
        parent_code=event.parent_code,
        joins=0,
        created_at=event.at,
    )
    return replace(state, invite=invite)


def _created(event: DealCreated) -> State:
    deal = Deal(
        id=event.deal_id,
        merchant_id=event.merchant_id,
        offer=event.offer,
        variants=event.variants,
        lifecycle=Lifecycle.DRAFT,
        version=1,
        created_at=event.at,
    )
    return State(deal=deal, stock_left={variant.id: variant.stock for variant in event.variants})


def _deal_changed(state: State, event: DealChange) -> State:
    deal = _deal(state)
    deal = replace(deal, version=deal.version + 1)
    match event:
        case DealEdited(offer=offer, variants=None):
            return replace(state, deal=replace(deal, offer=offer))
        case DealEdited(offer=offer, variants=variants):
            variants = variants or ()
            stock_left = {variant.id: variant.stock for variant in variants}
            return replace(state, deal=replace(deal, offer=offer, variants=variants), stock_left=stock_left)
        case DealPublished() | DealResumed():
            return replace(state, deal=replace(deal, lifecycle=Lifecycle.PUBLISHED, payment=event.payment))
        case DealPaused():
            return replace(state, deal=replace(deal, lifecycle=Lifecycle.PAUSED))
        case DealEnded():
            return replace(state, deal=replace(deal, lifecycle=Lifecycle.ENDED))
        case _:
            assert_never(event)


def _counted_anew(group: Group, event: ParticipantJoined | ParticipantLeft, units: int, awaiting: int) -> Group:
    is_leader = event.shopper_id == group.leader_id
    return replace(
        group,
        version=group.version + 1,
        participants=event.participants,
        units_by_variant=plus(group.units_by_variant, event.variant_id, units),
        awaiting=awaiting,
        leader_is_in=isinstance(event, ParticipantJoined) if is_leader else group.leader_is_in,
    )


def _next(group: Group) -> Group:
    return replace(group, version=group.version + 1)


def _counted(invite: Invite | None, code: str | None, change: int) -> Invite | None:
    if invite is None or code is None or invite.code != code:
        return invite
    return replace(invite, joins=invite.joins + change)


def _group(state: State) -> Group:
    if state.group is None:
        message = "a group event needs a group"
        raise ValueError(message)
    return state.group


def _deal(state: State) -> Deal:
    if state.deal is None:
        message = "a deal event needs a deal"
        raise ValueError(message)
    return state.deal


def _invite(state: State) -> Invite:
    if state.invite is None:
        message = "an invite's event needs an invite"
        raise ValueError(message)
    return state.invite
