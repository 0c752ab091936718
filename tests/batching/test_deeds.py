"""The audit log of what is decided: an entry is committed with its effect, or neither is."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import CancelGroup, EditDeal, PauseDeal, RefundOrder
from domain.groupbuy.errors import DealNotFound
from infra.batching import Batcher
from infra.identity.audit import Actor, ActorKind, Deed
from infra.ids import new_id
from tests.money_shop import MoneyShop
from tests.reading.shop import Shop

STAFF = Actor(ActorKind.STAFF, UUID("0198c000-0000-7000-8000-0000000000aa"))


def deed(action: str, reason: str | None = None) -> Deed:
    return Deed(STAFF, action, "req-1", reason)


async def entries(engine: AsyncEngine) -> list[dict[str, Any]]:
    """The log, the oldest first."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM audit ORDER BY id"))
        return [dict(row) for row in rows.mappings()]


async def test_a_deed_is_noted_with_what_it_changed(shop: Shop, batcher: Batcher) -> None:
    """Who, what, before, after and the request, at the moment of the decision; only what changed is kept."""
    deal_id = await shop.live()
    await batcher.tell(PauseDeal(deal_id=deal_id, merchant_id=shop.merchant_id), deed=deed("deal.pause"))
    edit = EditDeal(deal_id=deal_id, merchant_id=shop.merchant_id, changes={"title": "Big kettle"})
    await batcher.tell(edit, deed=deed("deal.edit"))
    paused, edited = await entries(shop.engine)
    assert (paused["actor_kind"], paused["actor_id"], paused["request_id"]) == ("staff", STAFF.id, "req-1")
    assert (paused["merchant_id"], paused["thing_kind"], paused["thing_id"]) == (shop.merchant_id, "deal", deal_id)
    assert (paused["action"], paused["before"], paused["after"]) == (
        "deal.pause",
        {"lifecycle": "published"},
        {"lifecycle": "paused"},
    )
    assert (edited["before"], edited["after"]) == ({"title": "Kettle"}, {"title": "Big kettle"})


async def test_what_changed_nothing_is_not_noted(shop: Shop, batcher: Batcher) -> None:
    """Neither what was done already nor what was refused; and nobody's joins."""
    deal_id = await shop.live()
    group_id = await shop.opened(deal_id, 2)
    cancel = CancelGroup(group_id=group_id, merchant_id=None)
    for _ in range(2):
        await batcher.tell(cancel, deed=deed("group.cancel", "Counterfeit goods."))
    with pytest.raises(DealNotFound):
        await batcher.tell(PauseDeal(deal_id=deal_id, merchant_id=new_id()), deed=deed("deal.pause"))
    (cancelled,) = await entries(shop.engine)
    assert cancelled["before"] == {"status": "open", "closed_by": None}
    assert cancelled["after"] == {"status": "cancelled", "closed_by": "platform", "reason": "Counterfeit goods."}


async def test_a_refund_is_noted_with_its_order(engine: AsyncEngine, batcher: Batcher) -> None:
    """What an order had given back before, and has after."""
    shop = MoneyShop(engine, batcher, new_id())
    bought, *_ = await shop.orders_of(await shop.live(), None, None)
    refund = RefundOrder(
        deal_id=bought.deal_id,
        group_id=bought.group_id,
        order_id=bought.order_id,
        merchant_id=shop.merchant_id,
        refund_id=new_id(),
        amount_minor=300,
        currency=None,
        reason="It came broken.",
        is_return=False,
    )
    await batcher.tell(refund, deed=deed("order.refund"))
    (refunded,) = await entries(engine)
    assert (refunded["thing_kind"], refunded["thing_id"]) == ("order", bought.order_id)
    assert (refunded["before"], refunded["after"]) == ({"refunded": 0}, {"refunded": 300})


async def test_no_entry_no_effect(shop: Shop, batcher: Batcher, database: asyncpg.Connection) -> None:
    """Where the log cannot be written the deed is not done."""
    deal_id = await shop.live()
    await database.execute("ALTER TABLE audit ADD CONSTRAINT broken CHECK (action <> 'deal.pause')")
    with pytest.raises(asyncpg.CheckViolationError):
        await batcher.tell(PauseDeal(deal_id=deal_id, merchant_id=shop.merchant_id), deed=deed("deal.pause"))
    assert await database.fetchval("SELECT lifecycle FROM deals WHERE id = $1", deal_id) == "published"


@pytest.mark.parametrize("change", ["UPDATE audit SET action = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
async def test_the_log_only_grows(shop: Shop, batcher: Batcher, change: str) -> None:
    """Nothing in it can be changed or taken away, by whoever uses the product's own connection."""
    pause = PauseDeal(deal_id=await shop.live(), merchant_id=shop.merchant_id)
    await batcher.tell(pause, deed=deed("deal.pause"))
    with pytest.raises(DBAPIError, match="append-only"):
        await shop.make(change)
    assert len(await entries(shop.engine)) == 1
