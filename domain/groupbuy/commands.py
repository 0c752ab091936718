"""What people and clocks may ask of deals and groups: imperative, complete, with every id given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.groupbuy.address import Address
from domain.groupbuy.deal import Offer, Variant
from domain.groupbuy.payment import LapsedBecause, PaymentTerms

PAY_WITHIN_S_DEFAULT = 600


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
    """A merchant publishes a draft; `crowd_group_id` is the id its group gets if it is a crowd and opens now.

    `payment` is how its groups take money (None: not at all), `hold_lifetime_s_max` how long that gateway can hold it.
    """

    deal_id: UUID
    merchant_id: UUID
    crowd_group_id: UUID
    payment: PaymentTerms | None = None
    hold_lifetime_s_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDeal:
    """A merchant stops new groups; open ones run on."""

    deal_id: UUID
    merchant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeDeal:
    """A merchant lets new groups open again; the rest as in `PublishDeal`."""

    deal_id: UUID
    merchant_id: UUID
    crowd_group_id: UUID
    payment: PaymentTerms | None = None
    hold_lifetime_s_max: int | None = None


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
    """A shopper opens a group and joins it as its leader; `variant_id` may be left out where there is one.

    `order_id` names this attempt at buying, with its payment; where the deal takes money the place is reserved for
    `pay_within_s`. `address` is where goods go, where the deal ships any. `units_elsewhere` of the deal are the same
    person's under other ids; they count for the limit. `is_guest`: nobody knows yet who the shopper is.
    """

    deal_id: UUID
    group_id: UUID
    shopper_id: UUID
    order_id: UUID
    quantity: int = 1
    variant_id: UUID | None = None
    invite_code: str | None = None
    display_name: str | None = None
    address: Address | None = None
    pay_within_s: int = PAY_WITHIN_S_DEFAULT
    units_elsewhere: int = 0
    is_guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinGroup:
    """A shopper takes a place in an open group; the fields as in `OpenGroup`."""

    group_id: UUID
    shopper_id: UUID
    order_id: UUID
    quantity: int = 1
    variant_id: UUID | None = None
    invite_code: str | None = None
    display_name: str | None = None
    address: Address | None = None
    pay_within_s: int = PAY_WITHIN_S_DEFAULT
    units_elsewhere: int = 0
    is_guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyAlone:
    """A shopper buys at the solo price, without a group; the fields as in `OpenGroup`."""

    deal_id: UUID
    shopper_id: UUID
    order_id: UUID
    quantity: int = 1
    variant_id: UUID | None = None
    address: Address | None = None
    pay_within_s: int = PAY_WITHIN_S_DEFAULT
    units_elsewhere: int = 0
    is_guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPayment:
    """The gateway holds an order's money, under the name `reference`; heard twice it changes nothing.

    `hold_expires_at` is until when, as the gateway says; None where it takes money at once.
    """

    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    order_id: UUID
    reference: str | None = None
    hold_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LapsePayment:
    """A reservation comes to nothing: declined, or its deadline has come (only then does the clock ask)."""

    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    order_id: UUID
    because: LapsedBecause


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettlement:
    """The gateway has done what was decided about a payment, or, with `refused_because`, said no to it for good.

    `as_of` is when whoever did it took the settlement up (the database's time): of money that came after that moment
    it knows nothing, so it is not heard about it.
    """

    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    order_id: UUID
    refused_because: str | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipOrder:
    """A merchant has handed an order to a carrier; said again it corrects what was said."""

    deal_id: UUID
    order_id: UUID
    merchant_id: UUID
    carrier: str
    tracking_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverOrder:
    """The goods have arrived, says their merchant or their shopper (`caller_id`)."""

    deal_id: UUID
    order_id: UUID
    caller_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """A merchant calls off an order that is not shipped: its units go back to stock, all its money to the shopper."""

    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    order_id: UUID
    merchant_id: UUID
    refund_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """A merchant gives back part of an order's money, or all that is left of it (`amount_minor` None).

    `is_return`: the goods came back, so the order is over.
    """

    deal_id: UUID
    group_id: UUID | None
    order_id: UUID
    merchant_id: UUID
    refund_id: UUID
    amount_minor: int | None
    currency: str | None
    reason: str
    is_return: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRefund:
    """The gateway has given a refund back."""

    deal_id: UUID
    group_id: UUID | None
    order_id: UUID
    refund_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveGroup:
    """A shopper gives the place up, while the group has not tipped."""

    group_id: UUID
    shopper_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelGroup:
    """A merchant (None: the platform) calls an open group off: nobody pays."""

    group_id: UUID
    merchant_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseGroup:
    """The clock closes a group whose deadline has come."""

    group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateInvite:
    """A shopper asks for a link into a group; sharer, group and channel get the same one until it is revoked."""

    group_id: UUID
    sharer_id: UUID
    channel: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvite:
    """A sharer takes a link back: it leads nowhere from now on."""

    group_id: UUID
    sharer_id: UUID
    code: str


DealCommand = CreateDeal | EditDeal | PublishDeal | PauseDeal | ResumeDeal | EndDeal | StartCrowd
GroupCommand = OpenGroup | JoinGroup | LeaveGroup | CancelGroup | CloseGroup | CreateInvite | RevokeInvite
PaymentCommand = BuyAlone | ConfirmPayment | LapsePayment | RecordSettlement
OrderCommand = ShipOrder | DeliverOrder | CancelOrder | RefundOrder | RecordRefund
Command = DealCommand | GroupCommand | PaymentCommand | OrderCommand
