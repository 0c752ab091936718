"""Loading what a batch of commands is decided in: lock the deals, then read everything else in one statement.

Two statements, because under READ COMMITTED the one that waits for a lock reads the other rows as they were before
the wait; the second one has a fresh snapshot. The first answers nothing, so that it can be sent with BEGIN.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.groupbuy.deal import Deal
from domain.groupbuy.group import Invite
from domain.groupbuy.order import Order, Refund
from domain.groupbuy.world import World
from infra.loading_sql import LOAD_VIEW
from infra.rows import DealRow, GroupRow, PlaceRow, deal_from, group_from, place_from
from infra.rows_money import PaymentRow, SettledPaymentRow, payment_from
from infra.statement import Bound, Statement, uuids_text
from infra.wanted import AnswerKey, Wanted

DEALS_REMEMBERED_MAX = 10_000

_LOCK_DEALS = Statement("SELECT FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE")


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
    answers: dict[AnswerKey, StoredAnswer]


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
        parameters = wanted.parameters() | {
            "known_deal_ids": list(known),
            "known_versions": [deal.version for deal in known.values()],
        }
        view = _decode_view(await statement.value(connection, parameters))
        for row in view.deals or ():  # those that are new to us or have changed
            known[row.id] = deal_from(row)
            self._remember(known[row.id])
        return Loaded(_world(view, known), view.now, {(row.subject_id, row.key): row for row in view.keys or ()})

    def _remember(self, deal: Deal) -> None:
        if len(self._deals) >= DEALS_REMEMBERED_MAX:
            self._deals.clear()
        self._deals[deal.id] = deal


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
