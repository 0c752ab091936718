"""The promises of the design as checks of a world against the naive model and against everything told so far."""

from datetime import datetime
from uuid import UUID

from domain.groupbuy.deal import Deal
from domain.groupbuy.events import (
    DealCreated,
    DealEdited,
    DealEnded,
    DealPaused,
    DealPublished,
    DealResumed,
    GroupCancelled,
    GroupFailed,
    GroupOpened,
    GroupSucceeded,
    ParticipantJoined,
    ParticipantLeft,
    TierReached,
)
from domain.groupbuy.group import ClosedBy, Group, Place
from domain.groupbuy.world import World
from domain.pricing.settlement import settle
from tests.domain.model import Model, ModelDeal, ModelGroup

OfGroup = (
    GroupOpened | ParticipantJoined | TierReached | ParticipantLeft | GroupSucceeded | GroupFailed | GroupCancelled
)
OfDeal = DealCreated | DealEdited | DealPublished | DealPaused | DealResumed | DealEnded
Closing = GroupSucceeded | GroupFailed | GroupCancelled


def counters_equal_members(group: Group, told: ModelGroup, places: dict[UUID, Place]) -> None:
    """What a group counts is what its members add up to."""
    assert group.participants == len(told.members) == len(places)
    variants = {member.variant_id for member in told.members.values()} | set(group.units_by_variant)
    for variant_id in variants:
        assert group.units_by_variant.get(variant_id, 0) == told.units(variant_id)
    assert {shopper: (place.variant_id, place.quantity, place.invite_code) for shopper, place in places.items()} == {
        shopper: (member.variant_id, member.quantity, member.invite_code) for shopper, member in told.members.items()
    }
    assert len({place.number for place in places.values()}) == len(places)


def promise_1_nothing_oversold(world: World, model: Model, deal: ModelDeal) -> None:
    """No variant sells more than its stock, and no shopper holds more units than allowed when the last was taken."""
    for variant_id, stock in deal.stock.items():
        stock_left = world.stock_left[deal.id][variant_id]
        assert stock_left >= 0
        assert stock_left + model.sold(deal.id, variant_id) == stock
    groups = model.counting_groups(deal.id)
    for shopper_id in {shopper_id for group in groups for shopper_id in group.members}:
        limits = [group.offer.units_per_shopper_max for group in groups if shopper_id in group.members]
        known = [limit for limit in limits if limit is not None]
        if len(known) == len(limits):
            assert model.units_held(deal.id, shopper_id) <= max(known)


def promise_1_never_overfull(group: Group) -> None:
    """No more participants than places."""
    assert group.participants <= group.terms.group_size_max


def promise_2_price_never_rises(group: Group, told: ModelGroup) -> None:
    """A group's unit price is its tier's, and never above what it was a step ago."""
    assert group.unit_price == told.unit_price()
    assert told.unit_price_before is None or group.unit_price <= told.unit_price_before
    told.unit_price_before = group.unit_price


def promise_3_same_price_or_nothing(group: Group, told: ModelGroup, places: dict[UUID, Place]) -> None:
    """All of a succeeded group pay its tier's price and at most the ceiling; of any other closed one nobody pays."""
    ceiling_price = told.offer.schedule.tiers[0].unit_price
    for place in places.values():
        assert place.hold_minor == ceiling_price * place.quantity
        if group.is_open:
            continue
        settlement = settle(place.hold_minor, place.quantity, group.final_unit_price)
        pays = told.unit_price() * place.quantity if told.fate == "succeeded" else 0
        assert settlement.capture_minor == pays <= place.hold_minor
        assert settlement.release_minor == place.hold_minor - pays


def promise_4_terms_are_frozen(group: Group, told: ModelGroup) -> None:
    """A group runs on what its deal said when it opened."""
    assert group.terms == told.offer.terms_with(None)
    assert (group.leader_id, group.opened_at, group.expires_at) == (told.leader_id, told.opened_at, told.expires_at)


def promise_5_closes_once(group: Group, told: ModelGroup, events: list[OfGroup]) -> None:
    """One closing, for a reason that held then, and nothing after it; no full group is left open."""
    assert group.status.value == told.fate
    closings = [event for event in events if isinstance(event, Closing)]
    assert len(closings) == (0 if group.is_open else 1)
    if not closings:
        assert not told.full
        return
    closing = closings[0]
    assert events[-1] is closing
    assert (group.closed_at, group.closed_by) == (closing.at, closing.closed_by)
    match closing:
        case GroupSucceeded():
            assert closing.unit_price == told.unit_price()
            assert told.tipped
            assert told.full if closing.closed_by is ClosedBy.FULL else closing.at >= told.expires_at
        case GroupFailed():
            assert closing.at >= told.expires_at
            assert closing.participants_needed == told.offer.schedule.tiers[0].participants - len(told.members) > 0
        case GroupCancelled():
            assert closing.closed_by in {ClosedBy.MERCHANT, ClosedBy.EVERYONE_LEFT}
    assert closing.participants == len(told.members)


def events_tell_the_story(group: Group, events: list[OfGroup]) -> None:
    """Each event moves the version by one, and what it says of count and price was so when it happened."""
    assert group.version == len(events)
    participants = 0
    for event in events:
        match event:
            case GroupOpened():
                assert event is events[0]
            case ParticipantJoined() | ParticipantLeft():
                participants += 1 if isinstance(event, ParticipantJoined) else -1
                assert event.participants == participants
                assert event.at < group.expires_at
            case TierReached():
                assert event.participants == participants
                tiers = {tier.participants: tier.unit_price for tier in group.terms.schedule.tiers}
                assert tiers[participants] == event.unit_price
                assert event.tipped == (participants == min(tiers))


def a_deal_is_as_told(deal: Deal, told: ModelDeal, changes: int, now: datetime) -> None:
    """A deal says what its merchant said last, and each change moved its version by one."""
    assert (deal.merchant_id, deal.offer, deal.crowd_group_id) == (told.merchant_id, told.offer, told.crowd_group_id)
    assert {variant.id: variant.stock for variant in deal.variants} == told.stock
    assert deal.lifecycle.value == told.will
    assert deal.status_at(now).value == told.status(now)
    assert deal.version == changes


def invites_are_counted(world: World, model: Model) -> None:
    """An invite knows its sharer, channel, parent and how many it brought."""
    assert {
        code: (invite.deal_id, invite.group_id, invite.sharer_id, invite.channel, invite.parent_code, invite.joins)
        for code, invite in world.invites.items()
    } == {
        code: (told.deal_id, told.group_id, told.sharer_id, told.channel, told.parent_code, told.joins)
        for code, told in model.invites.items()
    }


def nobody_is_brought_by_whom_they_brought(model: Model, group: ModelGroup) -> None:
    """No self, no ring: neither among who is in a group, nor between a place and the invites above its own."""
    sharers = {code: invite.sharer_id for code, invite in model.invites.items()}
    for begin, member in group.members.items():
        code, seen = member.invite_code, set[str]()
        while code is not None and code not in seen:
            seen.add(code)
            assert sharers[code] != begin, "a ring of who is in the group"
            sharer = group.members.get(sharers[code])
            code = sharer.invite_code if sharer else None
        code = member.invite_code
        while code is not None:
            assert sharers[code] != begin, "a ring of links"
            code = model.invites[code].parent_code
