"""Loading what a batch of commands is decided in: lock the deals, then read everything else in one statement.

Two statements, because under READ COMMITTED the one that waits for a lock reads the other rows as they were before
the wait; the second one has a fresh snapshot. The first answers nothing, so that it can be sent with BEGIN.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
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
)
from domain.groupbuy.deal import Deal
from domain.groupbuy.group import Invite
from domain.groupbuy.order import Order, Refund
from domain.groupbuy.world import World
from infra.rows import DealRow, GroupRow, PlaceRow, deal_from, group_from, place_from
from infra.rows_money import PaymentRow, SettledPaymentRow, payment_from
from infra.statement import Bound, Statement, uuids_text

DEALS_REMEMBERED_MAX = 10_000

_LOCK_DEALS = Statement("SELECT FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE")

# What is read is what a row holds: a new field needs no second list.
_DEAL_COLUMNS = ", ".join(name for name in DealRow.__struct_fields__ if name != "variants")
GROUP_COLUMNS = ", ".join(GroupRow.__struct_fields__)
PLACE_COLUMNS = ", ".join(f"p.{name}" for name in PlaceRow.__struct_fields__)
_INVITE_COLUMNS = ", ".join(column.name for column in fields(Invite))
PAYMENT_COLUMNS = ", ".join(f"p.{name}" for name in PaymentRow.__struct_fields__)
_ORDER_COLUMNS = ", ".join(column.name for column in fields(Order))
_REFUND_COLUMNS = ", ".join(column.name for column in fields(Refund))

_OF_ORDERS = f"""
  'payments', (SELECT json_agg(q) FROM (
      SELECT {PAYMENT_COLUMNS}, s.capture_minor, s.unit_price AS settled_unit_price, s.status AS settlement_status
      FROM payments p LEFT JOIN settlements s ON s.deal_id = p.deal_id AND s.order_id = p.order_id
      WHERE p.order_id IN (
        SELECT unnest(CAST(:order_ids AS uuid[]))
        UNION
        SELECT m.order_id FROM participants m JOIN unnest(
          CAST(:leaving_deal_ids AS uuid[]), CAST(:leaving_shopper_ids AS uuid[]), CAST(:leaving_group_ids AS uuid[])
        ) AS leaving (d, s, g) ON m.deal_id = leaving.d AND m.shopper_id = leaving.s AND m.group_id = leaving.g)) q),
  'orders', (SELECT json_agg(o) FROM (
      SELECT {_ORDER_COLUMNS} FROM orders WHERE id = ANY(CAST(:order_ids AS uuid[]))) o),
  'refunds', (SELECT json_agg(r) FROM (
      SELECT {_REFUND_COLUMNS} FROM refunds
      JOIN unnest(CAST(:refund_deal_ids AS uuid[]), CAST(:refund_ids AS uuid[])) AS asked (d, i)
        ON deal_id = asked.d AND id = asked.i) r),"""  # noqa: S608 - constants
"""Only where a batch has commands about orders: joins by themselves need none of it."""

_VIEW_SQL = f"""
SELECT json_build_object(
  'now', clock_timestamp(),
  'deals', (SELECT json_agg(d) FROM (
      SELECT {_DEAL_COLUMNS}, (
        SELECT json_agg(v ORDER BY v.position) FROM (
          SELECT id, title, image_url, stock, position FROM variants WHERE deal_id = deals.id) v) AS variants
      FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) AND (id, version) NOT IN (
        SELECT i, v FROM unnest(CAST(:known_deal_ids AS uuid[]), CAST(:known_versions AS int[])) AS known (i, v))) d),
  'stock', (SELECT json_agg(json_build_array(deal_id, id, stock_left))
      FROM variants WHERE deal_id = ANY(CAST(:deal_ids AS uuid[]))),
  'groups', (SELECT json_agg(g) FROM (
      SELECT {GROUP_COLUMNS} FROM groups WHERE id = ANY(CAST(:group_ids AS uuid[]))) g),
  'places', (SELECT json_agg(q) FROM (
      SELECT {PLACE_COLUMNS}
      FROM unnest(CAST(:asking_deal_ids AS uuid[]), CAST(:asking_shopper_ids AS uuid[])) AS asking (deal_id, shopper_id)
      JOIN participants p ON p.deal_id = asking.deal_id AND p.shopper_id = asking.shopper_id
      JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
      WHERE g.status IN ('open', 'succeeded') OR g.id = ANY(CAST(:group_ids AS uuid[]))) q),
  'keeping', (SELECT json_agg(q) FROM (
      SELECT {PAYMENT_COLUMNS}
      FROM unnest(CAST(:asking_deal_ids AS uuid[]), CAST(:asking_shopper_ids AS uuid[])) AS asking (deal_id, shopper_id)
      JOIN payments p ON p.deal_id = asking.deal_id AND p.shopper_id = asking.shopper_id AND p.holds_units) q),
  /* orders */
  'invites', (SELECT json_agg(i) FROM (
      SELECT {_INVITE_COLUMNS} FROM invites WHERE code = ANY(CAST(:codes AS text[]))
      UNION
      SELECT {_INVITE_COLUMNS} FROM invites JOIN unnest(
        CAST(:sharing_group_ids AS uuid[]), CAST(:sharer_ids AS uuid[]), CAST(:channels AS text[])
      ) AS sharing (g, s, c) ON group_id = sharing.g AND sharer_id = sharing.s AND channel = sharing.c) i),
  'keys', (SELECT json_agg(k) FROM (
      SELECT subject_id, key, encode(request_hash, 'hex') AS request_hash, encode(answer, 'base64') AS answer
      FROM idempotency_keys JOIN unnest(
        CAST(:key_subject_ids AS uuid[]), CAST(:keys AS text[])) AS asked (s, k) ON subject_id = s AND key = k) k)
)::text
"""  # noqa: S608 - the interpolated parts are the constants above
_LOAD_VIEW = Statement(_VIEW_SQL)
_LOAD_VIEW_WITH_ORDERS = Statement(_VIEW_SQL.replace("/* orders */", _OF_ORDERS))


@dataclass(slots=True)
class Wanted:
    """Everything one batch needs to see."""

    deal_ids: set[UUID] = field(default_factory=set)
    group_ids: set[UUID] = field(default_factory=set)
    asking: set[tuple[UUID, UUID]] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    sharing: set[tuple[UUID, UUID, str]] = field(default_factory=set)
    keys: set[tuple[UUID, str]] = field(default_factory=set)
    order_ids: set[UUID] = field(default_factory=set)
    leaving: set[tuple[UUID, UUID, UUID]] = field(default_factory=set)
    refunds: set[tuple[UUID, UUID]] = field(default_factory=set)

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
        if isinstance(command, CreateInvite):
            self.sharing.add((command.group_id, command.sharer_id, command.channel))
            self.asking.add((deal_id, command.sharer_id))

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
        statement = _LOAD_VIEW_WITH_ORDERS if wanted.has_orders else _LOAD_VIEW
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
    sharing_group_ids, sharer_ids, channels = _columns(wanted.sharing, 3)
    key_subject_ids, keys = _columns(wanted.keys, 2)
    leaving_deal_ids, leaving_shopper_ids, leaving_group_ids = _columns(wanted.leaving, 3)
    refund_deal_ids, refund_ids = _columns(wanted.refunds, 2)
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
        "channels": channels,
        "key_subject_ids": key_subject_ids,
        "keys": keys,
        "order_ids": list(wanted.order_ids),
        "leaving_deal_ids": leaving_deal_ids,
        "leaving_shopper_ids": leaving_shopper_ids,
        "leaving_group_ids": leaving_group_ids,
        "refund_deal_ids": refund_deal_ids,
        "refund_ids": refund_ids,
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
    for place in view.places or ():
        world.places.setdefault((place.deal_id, place.shopper_id), {})[place.group_id] = place_from(place)
    for payment in (*(view.keeping or ()), *(view.payments or ())):  # those asked about know their settlement
        world.payments.setdefault((payment.deal_id, payment.shopper_id), {})[payment.order_id] = payment_from(payment)
    world.orders = {order.id: order for order in view.orders or ()}
    world.refunds = {refund.id: refund for refund in view.refunds or ()}
    for invite in view.invites or ():
        world.invites[invite.code] = invite
        world.invite_codes[(invite.group_id, invite.sharer_id, invite.channel)] = invite.code
    return world
