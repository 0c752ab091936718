"""What is private stays out of the commands that PostgreSQL shows and logs."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import CancelGroup, RefundOrder, ShipOrder
from infra.batching import Batcher
from infra.held_connection import HeldConnection
from infra.identity.audit import Actor, ActorKind, Deed
from infra.ids import new_id
from tests.money_shop import ADDRESS, MoneyShop


async def test_no_address_tracking_number_or_reason_stands_in_a_command(
    engine: AsyncEngine, batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the reservation to the refund of a parcel: no command the server gets names anybody's street."""
    commands: list[str] = []
    run = HeldConnection._run

    async def noted(held: HeldConnection, driver: Any, *given: str) -> None:
        commands.extend(given)
        await run(held, driver, *given)

    monkeypatch.setattr(HeldConnection, "_run", noted)
    shop = MoneyShop(engine, batcher, new_id())
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), None, None))[0]
    order: dict[str, Any] = {"deal_id": bought.deal_id, "order_id": bought.order_id, "merchant_id": shop.merchant_id}
    await shop.tell(ShipOrder(**order, carrier="Royal Mail", tracking_number="RM123456789GB"))
    refund: dict[str, Any] = {"refund_id": new_id(), "amount_minor": None, "currency": None, "is_return": False}
    await shop.tell(RefundOrder(**order, **refund, group_id=bought.group_id, reason="broken cup"))
    (open_group,) = await shop.paid_group(bought.deal_id, None)
    assert open_group.group_id is not None
    deed = Deed(Actor(ActorKind.ADMINISTRATOR, new_id()), "group.cancel", reason="says Mrs Hill")
    await batcher.tell(CancelGroup(group_id=open_group.group_id, merchant_id=None), deed=deed)
    told = " ".join(commands).replace("''", "'")
    assert str(bought.order_id) in told
    for private in (ADDRESS.name, ADDRESS.line1, ADDRESS.postal_code, "RM123456789GB", "broken cup", "Mrs Hill"):
        assert private is not None
        assert private not in told
