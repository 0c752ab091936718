"""What the audit log says of a command: the thing it was about, as it was before the decision and is after it.

Joins have no deed, so nothing of this is theirs to pay for.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from domain.groupbuy.commands import CancelGroup, CancelOrder, Command, DeliverOrder, RefundOrder, ShipOrder
from domain.groupbuy.deal import Deal
from domain.groupbuy.group import Group
from domain.groupbuy.order import Order
from domain.groupbuy.world import World
from infra.identity.audit import Deed, Entry, Thing, ThingKind, entry
from infra.saving_deals import deal_values

_OF_NO_INTEREST: Final = {"id", "merchant_id", "version", "created_at", "crowd_group_id"}

Facts = dict[str, object]


def facts_of(world: World, command: Command, deal_id: UUID) -> Facts | None:
    """What there is to say now of the thing a command is about; None where it is not there (yet)."""
    match command:
        case CancelGroup():
            return _of_group(world.groups.get(command.group_id))
        case CancelOrder() | RefundOrder() | ShipOrder() | DeliverOrder():
            return _of_order(world.orders.get(command.order_id))
        case _:
            return _of_deal(world.deals.get(deal_id))


def entry_of(deed: Deed, world: World, command: Command, deal_id: UUID, before: Mapping[str, object] | None) -> Entry:
    """The entry of a command that was decided and took its effect into this world."""
    merchant_id = world.deals[deal_id].merchant_id
    match command:
        case CancelGroup():
            thing = Thing(ThingKind.GROUP, command.group_id, merchant_id)
        case CancelOrder() | RefundOrder() | ShipOrder() | DeliverOrder():
            thing = Thing(ThingKind.ORDER, command.order_id, merchant_id)
        case _:
            thing = Thing(ThingKind.DEAL, deal_id, merchant_id)
    return entry(deed, thing, before, facts_of(world, command, deal_id))


def _of_deal(deal: Deal | None) -> Facts | None:
    if deal is None:
        return None
    values: Facts = {name: value for name, value in deal_values(deal).items() if name not in _OF_NO_INTEREST}
    return values | {"variants": [{"title": variant.title, "stock": variant.stock} for variant in deal.variants]}


def _of_group(group: Group | None) -> Facts | None:
    if group is None:
        return None
    return {"status": group.status, "participants": group.participants, "closed_by": group.closed_by}


def _of_order(order: Order | None) -> Facts | None:
    if order is None:
        return None
    return {"status": order.status, "refunded": order.refunded_minor, "currency": order.currency}
