"""What has happened to deals, groups and invites: past tense, complete enough to be told onwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.groupbuy.deal import Offer, Terms, Variant
from domain.groupbuy.group import ClosedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class DealCreated:
    """A draft was written."""

    deal_id: UUID
    merchant_id: UUID
    offer: Offer
    variants: tuple[Variant, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DealEdited:
    """A draft or paused deal has a new offer; `variants` only where they were replaced (in a draft)."""

    deal_id: UUID
    offer: Offer
    variants: tuple[Variant, ...] | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPublished:
    """Groups may open from its start on."""

    deal_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPaused:
    """No new groups; open ones run on."""

    deal_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DealResumed:
    """New groups may open again."""

    deal_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DealEnded:
    """No new groups, for good."""

    deal_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOpened:
    """A group began, with the terms it keeps; a crowd's has no leader."""

    group_id: UUID
    deal_id: UUID
    leader_id: UUID | None
    terms: Terms
    expires_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantJoined:
    """A shopper took a place; `participants` and `unit_price` are those after it, prices and hold in minor units."""

    group_id: UUID
    deal_id: UUID
    shopper_id: UUID
    variant_id: UUID
    quantity: int
    hold_minor: int
    participants: int
    unit_price: int
    invite_code: str | None
    display_name: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TierReached:
    """The count reached a tier: the first one tips the group, later ones drop the price."""

    group_id: UUID
    deal_id: UUID
    participants: int
    unit_price: int
    tipped: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLeft:
    """A shopper gave a place up before the group tipped; its units are free again."""

    group_id: UUID
    deal_id: UUID
    shopper_id: UUID
    variant_id: UUID
    quantity: int
    invite_code: str | None
    participants: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSucceeded:
    """Everybody pays `unit_price` (minor units) per unit."""

    group_id: UUID
    deal_id: UUID
    participants: int
    unit_price: int
    closed_by: ClosedBy
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFailed:
    """The deadline came before the first tier: nobody pays, `returned_units` go back to stock."""

    group_id: UUID
    deal_id: UUID
    participants: int
    participants_needed: int
    returned_units: Mapping[UUID, int]
    closed_by: ClosedBy
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCancelled:
    """The group was called off: nobody pays, `returned_units` go back to stock."""

    group_id: UUID
    deal_id: UUID
    participants: int
    returned_units: Mapping[UUID, int]
    closed_by: ClosedBy
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteCreated:
    """A sharer got a link into a group."""

    code: str
    group_id: UUID
    deal_id: UUID
    sharer_id: UUID
    channel: str
    parent_code: str | None
    at: datetime


DealChange = DealEdited | DealPublished | DealPaused | DealResumed | DealEnded
DealEvent = DealCreated | DealChange
GroupEvent = (
    GroupOpened | ParticipantJoined | TierReached | ParticipantLeft | GroupSucceeded | GroupFailed | GroupCancelled
)
Event = DealEvent | GroupEvent | InviteCreated
