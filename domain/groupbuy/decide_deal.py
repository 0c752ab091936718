"""Decisions about deals: create, edit, publish, pause, resume, end, and the opening of a crowd's one group."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.errors import FieldProblem, InvalidInput
from domain.groupbuy.commands import CreateDeal, EditDeal, EndDeal, PauseDeal, PublishDeal, ResumeDeal, StartCrowd
from domain.groupbuy.deal import (
    Deal,
    DealStatus,
    Grouping,
    Lifecycle,
    Offer,
    check_variants,
    require_holdable,
    require_publishable,
)
from domain.groupbuy.errors import DealNotEditable, DealNotFound, DealNotPublished, DealOver
from domain.groupbuy.events import (
    DealCreated,
    DealEdited,
    DealEnded,
    DealPaused,
    DealPublished,
    DealResumed,
    Event,
    GroupOpened,
)
from domain.groupbuy.state import State
from domain.pricing.schedule import PriceSchedule

FIXED_AFTER_PUBLISHING = ("currency", "grouping", "starts_at")
"""Fields of an offer that groups, holds or shoppers already rely on once it was published."""


def create(command: CreateDeal, now: datetime) -> tuple[Event, ...]:
    """Write a draft."""
    check_variants(command.variants)
    return (
        DealCreated(
            deal_id=command.deal_id,
            merchant_id=command.merchant_id,
            offer=command.offer,
            variants=command.variants,
            at=now,
        ),
    )


def edit(state: State, command: EditDeal, now: datetime) -> tuple[Event, ...]:
    """Change a draft, or the offer of a paused deal; groups already open keep their terms."""
    deal = _own(state, command.deal_id, command.merchant_id)
    offer = _changed(deal.offer, command.changes)
    match deal.status_at(now):
        case DealStatus.DRAFT:
            if command.variants is not None:
                check_variants(command.variants)
        case DealStatus.PAUSED:
            changed = [name for name in FIXED_AFTER_PUBLISHING if getattr(offer, name) != getattr(deal.offer, name)]
            if command.variants is not None:
                changed.append("variants")
            if changed:
                raise InvalidInput(FieldProblem(name, "cannot change once the deal was published") for name in changed)
            if offer.ends_at != deal.offer.ends_at:
                require_publishable(replace(deal, offer=offer), now)
        case DealStatus.ENDED:
            raise DealOver
        case _:
            raise DealNotEditable
    if offer == deal.offer and command.variants is None:
        return ()
    return (DealEdited(deal_id=deal.id, offer=offer, variants=command.variants, at=now),)


def _changed(offer: Offer, changes: Mapping[str, object]) -> Offer:
    """The offer with some fields changed, a half of its price schedule among them if it is named."""
    fields: dict[str, Any] = dict(changes)
    if "solo_price" in fields or "tiers" in fields:
        schedule = offer.schedule
        solo_price, tiers = fields.pop("solo_price", schedule.solo_price), fields.pop("tiers", schedule.tiers)
        fields["schedule"] = PriceSchedule(solo_price, tiers)
    return replace(offer, **fields)


def publish(state: State, command: PublishDeal, now: datetime) -> tuple[Event, ...]:
    """Let groups open from the deal's start on; published already is no refusal."""
    deal = _own(state, command.deal_id, command.merchant_id)
    match deal.status_at(now):
        case DealStatus.ENDED:
            raise DealOver
        case DealStatus.DRAFT:
            require_publishable(deal, now)
            require_holdable(deal, command.hold_lifetime_s_max)
            live = replace(deal, lifecycle=Lifecycle.PUBLISHED, payment=command.payment)
            published = DealPublished(deal_id=deal.id, payment=command.payment, at=now)
            return (published, *_crowd_opening(live, command.crowd_group_id, now))
        case _:
            return ()


def pause(state: State, command: PauseDeal, now: datetime) -> tuple[Event, ...]:
    """Stop new groups; paused already is no refusal."""
    deal = _own(state, command.deal_id, command.merchant_id)
    match deal.status_at(now):
        case DealStatus.DRAFT:
            raise DealNotPublished
        case DealStatus.ENDED:
            raise DealOver
        case DealStatus.PAUSED:
            return ()
        case _:
            return (DealPaused(deal_id=deal.id, at=now),)


def resume(state: State, command: ResumeDeal, now: datetime) -> tuple[Event, ...]:
    """Let new groups open again; running already is no refusal."""
    deal = _own(state, command.deal_id, command.merchant_id)
    match deal.status_at(now):
        case DealStatus.DRAFT:
            raise DealNotPublished
        case DealStatus.ENDED:
            raise DealOver
        case DealStatus.PAUSED:
            require_holdable(deal, command.hold_lifetime_s_max)
            live = replace(deal, lifecycle=Lifecycle.PUBLISHED, payment=command.payment)
            resumed = DealResumed(deal_id=deal.id, payment=command.payment, at=now)
            return (resumed, *_crowd_opening(live, command.crowd_group_id, now))
        case _:
            return ()


def end(state: State, command: EndDeal, now: datetime) -> tuple[Event, ...]:
    """Stop new groups for good; ended already is no refusal."""
    deal = _own(state, command.deal_id, command.merchant_id)
    if deal.lifecycle is Lifecycle.DRAFT:
        raise DealNotPublished
    if deal.lifecycle is Lifecycle.ENDED:
        return ()
    return (DealEnded(deal_id=deal.id, at=now),)


def start_crowd(state: State, command: StartCrowd, now: datetime) -> tuple[Event, ...]:
    """Open the one group of a crowd deal that has gone live; opened already is no refusal."""
    if state.deal is None:
        raise DealNotFound(command.deal_id)
    return _crowd_opening(state.deal, command.group_id, now)


def _crowd_opening(deal: Deal, group_id: UUID, now: datetime) -> tuple[Event, ...]:
    deadline = deal.group_deadline(now)
    is_due = deal.offer.grouping is Grouping.CROWD and deal.crowd_group_id is None
    if not is_due or deadline is None or deal.status_at(now) is not DealStatus.LIVE:
        return ()
    return (
        GroupOpened(
            group_id=group_id,
            deal_id=deal.id,
            leader_id=None,
            terms=deal.terms,
            expires_at=deadline,
            at=now,
        ),
    )


def _own(state: State, deal_id: UUID, merchant_id: UUID) -> Deal:
    if state.deal is None or state.deal.merchant_id != merchant_id:
        raise DealNotFound(deal_id)
    return state.deal
