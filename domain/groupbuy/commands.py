"""What people and clocks may ask of deals and groups: imperative, complete, with every id given."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from domain.groupbuy.deal import Offer, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDeal:
    """A merchant writes a draft."""

    deal_id: UUID
    merchant_id: UUID
    offer: Offer
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditDeal:
    """A merchant changes a draft or paused deal.

    `changes` names fields of `Offer`, or `solo_price` and `tiers` of its price schedule, each as it is to be; what is
    not named stays as it is when the command is decided. `variants` only in a draft.
    """

    deal_id: UUID
    merchant_id: UUID
    changes: Mapping[str, object]
    variants: tuple[Variant, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishDeal:
    """A merchant publishes a draft; `crowd_group_id` is the id its group gets if it is a crowd and opens now."""

    deal_id: UUID
    merchant_id: UUID
    crowd_group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDeal:
    """A merchant stops new groups; open ones run on."""

    deal_id: UUID
    merchant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeDeal:
    """A merchant lets new groups open again; `crowd_group_id` as in `PublishDeal`."""

    deal_id: UUID
    merchant_id: UUID
    crowd_group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeal:
    """A merchant ends a deal for good; open groups run on."""

    deal_id: UUID
    merchant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCrowd:
    """The clock opens the one group of a crowd deal that has gone live."""

    deal_id: UUID
    group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGroup:
    """A shopper opens a group and joins it as its leader; `variant_id` may be left out where there is one."""

    deal_id: UUID
    group_id: UUID
    shopper_id: UUID
    quantity: int = 1
    variant_id: UUID | None = None
    invite_code: str | None = None
    display_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinGroup:
    """A shopper takes a place in an open group."""

    group_id: UUID
    shopper_id: UUID
    quantity: int = 1
    variant_id: UUID | None = None
    invite_code: str | None = None
    display_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveGroup:
    """A shopper gives the place up, while the group has not tipped."""

    group_id: UUID
    shopper_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelGroup:
    """A merchant calls an open group off: nobody pays."""

    group_id: UUID
    merchant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseGroup:
    """The clock closes a group whose deadline has come."""

    group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateInvite:
    """A shopper asks for a link into a group; the same sharer, group and channel always get the same one."""

    group_id: UUID
    sharer_id: UUID
    channel: str
    code: str


DealCommand = CreateDeal | EditDeal | PublishDeal | PauseDeal | ResumeDeal | EndDeal | StartCrowd
GroupCommand = OpenGroup | JoinGroup | LeaveGroup | CancelGroup | CloseGroup | CreateInvite
Command = DealCommand | GroupCommand
