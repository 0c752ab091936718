"""Somebody who has left words in every place there is for them, and how to find those words again."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.address import Address
from domain.groupbuy.commands import ShipOrder
from infra.every_table import metadata
from infra.ids import new_id
from tests.api.people import Person, Town
from tests.identity.members import Member, signed_in
from tests.money_shop import MoneyShop, Purchase

NAME, PICTURE, STREET, TOKEN = (
    "Unmistakable Mei",
    "https://img.example/unmistakable.png",
    "77 Unmistakable Road",
    "unmis",
)
HOME = Address(name=NAME, line1=STREET, city="London", country="GB")


async def settled_in(town: Town) -> Member:
    """Somebody who has left words in every place there is for them."""
    mei = await signed_in(town)
    await mei.patch("/v1/me", {"display_name": NAME, "avatar_url": PICTURE})
    mei = await mei.refreshed()
    body = {"address": {"name": NAME, "line1": STREET, "city": "London", "country": "GB"}, "label": NAME}
    assert (await mei.post("/v1/me/addresses", body)).status_code == 201
    token = {"platform": "ios", "push_token": f"{TOKEN}-{uuid4()}"}
    assert (await mei.post("/v1/me/devices", token)).status_code == 201
    return mei


async def order_on_its_way(shop: MoneyShop, member: Member, merchant: Person) -> Purchase:
    """Something of the member's that is on its way."""
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), member.subject, None))[0]
    await shop.tell(shipping(bought, merchant))
    return bought


def shipping(bought: Purchase, merchant: Person) -> ShipOrder:
    named: dict[str, Any] = {"deal_id": bought.deal_id, "order_id": bought.order_id, "merchant_id": merchant.subject}
    return ShipOrder(**named, carrier="DHL", tracking_number="1")


async def delivered(town: Town, bought: Purchase) -> None:
    assert (await town.merchant.post(f"/v1/orders/{bought.order_id}/deliver")).status_code == 200


async def merchant_of(engine: AsyncEngine, *owners: Member, status: str = "approved") -> UUID:
    merchant_id = new_id()
    await run(
        engine,
        "INSERT INTO merchants (id, name, contact, status) VALUES (:id, 'Tea', 'tea@example.com', :status)",
        id=merchant_id,
        status=status,
    )
    for owner in owners:
        hiring = "INSERT INTO staff (merchant_id, account_id, role) VALUES (:id, :owner, 'owner')"
        await run(engine, hiring, id=merchant_id, owner=owner.subject)
    return merchant_id


async def traces(engine: AsyncEngine, member: Member) -> set[str]:
    """The tables that hold a word of somebody's."""
    words = [word for word in (NAME, PICTURE, STREET, TOKEN, member.phone) if word]
    is_there = "EXISTS (SELECT FROM unnest(CAST(:w AS text[])) w WHERE t::text LIKE '%' || w || '%')"
    asked = f"SELECT count(*) FROM {{}} AS t WHERE {is_there}"
    return {name for name in metadata.tables if (await rows(engine, asked.format(name), w=words))[0][0]}


async def addressed(engine: AsyncEngine) -> set[UUID]:
    asked = """
      SELECT order_id FROM payments WHERE address IS NOT NULL AND shopper_id IN (
        SELECT id FROM accounts WHERE status = 'deleted')"""
    return {row[0] for row in await rows(engine, asked)}


async def versions(engine: AsyncEngine) -> list[int]:
    return [row[0] for row in await rows(engine, "SELECT version FROM accounts")]


async def rows(engine: AsyncEngine, statement: str, **parameters: object) -> list[Any]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement), parameters)]


async def run(engine: AsyncEngine, statement: str, **parameters: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), parameters)


async def is_waiting(engine: AsyncEngine, how_many: int = 1) -> bool:
    """Whether so many wait for a lock."""
    return await rows(engine, "SELECT count(*) >= :n FROM pg_locks WHERE NOT granted", n=how_many) == [(True,)]
