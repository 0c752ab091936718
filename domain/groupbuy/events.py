"""What has happened to deals, groups and invites: past tense, complete enough to be told onwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.groupbuy.address import Address
from domain.groupbuy.deal import Offer, Terms, Variant
from domain.groupbuy.group import ClosedBy
from domain.groupbuy.payment import LapsedBecause, PaymentTerms


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
    """Groups may open from its start on, and take money so."""

    deal_id: UUID
    payment: PaymentTerms | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPaused:
    """No new groups; open ones run on."""

    deal_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DealResumed:
    """New groups may open again, and take money so."""

    deal_id: UUID
    payment: PaymentTerms | None
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
class PlaceReserved:
    """A place and its units are kept for a shopper until the payment is approved, `pay_by` at the latest.

    Without a group the shopper buys alone. The address stays with the payment: it is told to nobody else.
    """

    group_id: UUID | None
    deal_id: UUID
    shopper_id: UUID
    order_id: UUID
    variant_id: UUID
    quantity: int
    hold_minor: int
    currency: str
    payment: PaymentTerms
    pay_by: datetime
    invite_code: str | None
    display_name: str | None
    address: Address | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationLapsed:
    """A reservation came to nothing: place and units are free again, what comes of the payment is released."""

    group_id: UUID | None
    deal_id: UUID
    shopper_id: UUID
    order_id: UUID
    variant_id: UUID
    quantity: int
    because: LapsedBecause
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCameLate:
    """Money came for a reservation that had lapsed; it is released at once."""

    group_id: UUID | None
    deal_id: UUID
    shopper_id: UUID
    order_id: UUID
    amount_minor: int
    currency: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtAlone:
    """The solo price is paid: no group has to succeed."""

    deal_id: UUID
    shopper_id: UUID
    order_id: UUID
    quantity: int
    hold_minor: int
    unit_price: int
    currency: str
    reference: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantJoined:
    """A shopper took a place; `participants` and `unit_price` are those after it, prices and hold in minor units.

    `was_reserved`: the place was kept for it and its payment has now been approved.
    """

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
    order_id: UUID
    was_reserved: bool
    reference: str | None = None
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
    """A shopper gave a place up before the group tipped; its units are free again, its hold is released."""

    group_id: UUID
    deal_id: UUID
    shopper_id: UUID
    order_id: UUID
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteRevoked:
    """A sharer took a link back."""

    code: str
    group_id: UUID
    deal_id: UUID
    sharer_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettled:
    """A payment has ended: what was captured and released, and of the captured the platform's and the leader's part.

    `refused_because`: the gateway would not give what was decided, so all of it is released.
    """

    group_id: UUID | None
    deal_id: UUID
    merchant_id: UUID
    shopper_id: UUID
    order_id: UUID
    variant_id: UUID
    quantity: int
    unit_price: int | None
    currency: str
    captured_minor: int
    released_minor: int
    fee_minor: int
    reward_minor: int
    needs_shipping: bool
    refused_because: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsReturned:
    """A shopper's units are free again after all: their capture was refused, or their order cancelled."""

    group_id: UUID | None
    deal_id: UUID
    shopper_id: UUID
    order_id: UUID
    variant_id: UUID
    quantity: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShipped:
    """An order is with its carrier."""

    deal_id: UUID
    order_id: UUID
    shopper_id: UUID
    carrier: str
    tracking_number: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDelivered:
    """An order has arrived."""

    deal_id: UUID
    order_id: UUID
    shopper_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    """An order was called off before it was shipped."""

    deal_id: UUID
    order_id: UUID
    shopper_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefunded:
    """Money of an order is to go back, of it `fee_back_minor` by the platform and `reward_back_minor` by the leader."""

    group_id: UUID | None
    deal_id: UUID
    merchant_id: UUID
    shopper_id: UUID
    order_id: UUID
    refund_id: UUID
    amount_minor: int
    currency: str
    fee_back_minor: int
    reward_back_minor: int
    reason: str
    is_return: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundMade:
    """The gateway has given a refund back."""

    group_id: UUID | None
    deal_id: UUID
    order_id: UUID
    refund_id: UUID
    amount_minor: int
    currency: str
    at: datetime


DealChange = DealEdited | DealPublished | DealPaused | DealResumed | DealEnded
DealEvent = DealCreated | DealChange
GroupEvent = (
    GroupOpened | ParticipantJoined | TierReached | ParticipantLeft | GroupSucceeded | GroupFailed | GroupCancelled
)
InviteEvent = InviteCreated | InviteRevoked
PaymentEvent = PlaceReserved | ReservationLapsed | PaymentCameLate | BoughtAlone | PaymentSettled | UnitsReturned
OrderEvent = OrderShipped | OrderDelivered | OrderCancelled | OrderRefunded | RefundMade
Event = DealEvent | GroupEvent | InviteEvent | PaymentEvent | OrderEvent
