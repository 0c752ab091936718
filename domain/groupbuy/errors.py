"""Every named way the rules of group buying say no.

Refusal (domain.errors)
├── NotFound             what was named is not there, or not this caller's to see
│   ├── DealNotFound, GroupNotFound, InviteNotFound, OrderNotFound
├── WrongReference       a field names something that does not fit: `field` says which
│   ├── VariantNotFound, VariantRequired, InviteNotUsable, AddressRequired, WrongCurrency
├── GuestsMayNotBuy      the deal is for shoppers who are known
└── Conflict             the thing asked cannot be done in the state things are in
    ├── DealNotStarted, DealPausedNow, DealOver, DealNotPublished, DealNotEditable, DealClosesTooSoon, CrowdHasOneGroup
    ├── GroupFull, GroupClosed, GroupCommitted, OutOfStock, UnitsLimitReached
    └── DealTakesNoPayments, OrderNotPaid, OrderNotShippable, OrderNotShipped, OrderOver, RefundTooLarge
"""

from datetime import datetime
from uuid import UUID

from domain.errors import Refusal


class NotFound(Refusal):
    """What was named is not there, or not this caller's to see."""


class DealNotFound(NotFound):
    """No such deal for this caller."""

    def __init__(self, deal_id: UUID) -> None:
        super().__init__(f"There is no deal {deal_id} you can see or change.")


class GroupNotFound(NotFound):
    """No such group for this caller."""

    def __init__(self, group_id: UUID) -> None:
        super().__init__(f"There is no group {group_id} you can see or change.")


class InviteNotFound(NotFound):
    """No invite with this code."""

    def __init__(self) -> None:
        super().__init__("There is no invite with this code. Ask whoever shared it for a new link.")


class WrongReference(Refusal):
    """A field names something that does not fit the deal or group."""

    field: str


class VariantNotFound(WrongReference):
    """The variant is none of this deal's."""

    field = "variant_id"

    def __init__(self, variant_id: UUID) -> None:
        super().__init__(f"Variant {variant_id} is none of this deal's; choose one of the deal's variants.")


class VariantRequired(WrongReference):
    """The deal has several variants and none was chosen."""

    field = "variant_id"

    def __init__(self, variants: int) -> None:
        super().__init__(f"This deal has {variants} variants; say which one with variant_id.")


class InviteNotUsable(WrongReference):
    """The invite does not lead to this deal."""

    field = "invite_code"

    def __init__(self) -> None:
        super().__init__("This invite does not lead to this deal; leave invite_code out to join without it.")


class Conflict(Refusal):
    """The thing asked cannot be done in the state things are in."""


class TooManyLinks(Conflict):
    """The sharer has made as many links into the group as anybody may."""

    def __init__(self, links_max: int) -> None:
        super().__init__(
            f"You have made {links_max} links into this group, as many as one can; those taken back count too."
        )


class DealNotStarted(Conflict):
    """The deal's window has not begun."""

    def __init__(self, starts_at: datetime | None) -> None:
        when = f" It starts at {starts_at.isoformat()}." if starts_at else ""
        super().__init__(f"This deal has not started yet.{when}")


class DealPausedNow(Conflict):
    """The merchant has paused the deal."""

    def __init__(self) -> None:
        super().__init__("This deal takes no new groups at the moment; groups already open run on and can be joined.")


class DealOver(Conflict):
    """The deal has ended."""

    def __init__(self) -> None:
        super().__init__("This deal has ended.")


class DealNotPublished(Conflict):
    """The deal is still a draft."""

    def __init__(self) -> None:
        super().__init__("This deal is still a draft; publish it first.")


class DealNotEditable(Conflict):
    """The deal is live or scheduled: what shoppers are shown now may not change under them."""

    def __init__(self) -> None:
        super().__init__("A published deal cannot be changed while it takes groups; pause it first.")


