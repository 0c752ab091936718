"""What the naive model expects of each command about groups."""

from datetime import datetime
from uuid import UUID

from domain.groupbuy.commands import (
    CancelGroup,
    CloseGroup,
    CreateInvite,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
    RevokeInvite,
)
from domain.groupbuy.deal import Grouping
from tests.domain.model import Member, Model, ModelDeal, ModelGroup, ModelInvite
from tests.domain.model_deals import Verdict, deadline, refused


def opened(model: Model, command: OpenGroup, now: datetime) -> Verdict:
    """A new group of a live team deal, unless it would outlive the deal."""
    deal = model.deals[command.deal_id]
    status = deal.status(now)
    if status != "live":
        why = {"draft": "DealNotFound", "paused": "DealPausedNow", "ended": "DealOver", "scheduled": "DealNotStarted"}
        return refused(why[status])
    if deal.offer.grouping is Grouping.CROWD:
        return refused("CrowdHasOneGroup")
    expires_at = deadline(deal, now)
    if expires_at is None:
        return refused("DealClosesTooSoon")
    group = ModelGroup(command.group_id, deal.id, command.shopper_id, deal.offer, now, expires_at)
    verdict = _place_taken(model, deal, group, command)
    if verdict.refusals:
        return verdict
    model.groups[group.id] = group
    return Verdict(("GroupOpened", *verdict.events))


def joined(model: Model, command: JoinGroup, now: datetime) -> Verdict:
    """A place in a group that runs, once per shopper."""
    group = model.groups[command.group_id]
    if command.shopper_id in group.members:
        return Verdict()
    if not group.runs(now):
        return refused("GroupFull" if group.fate == "succeeded" and group.full else "GroupClosed")
    return _place_taken(model, model.deals[group.deal_id], group, command)


def left(model: Model, command: LeaveGroup, now: datetime) -> Verdict:
    """Out of a group that runs and has not tipped; the last one out of a team ends it."""
    group = model.groups[command.group_id]
    if command.shopper_id not in group.members:
        return Verdict()
    if not group.runs(now) or group.tipped:
        return refused("GroupCommitted" if group.runs(now) else "GroupClosed")
    member = group.members.pop(command.shopper_id)
    if member.invite_code is not None:
        model.invites[member.invite_code].joins -= 1
    if group.members or group.offer.grouping is Grouping.CROWD:
        return Verdict(("ParticipantLeft",))
    group.fate = "cancelled"
    return Verdict(("ParticipantLeft", "GroupCancelled"))


def closed(model: Model, command: CloseGroup, now: datetime) -> Verdict:
    """The fate of a group whose deadline has come."""
    group = model.groups[command.group_id]
    if group.fate != "open" or now < group.expires_at:
        return Verdict()
    group.fate = "succeeded" if group.tipped else "failed"
    return Verdict(("GroupSucceeded" if group.tipped else "GroupFailed",))


def cancelled(model: Model, command: CancelGroup, now: datetime) -> Verdict:
    """Called off by its own merchant while it runs."""
    group = model.groups[command.group_id]
    if model.deals[group.deal_id].merchant_id != command.merchant_id:
        return refused("GroupNotFound")
    if group.fate == "cancelled":
        return Verdict()
    if not group.runs(now):
        return refused("GroupClosed")
    group.fate = "cancelled"
    return Verdict(("GroupCancelled",))


def invited(model: Model, command: CreateInvite, now: datetime) -> Verdict:
    """One link for each group, sharer and channel, into a group that runs."""
    group = model.groups[command.group_id]
    wanted = (command.group_id, command.sharer_id, command.channel)
    standing = (one for one in model.invites.values() if not one.is_revoked)
    if any((invite.group_id, invite.sharer_id, invite.channel) == wanted for invite in standing):
        return Verdict()
    if not group.runs(now):
        return refused("GroupClosed")
    member = group.members.get(command.sharer_id)
    parent_code = member.invite_code if member else None
    model.invites[command.code] = ModelInvite(group.deal_id, *wanted, parent_code)
    return Verdict(("InviteCreated",))


def revoked(model: Model, command: RevokeInvite) -> Verdict:
    """Only its sharer takes a link back; once."""
    invite = model.invites[command.code]
    if invite.sharer_id != command.sharer_id:
        return refused("InviteNotFound")
    if invite.is_revoked:
        return Verdict()
    invite.is_revoked = True
    return Verdict(("InviteRevoked",))


def _place_taken(model: Model, deal: ModelDeal, group: ModelGroup, command: OpenGroup | JoinGroup) -> Verdict:
    variant_id = command.variant_id or (next(iter(deal.stock)) if len(deal.stock) == 1 else None)
    reasons = _against(model, deal, group, command)
    if reasons or variant_id is None:
        return refused(*reasons)
    invite = model.invites[command.invite_code] if command.invite_code else None
    code = command.invite_code if invite and not _brought(model, group, command.shopper_id, invite) else None
    if invite and code:
        invite.joins += 1
    group.members[command.shopper_id] = Member(variant_id, command.quantity, code)
    thresholds = [tier.participants for tier in group.offer.schedule.tiers]
    events = ["ParticipantJoined"] + ["TierReached"] * (len(group.members) in thresholds)
    if group.full:
        group.fate = "succeeded"
        events.append("GroupSucceeded")
    return Verdict(tuple(events))


def _brought(model: Model, group: ModelGroup, shopper_id: UUID, invite: ModelInvite) -> bool:
    """Whether an invite is this shopper's, or of somebody they brought, or of somebody those brought, and so on."""
    brought, before = {shopper_id}, set[UUID]()
    while brought != before:
        before = set(brought)
        own = {
            code
            for code, other in model.invites.items()
            if other.deal_id == invite.deal_id and other.sharer_id in before
        }
        brought |= {other.sharer_id for other in model.invites.values() if other.parent_code in own}
        brought |= {member_id for member_id, member in group.members.items() if member.invite_code in own}
    return invite.sharer_id in brought


def _against(model: Model, deal: ModelDeal, group: ModelGroup, command: OpenGroup | JoinGroup) -> set[str]:
    """Every reason there is against a place in a group that runs."""
    reasons = set()
    variant_id = command.variant_id or next(iter(deal.stock))
    if command.variant_id is None and len(deal.stock) > 1:
        reasons.add("VariantRequired")
    if variant_id not in deal.stock:
        reasons.add("VariantNotFound")
    elif model.sold(deal.id, variant_id) + command.quantity > deal.stock[variant_id]:
        reasons.add("OutOfStock")
    units_max = group.offer.units_per_shopper_max
    if units_max is not None and model.units_held(deal.id, command.shopper_id) + command.quantity > units_max:
        reasons.add("UnitsLimitReached")
    invite = model.invites.get(command.invite_code) if command.invite_code else None
    if command.invite_code and (invite is None or invite.is_revoked or invite.deal_id != deal.id):
        reasons.add("InviteNotUsable")
    return reasons
