"""A database in Python: what a batch loads of it (by `Wanted`), what it writes back (by `Changes`), and not a row more.

The statements in `infra/loading_sql.py` and `infra/saving_money.py` say the same in SQL.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from domain.groupbuy.commands import Command
from domain.groupbuy.events import Event
from domain.groupbuy.group import Place
from domain.groupbuy.payment import Payment, SettlementStatus
from domain.groupbuy.world import World
from infra.changes import Changes
from infra.wanted import Wanted


def loaded_for(stored: World, batch: Sequence[tuple[Command, UUID]]) -> World:
    """Only the rows a batch asks for; each command comes with its deal."""
    wanted = Wanted()
    for command, deal_id in batch:
        wanted.add(command, deal_id)
    part = World(
        deals={deal_id: stored.deals[deal_id] for deal_id in wanted.deal_ids if deal_id in stored.deals},
        groups={group_id: stored.groups[group_id] for group_id in wanted.group_ids if group_id in stored.groups},
        orders={order_id: stored.orders[order_id] for order_id in wanted.order_ids if order_id in stored.orders},
        refunds={
            refund_id: stored.refunds[refund_id] for _, refund_id in wanted.refunds if refund_id in stored.refunds
        },
    )
    part.stock_left = {deal_id: dict(stored.stock_left[deal_id]) for deal_id in part.deals}
    for key in wanted.asking:
        places = stored.places.get(key, {})
        part.places[key] = {at: place for at, place in places.items() if at in part.groups or _counts(stored, at)}
    named = wanted.order_ids | {
        place.order_id
        for deal_id, shopper_id, group_id in wanted.leaving
        if (place := stored.places.get((deal_id, shopper_id), {}).get(group_id))
    }
    for key, payments in stored.payments.items():
        if wanted.has_orders:
            part.payments[key] = {at: payment for at, payment in payments.items() if at in named}
        if key in wanted.asking:
            keeping = {at: replace(payment, settlement=None) for at, payment in payments.items() if payment.holds_units}
            part.payments[key] = keeping | part.payments.get(key, {})
    return part


def saved_into(stored: World, part: World, events: Iterable[Event]) -> None:
    """Write what a batch changed, and nothing else of what it had loaded."""
    changes = Changes()
    changes.add(events)
    stored.groups |= {group.id: group for group in changes.groups_in(part)}
    for deal_id in changes.stock:
        stored.stock_left[deal_id] = dict(part.stock_left[deal_id])
    for deal_id, shopper_id, group_id in changes.left:
        del stored.places[(deal_id, shopper_id)][group_id]
    for (deal_id, shopper_id, group_id), place in changes.places_in(part):
        stored.places.setdefault((deal_id, shopper_id), {})[group_id] = place
    for deal_id, shopper_id, group_id in changes.dropped:
        _drop(stored, part.places[(deal_id, shopper_id)][group_id], (deal_id, shopper_id))
    for payment in changes.payments_in(part, changes.reserved):
        of_shopper = stored.payments.setdefault((payment.deal_id, payment.shopper_id), {})
        assert payment.order_id not in of_shopper
        of_shopper[payment.order_id] = replace(payment, settlement=None)
    for payment in changes.payments_in(part, changes.paid - changes.reserved):
        _update(stored, payment)
    for payment in changes.payments_in(part, changes.settlements):
        _settle(stored, payment)
    stored.orders |= {order.id: order for order in changes.orders_in(part)}
    stored.refunds |= {refund.id: refund for refund in changes.refunds_in(part)}


def _counts(stored: World, group_id: UUID) -> bool:
    return stored.groups[group_id].units_count_for_limit


def _drop(stored: World, dropped: Place, key: tuple[UUID, UUID]) -> None:
    place = stored.places[key][dropped.group_id]
    stored.places[key][dropped.group_id] = replace(place, dropped_at=dropped.dropped_at)


def _update(stored: World, payment: Payment) -> None:
    """The columns that change in a payment's life."""
    of_shopper = stored.payments[(payment.deal_id, payment.shopper_id)]
    before = of_shopper[payment.order_id]
    of_shopper[payment.order_id] = replace(
        before,
        status=payment.status,
        holds_units=payment.holds_units,
        held_at=payment.held_at,
        late_at=payment.late_at,
        left_at=payment.left_at,
        reference=payment.reference or before.reference,
    )


def _settle(stored: World, payment: Payment) -> None:
    """A new row, or a new status of the one there is."""
    of_shopper = stored.payments[(payment.deal_id, payment.shopper_id)]
    before = of_shopper[payment.order_id].settlement
    decided = payment.settlement
    assert decided is not None
    assert decided.status in SettlementStatus
    settlement = decided if before is None else replace(before, status=decided.status)
    of_shopper[payment.order_id] = replace(of_shopper[payment.order_id], settlement=settlement)