class DealClosesTooSoon(Conflict):
    """A group opened now would outlive the deal."""

    def __init__(self, last_opening_at: datetime) -> None:
        super().__init__(
            f"A group opened now could not run its whole time before the deal ends; the last one could be opened"
            f" until {last_opening_at.isoformat()}. Groups already open can still be joined."
        )


class CrowdHasOneGroup(Conflict):
    """A crowd deal's one group is opened by the deal itself."""

    def __init__(self, group_id: UUID | None) -> None:
        hint = f" Join group {group_id} instead." if group_id else ""
        super().__init__(f"Everybody joins the one group of this deal, so no other can be opened.{hint}")


class GroupFull(Conflict):
    """Every place is taken."""

    def __init__(self) -> None:
        super().__init__("Every place in this group is taken. Join another group of the deal or open your own.")


class GroupClosed(Conflict):
    """The group's fate is decided, or its deadline has passed."""

    def __init__(self) -> None:
        super().__init__("This group is closed. Join another group of the deal or open your own.")


class GroupCommitted(Conflict):
    """The group has tipped: participants are committed."""

    def __init__(self) -> None:
        super().__init__("This group has reached its first tier, so places can no longer be given up.")


class OutOfStock(Conflict):
    """Not enough units of the variant are left."""

    def __init__(self, stock_left: int) -> None:
        super().__init__(
            f"Only {stock_left} units are left of this variant." if stock_left else "This variant is sold out."
        )


class UnitsLimitReached(Conflict):
    """The shopper would hold more units of the deal than it allows."""

    def __init__(self, units_max: int, units_held: int) -> None:
        super().__init__(f"One shopper may take {units_max} units of this deal and you hold {units_held} already.")


class GuestsMayNotBuy(Refusal):
    """The deal is for shoppers who are known."""

    def __init__(self) -> None:
        super().__init__("This deal is for shoppers who have signed in. Sign in, then try again with the new token.")


class OrderNotFound(NotFound):
    """No such order for this caller."""

    def __init__(self, order_id: UUID) -> None:
        super().__init__(f"There is no order {order_id} you can see or change.")


class AddressRequired(WrongReference):
    """The goods have to be sent somewhere."""

    field = "address"

    def __init__(self) -> None:
        super().__init__("This deal is shipped: say where to with address.")


class WrongCurrency(WrongReference):
    """An amount in another currency than the order's."""

    field = "currency"

    def __init__(self, currency: str) -> None:
        super().__init__(f"This order was paid in {currency}; say the amount in minor units of {currency}.")


class DealTakesNoPayments(Conflict):
    """Money of this deal is not taken here."""

    def __init__(self) -> None:
        super().__init__("This deal takes no payments here, so it can only be bought in a group.")


class OrderNotPaid(Conflict):
    """There is a payment, but its group has not succeeded or it has not been captured: nothing to ship or give back."""

    def __init__(self) -> None:
        super().__init__(
            "This order is not paid: its group has not succeeded yet, its payment came to nothing, or all of it was"
            " refunded."
        )


class OrderNotShippable(Conflict):
    """The goods are past shipping, or the order is over."""

    def __init__(self, status: str) -> None:
        super().__init__(f"This order is {status.replace('_', ' ')}, so it can no longer be shipped or called off.")


class OrderNotShipped(Conflict):
    """What has not been sent cannot have arrived."""

    def __init__(self, status: str) -> None:
        super().__init__(f"This order is {status.replace('_', ' ')}; only a shipped order can be delivered.")


class OrderOver(Conflict):
    """The order was cancelled or returned already."""

    def __init__(self, status: str) -> None:
        super().__init__(f"This order is {status} already.")


class RefundTooLarge(Conflict):
    """More is to go back than was paid and not given back yet."""

    def __init__(self, left: str | None) -> None:
        super().__init__(
            f"Of this order {left} can still be refunded; ask for that or less."
            if left
            else "All that was paid for this order was refunded already."
        )
