"""Loading what a batch of commands is decided in: lock the deals, then read everything else in one statement.

Two statements, because under READ COMMITTED the one that waits for a lock reads the other rows as they were before
the wait; the second one has a fresh snapshot. The first answers nothing, so that it can be sent with BEGIN.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.groupbuy.commands import (
    BuyAlone,
    CancelOrder,
    Command,
    ConfirmPayment,
    CreateDeal,
    CreateInvite,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
    RecordSettlement,
    RevokeInvite,
)
from domain.groupbuy.deal import Deal
from domain.groupbuy.group import Invite
from domain.groupbuy.order import Order, Refund
from domain.groupbuy.world import World
from infra.loading_sql import LOAD_VIEW
from infra.rows import DealRow, GroupRow, PlaceRow, deal_from, group_from, place_from
from infra.rows_money import PaymentRow, SettledPaymentRow, payment_from
from infra.statement import Bound, Statement, uuids_text

DEALS_REMEMBERED_MAX = 10_000

_LOCK_DEALS = Statement("SELECT FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE")


@dataclass(slots=True)
class Wanted:
    """Everything one batch needs to see."""

    deal_ids: set[UUID] = field(default_factory=set)
    group_ids: set[UUID] = field(default_factory=set)
    asking: set[tuple[UUID, UUID]] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    sharing: set[tuple[UUID, UUID]] = field(default_factory=set)
    keys: set[tuple[UUID, str]] = field(default_factory=set)
    order_ids: set[UUID] = field(default_factory=set)
    leaving: set[tuple[UUID, UUID, UUID]] = field(default_factory=set)
    refunds: set[tuple[UUID, UUID]] = field(default_factory=set)
    coming: set[tuple[str, UUID]] = field(default_factory=set)

    def add(self, command: Command, deal_id: UUID) -> None:
        """Take in what deciding this command on that deal needs."""
        if isinstance(command, JoinGroup) and command.invite_code is None:  # most of all commands
            self.deal_ids.add(deal_id)
            self.group_ids.add(command.group_id)
            self.asking.add((deal_id, command.shopper_id))
            return
        if isinstance(command, CreateDeal):
            return
        self.deal_ids.add(deal_id)
        group_id = getattr(command, "group_id", None)
        if group_id is not None:
            self.group_ids.add(group_id)
        if isinstance(command, ConfirmPayment):  # one for each join that is paid
            self.order_ids.add(command.order_id)
            return
        self._add_order(command, deal_id)
        if isinstance(command, OpenGroup | JoinGroup | LeaveGroup | BuyAlone | CancelOrder):
            self.asking.add((deal_id, command.shopper_id))
        if isinstance(command, OpenGroup | JoinGroup) and command.invite_code is not None:
            self.codes.add(command.invite_code)
            self.coming.add((command.invite_code, command.shopper_id))
        if isinstance(command, CreateInvite):
            self.sharing.add((command.group_id, command.sharer_id))
            self.asking.add((deal_id, command.sharer_id))
        if isinstance(command, RevokeInvite):
            self.codes.add(command.code)

    @property
    def has_orders(self) -> bool:
        """Whether any command is about an order."""
        return bool(self.order_ids or self.leaving)

    def _add_order(self, command: Command, deal_id: UUID) -> None:
        if isinstance(command, OpenGroup | JoinGroup):
            return
        order_id = getattr(command, "order_id", None)
        if order_id is not None:
            self.order_ids.add(order_id)
        refund_id = getattr(command, "refund_id", None)
        if refund_id is not None:
            self.refunds.add((deal_id, refund_id))
        if isinstance(command, LeaveGroup):
            self.leaving.add((deal_id, command.shopper_id, command.group_id))
        if isinstance(command, RecordSettlement) and command.refused_because is not None:
            self.asking.add((deal_id, command.shopper_id))


class StoredAnswer(msgspec.Struct, frozen=True):
    """What an idempotency key was answered with."""

    subject_id: UUID
    key: str
    request_hash: str
    answer: str


class _Lines(msgspec.Struct, frozen=True, kw_only=True):
    """Invites, and what their sharers have of their deals."""

    invites: list[Invite] | None = None
    places: list[PlaceRow] | None = None
    keeping: list[PaymentRow] | None = None


class _View(msgspec.Struct, frozen=True, kw_only=True):
    now: datetime
    deals: list[DealRow] | None
    stock: list[tuple[UUID, UUID, int]] | None
    groups: list[GroupRow] | None
    places: list[PlaceRow] | None
    keeping: list[PaymentRow] | None
    payments: list[SettledPaymentRow] | None = None
    orders: list[Order] | None = None
    refunds: list[Refund] | None = None
    lines: _Lines = _Lines()
    invites: list[Invite] | None
    keys: list[StoredAnswer] | None


@dataclass(slots=True)
class Loaded:
    """A world under lock, the moment everything in it is decided at, and the answers keys already have."""

    world: World
    now: datetime
    answers: dict[tuple[UUID, str], StoredAnswer]


_decode_view = msgspec.json.Decoder(_View).decode


def locking(wanted: Wanted) -> list[Bound]:
    """What locks the deals wanted, in order of their ids."""
    return [_LOCK_DEALS.bound(deal_ids=uuids_text(sorted(wanted.deal_ids)))] if wanted.deal_ids else []


class Loader:
    """Loads decision views; remembers deals by version, as they change far more rarely than their groups."""

    def __init__(self) -> None:
        self._deals: dict[UUID, Deal] = {}

    async def load(self, connection: Any, wanted: Wanted) -> Loaded:  # noqa: ANN401  asyncpg ships no types
        """Read what a batch is decided in; its deals are locked."""
        known = {deal_id: deal for deal_id in wanted.deal_ids if (deal := self._deals.get(deal_id))}
        statement = LOAD_VIEW[(wanted.has_orders, bool(wanted.coming))]
        view = _decode_view(await statement.value(connection, _parameters(wanted, known)))
        for row in view.deals or ():  # those that are new to us or have changed
            known[row.id] = deal_from(row)
            self._remember(known[row.id])
        return Loaded(_world(view, known), view.now, {(row.subject_id, row.key): row for row in view.keys or ()})

    def _remember(self, deal: Deal) -> None:
        if len(self._deals) >= DEALS_REMEMBERED_MAX:
            self._deals.clear()
        self._deals[deal.id] = deal


def _parameters(wanted: Wanted, known: dict[UUID, Deal]) -> dict[str, object]:
    asking_deal_ids, asking_shopper_ids = _columns(wanted.asking, 2)
    sharing_group_ids, sharer_ids = _columns(wanted.sharing, 2)
    key_subject_ids, keys = _columns(wanted.keys, 2)
    leaving_deal_ids, leaving_shopper_ids, leaving_group_ids = _columns(wanted.leaving, 3)
    refund_deal_ids, refund_ids = _columns(wanted.refunds, 2)
    coming_codes, coming_shopper_ids = _columns(wanted.coming, 2)
    return {
        "known_deal_ids": list(known),
        "known_versions": [deal.version for deal in known.values()],
        "deal_ids": list(wanted.deal_ids),
        "group_ids": list(wanted.group_ids),
        "asking_deal_ids": asking_deal_ids,
        "asking_shopper_ids": asking_shopper_ids,
        "codes": list(wanted.codes),
        "sharing_group_ids": sharing_group_ids,
        "sharer_ids": sharer_ids,
        "key_subject_ids": key_subject_ids,
        "keys": keys,
        "order_ids": list(wanted.order_ids),
        "leaving_deal_ids": leaving_deal_ids,
        "leaving_shopper_ids": leaving_shopper_ids,
        "leaving_group_ids": leaving_group_ids,
        "refund_deal_ids": refund_deal_ids,
        "refund_ids": refund_ids,
        "coming_codes": coming_codes,
        "coming_shopper_ids": coming_shopper_ids,
    }


def _columns(rows: Iterable[tuple[object, ...]], width: int) -> list[list[object]]:
    listed = list(rows)
    return [[row[column] for row in listed] for column in range(width)]


def _world(view: _View, deals: dict[UUID, Deal]) -> World:
    world = World(deals=deals)
    for deal_id, variant_id, stock_left in view.stock or ():
        world.stock_left.setdefault(deal_id, {})[variant_id] = stock_left
    for group in view.groups or ():
        world.groups[group.id] = group_from(group)
    for place in (*(view.places or ()), *(view.lines.places or ())):
        world.places.setdefault((place.deal_id, place.shopper_id), {})[place.group_id] = place_from(place)
    keeping = (*(view.lines.keeping or ()), *(view.keeping or ()))
    for payment in (*keeping, *(view.payments or ())):  # those asked about know their settlement
        world.payments.setdefault((payment.deal_id, payment.shopper_id), {})[payment.order_id] = payment_from(payment)
    world.orders = {order.id: order for order in view.orders or ()}
    world.refunds = {refund.id: refund for refund in view.refunds or ()}
    for invite in (*(view.invites or ()), *(view.lines.invites or ())):
        world.take_in_invite(invite)
    return world
