"""A piece of the world many commands are decided in, one after the other: the pure heart of a batch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from domain.errors import DomainError
from domain.groupbuy.commands import (
    BuyAlone,
    CancelGroup,
    CancelOrder,
    CloseGroup,
    Command,
    ConfirmPayment,
    CreateInvite,
    DeliverOrder,
    JoinGroup,
    LapsePayment,
    LeaveGroup,
    OpenGroup,
    OrderCommand,
    RecordRefund,
    RecordSettlement,
    RefundOrder,
    RevokeInvite,
    ShipOrder,
)
from domain.groupbuy.deal import Deal
from domain.groupbuy.decide import decide
from domain.groupbuy.events import Event
from domain.groupbuy.evolve import evolve
from domain.groupbuy.group import Group, Invite, Place
from domain.groupbuy.line import comes_from
from domain.groupbuy.order import Order, Refund
from domain.groupbuy.payment import Payment
from domain.groupbuy.state import State

InviteKey = tuple[UUID, UUID, str]
"""Group, sharer, channel: there is one invite for each that leads there."""
_OF_ONE_GROUP = JoinGroup | LeaveGroup | CreateInvite | RevokeInvite | CloseGroup | CancelGroup
_OF_ONE_PAYMENT = ConfirmPayment | LapsePayment | RecordSettlement


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command that was decided: what it caused (nothing where it was done already) and the state it left."""

    events: tuple[Event, ...]
    state: State


@dataclass(frozen=True, slots=True)
class Refused:
    """A command the rules said no to; it changed nothing."""

    error: DomainError


Outcome = Accepted | Refused


