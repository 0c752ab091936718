"""What a batch changed: collected from its events, ready to be written once."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from domain.groupbuy.events import (
    BoughtAlone,
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
    OrderEvent,
    OrderRefunded,
    OrderShipped,
    ParticipantJoined,
    ParticipantLeft,
    PaymentCameLate,
    PaymentEvent,
    PaymentSettled,
    PlaceReserved,
    RefundMade,
    ReservationLapsed,
    TierReached,
    UnitsReturned,
)
from domain.groupbuy.group import Group, Place
from domain.groupbuy.order import Order, Refund
from domain.groupbuy.payment import Payment
from domain.groupbuy.postings import MoneyEvent
from domain.groupbuy.world import World

PlaceKey = tuple[UUID, UUID, UUID]
"""Deal, shopper, group."""
PaymentKey = tuple[UUID, UUID, UUID]
"""Deal, shopper, order."""


@dataclass(slots=True)
class Changes:
    """Ids of what is new or different since the batch was loaded; the world has the values."""

    events: list[Event] = field(default_factory=list)
    created_deals: set[UUID] = field(default_factory=set)
    changed_deals: set[UUID] = field(default_factory=set)
    reworked_variants: set[UUID] = field(default_factory=set)
    opened_groups: set[UUID] = field(default_factory=set)
    changed_groups: set[UUID] = field(default_factory=set)
    stock: set[UUID] = field(default_factory=set)
    joined: set[PlaceKey] = field(default_factory=set)
    left: set[PlaceKey] = field(default_factory=set)
    invite_joins: Counter[str] = field(default_factory=Counter)
    invites: set[str] = field(default_factory=set)
    revoked_invites: set[str] = field(default_factory=set)
    reserved: set[PaymentKey] = field(default_factory=set)
    paid: set[PaymentKey] = field(default_factory=set)
    settlements: set[PaymentKey] = field(default_factory=set)
    dropped: set[PlaceKey] = field(default_factory=set)
    orders: set[UUID] = field(default_factory=set)
    refunds: set[UUID] = field(default_factory=set)
    moving: list[MoneyEvent] = field(default_factory=list)

    def add(self, events: Iterable[Event]) -> None:  # noqa: C901 - one match over every event, the frequent first
        """Take in what one command caused, in order."""
        for event in events:
            self.events.append(event)
            match event:
                case ParticipantJoined():
                    self._add_joined(event)
                case PlaceReserved():
                    self._add_reserved(event)
                case ParticipantLeft():
                    self._add_left(event)
                case GroupOpened():
                    self._add_opened(event)
                case InviteCreated():
                    self.invites.add(event.code)
                case InviteRevoked():
                    self.revoked_invites.add(event.code)
                case DealCreated():
                    self.created_deals.add(event.deal_id)
                case TierReached() | GroupSucceeded() | GroupFailed() | GroupCancelled():
                    self._add_changed_group(event)
                case DealEdited() | DealPublished() | DealPaused() | DealResumed() | DealEnded():
                    self._add_changed_deal(event)
                case OrderShipped() | OrderDelivered() | OrderCancelled() | OrderRefunded() | RefundMade():
                    self._add_order(event)
                case _:
                    self._add_payment(event)

    def groups_in(self, world: World) -> list[Group]:
        """Every group that is new or different."""
        return [world.groups[group_id] for group_id in self.opened_groups | self.changed_groups]

    def places_in(self, world: World) -> list[tuple[PlaceKey, Place]]:
        """Every new place with its key."""
        return [(key, world.places[key[:2]][key[2]]) for key in self.joined]

    def payments_in(self, world: World, keys: set[PaymentKey]) -> list[Payment]:
        """Payments by their keys; a place of a deal that takes no money has none."""
        found = ((world.payments.get(key[:2]) or {}).get(key[2]) for key in keys)
        return [payment for payment in found if payment is not None]

    def orders_in(self, world: World) -> list[Order]:
        """Every order that is new or different."""
        return [world.orders[order_id] for order_id in self.orders]

    def refunds_in(self, world: World) -> list[Refund]:
        """Every refund that is new or made."""
        return [world.refunds[refund_id] for refund_id in self.refunds]

    def _add_joined(self, event: ParticipantJoined) -> None:
        self.joined.add((event.deal_id, event.shopper_id, event.group_id))
        if event.was_reserved:
            self.paid.add((event.deal_id, event.shopper_id, event.order_id))
            self.moving.append(event)
        else:
            self.stock.add(event.deal_id)
        self._add_taken(event, 1)

    def _add_reserved(self, event: PlaceReserved) -> None:
        self.reserved.add((event.deal_id, event.shopper_id, event.order_id))
        self.stock.add(event.deal_id)
        if event.group_id is not None:
            self.changed_groups.add(event.group_id)

    def _add_payment(self, event: PaymentEvent) -> None:
        key = (event.deal_id, event.shopper_id, event.order_id)
        self.paid.add(key)
        if isinstance(event, ReservationLapsed | PaymentCameLate | BoughtAlone | PaymentSettled):
            self.settlements.add(key)
        if isinstance(event, ReservationLapsed | UnitsReturned):
            self.stock.add(event.deal_id)
        if isinstance(event, PaymentCameLate | BoughtAlone | PaymentSettled):
            self.moving.append(event)
        if isinstance(event, PaymentSettled) and event.captured_minor:
            self.orders.add(event.order_id)
        group_id = getattr(event, "group_id", None)
        if group_id is not None:
            self.changed_groups.add(group_id)
            if isinstance(event, UnitsReturned):
                self.dropped.add((event.deal_id, event.shopper_id, group_id))

    def _add_order(self, event: OrderEvent) -> None:
        if not isinstance(event, RefundMade):
            self.orders.add(event.order_id)
        if isinstance(event, OrderRefunded | RefundMade):
            self.refunds.add(event.refund_id)
            self.moving.append(event)
            if event.group_id is not None:
                self.changed_groups.add(event.group_id)

    def _add_left(self, event: ParticipantLeft) -> None:
        key = (event.deal_id, event.shopper_id, event.group_id)
        if key in self.joined:
            self.joined.remove(key)
        else:
            self.left.add(key)
        payment_key = (event.deal_id, event.shopper_id, event.order_id)
        self.paid.add(payment_key)
        self.settlements.add(payment_key)
        self.stock.add(event.deal_id)
        self._add_taken(event, -1)

    def _add_taken(self, event: ParticipantJoined | ParticipantLeft, change: int) -> None:
        self.changed_groups.add(event.group_id)
        if event.invite_code is not None:
            self.invite_joins[event.invite_code] += change

    def _add_opened(self, event: GroupOpened) -> None:
        self.opened_groups.add(event.group_id)
        if event.leader_id is None:
            self.changed_deals.add(event.deal_id)

    def _add_changed_group(self, event: TierReached | GroupSucceeded | GroupFailed | GroupCancelled) -> None:
        if isinstance(event, GroupFailed | GroupCancelled) and event.returned_units:
            self.stock.add(event.deal_id)
        self.changed_groups.add(event.group_id)

    def _add_changed_deal(self, event: DealChange) -> None:
        self.changed_deals.add(event.deal_id)
        if isinstance(event, DealEdited) and event.variants is not None:
            self.reworked_variants.add(event.deal_id)