@dataclass(slots=True)
class World:
    """Deals, groups, stock, and of the members only those among the shoppers asking and in the lines of invites.

    `places` holds, by deal and shopper, that shopper's places by group; `payments` in the same way by order: those that
    units are kept for and those that are asked about. `stock_left` is units by deal and variant, `links` by group and
    sharer the codes there are, revoked ones among them.
    """

    deals: dict[UUID, Deal] = field(default_factory=dict)
    groups: dict[UUID, Group] = field(default_factory=dict)
    stock_left: dict[UUID, dict[UUID, int]] = field(default_factory=dict)
    places: dict[tuple[UUID, UUID], dict[UUID, Place]] = field(default_factory=dict)
    payments: dict[tuple[UUID, UUID], dict[UUID, Payment]] = field(default_factory=dict)
    orders: dict[UUID, Order] = field(default_factory=dict)
    refunds: dict[UUID, Refund] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)
    invite_codes: dict[InviteKey, str] = field(default_factory=dict)
    links: dict[tuple[UUID, UUID], set[str]] = field(default_factory=dict)

    def fold(self, commands: Iterable[Command], now: datetime) -> list[Outcome]:
        """Decide every command in turn, each in the world the one before it left; a refused one refuses alone."""
        return [self.tell(command, now) for command in commands]

    def tell(self, command: Command, now: datetime) -> Outcome:
        """Decide one command and take its effect into this world."""
        state = self._state_for(command)
        try:
            events = decide(state, command, now)
        except DomainError as error:
            return Refused(error)
        for event in events:
            state = evolve(state, event)
        if events:
            self._keep(state, command)
        return Accepted(events, state)

    def _state_for(self, command: Command) -> State:
        match command:
            case OpenGroup():
                return self._state_by_invite(command.deal_id, None, command)
            case BuyAlone():
                return self._state(command.deal_id, None, command.shopper_id, None)
            case ConfirmPayment() | LapsePayment() | RecordSettlement():
                return self._state_of_payment(command)
            case ShipOrder() | DeliverOrder() | CancelOrder() | RefundOrder() | RecordRefund():
                return self._state_of_order(command)
            case JoinGroup() | LeaveGroup() | CreateInvite() | RevokeInvite() | CloseGroup() | CancelGroup():
                return self._state_of_group(command)
            case _:
                return self._state(command.deal_id, None, None, None)

    def _state_of_group(self, command: _OF_ONE_GROUP) -> State:
        group = self.groups.get(command.group_id)
        deal_id = group.deal_id if group else None
        match command:
            case JoinGroup():
                return self._state_by_invite(deal_id, group, command)
            case LeaveGroup():
                place = self._place(deal_id, command.group_id, command.shopper_id)
                return self._state(deal_id, group, command.shopper_id, place.invite_code if place else None)
            case CreateInvite():
                code = self.invite_codes.get((command.group_id, command.sharer_id, command.channel))
                state = self._state(deal_id, group, command.sharer_id, code)
                return replace(state, links=len(self.links.get((command.group_id, command.sharer_id), ())))
            case RevokeInvite():
                return self._state(deal_id, group, None, command.code)
            case _:
                return self._state(deal_id, group, None, None)

    def _state_by_invite(self, deal_id: UUID | None, group: Group | None, command: OpenGroup | JoinGroup) -> State:
        shopper_id, code = command.shopper_id, command.invite_code
        state = self._state(deal_id, group, shopper_id, code)
        if code is None or not comes_from(shopper_id, code, self.invites, partial(self._led_by, command.group_id)):
            return state
        return replace(state, comes_round=True)

    def _led_by(self, group_id: UUID, invite: Invite) -> Iterator[str]:
        """The invites by which a sharer came: the one that was the parent, and that of what he has of the group now."""
        if invite.parent_code is not None:
            yield invite.parent_code
        place = self._place(invite.deal_id, group_id, invite.sharer_id)
        if place is not None and place.invite_code is not None:
            yield place.invite_code
        for payment in self.payments.get((invite.deal_id, invite.sharer_id), {}).values():
            if payment.holds_units and payment.group_id == group_id and payment.invite_code is not None:
                yield payment.invite_code

    def _state_of_payment(self, command: _OF_ONE_PAYMENT) -> State:
        """Of its own payment only: what else the shopper has bears on no decision about it."""
        deal_id, group_id, shopper_id = command.deal_id, command.group_id, command.shopper_id
        payment = self.payments.get((deal_id, shopper_id), {}).get(command.order_id)
        place = self._place(deal_id, group_id, shopper_id) if group_id else None
        code = payment.invite_code if payment else None
        return State(
            deal=self.deals.get(deal_id),
            group=self.groups.get(group_id) if group_id else None,
            stock_left=self.stock_left.get(deal_id, {}),
            places={place.group_id: place} if place else {},
            payments={payment.order_id: payment} if payment else {},
            invite=self.invites.get(code) if code is not None else None,
        )

    def _state_of_order(self, command: OrderCommand) -> State:
        order = self.orders.get(command.order_id)
        found = order or self._payment(command.deal_id, command.order_id)
        if found is None:
            return State(deal=self.deals.get(command.deal_id))
        payment = self.payments.get((command.deal_id, found.shopper_id), {}).get(command.order_id)
        place = self._place(command.deal_id, found.group_id, found.shopper_id) if found.group_id else None
        refund_id = command.refund_id if isinstance(command, CancelOrder | RefundOrder | RecordRefund) else None
        return State(
            deal=self.deals.get(command.deal_id),
            group=self.groups.get(found.group_id) if found.group_id else None,
            stock_left=self.stock_left.get(command.deal_id, {}),
            places={place.group_id: place} if place else {},
            payments={payment.order_id: payment} if payment else {},
            order=order,
            refund=self.refunds.get(refund_id) if refund_id else None,
        )

    def _payment(self, deal_id: UUID, order_id: UUID) -> Payment | None:
        for (of_deal_id, _), payments in self.payments.items():
            if of_deal_id == deal_id and order_id in payments:
                return payments[order_id]
        return None

    def _state(
        self, deal_id: UUID | None, group: Group | None, shopper_id: UUID | None, invite_code: str | None
    ) -> State:
        if deal_id is None:
            return State()
        return State(
            deal=self.deals.get(deal_id),
            group=group,
            stock_left=self.stock_left.get(deal_id, {}),
            places=self._places_that_count(deal_id, shopper_id, group) if shopper_id else {},
            payments=self.payments.get((deal_id, shopper_id), {}) if shopper_id else {},
            invite=self.invites.get(invite_code) if invite_code is not None else None,
        )

    def _place(self, deal_id: UUID | None, group_id: UUID, shopper_id: UUID) -> Place | None:
        return self.places.get((deal_id, shopper_id), {}).get(group_id) if deal_id else None

    def _places_that_count(self, deal_id: UUID, shopper_id: UUID, group: Group | None) -> dict[UUID, Place]:
        """Places in the group asked about, and in those whose units count; a group can fail within a batch."""
        asked = group.id if group else None
        return {
            group_id: place
            for group_id, place in self.places.get((deal_id, shopper_id), {}).items()
            if group_id == asked or (known := self.groups.get(group_id)) is None or known.units_count_for_limit
        }

    def _keep(self, state: State, command: Command) -> None:
        deal, group, invite = state.deal, state.group, state.invite
        if deal is not None:
            self.deals[deal.id] = deal
            self.stock_left[deal.id] = dict(state.stock_left)
        if group is not None:
            self.groups[group.id] = group
            self._keep_place(state, group, command)
        for payment in state.payments.values():  # into a new dict: answers given before show the one there was
            key = (payment.deal_id, payment.shopper_id)
            self.payments[key] = {**self.payments.get(key, {}), payment.order_id: payment}
        if state.order is not None:
            self.orders[state.order.id] = state.order
        if state.refund is not None:
            self.refunds[state.refund.id] = state.refund
        if invite is not None:
            self.take_in_invite(invite)

    def take_in_invite(self, invite: Invite) -> None:
        """Know an invite as it is now; where it is revoked its sharer has none for its channel."""
        self.invites[invite.code] = invite
        self.links.setdefault((invite.group_id, invite.sharer_id), set()).add(invite.code)
        key = (invite.group_id, invite.sharer_id, invite.channel)
        if not invite.is_revoked:
            self.invite_codes[key] = invite.code
        elif self.invite_codes.get(key) == invite.code:
            del self.invite_codes[key]

    def _keep_place(self, state: State, group: Group, command: Command) -> None:
        place = state.place
        if place is not None:
            self.places.setdefault((group.deal_id, place.shopper_id), {})[group.id] = place
        elif isinstance(command, LeaveGroup):
            self.places.get((group.deal_id, command.shopper_id), {}).pop(group.id, None)
