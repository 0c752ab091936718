"""A merchant who is suspended, and what is left of what went on there."""

from uuid import UUID

from sqlalchemy import text

from domain.groupbuy.commands import OpenGroup
from domain.identity.permissions import Standing
from infra.identity.merchants import set_standing
from infra.ids import new_id
from infra.runtime import Runtime
from tests.money_shop import Purchase
from tests.workers.ground_truth import number
from tests.workers.paying_shop import PayingShop

LIFECYCLES = text("SELECT id, lifecycle FROM deals")
LOG = text("SELECT action, thing_id, actor_kind, after FROM audit ORDER BY id")


async def approved_shop(runtime: Runtime) -> PayingShop:
    shop = PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)
    await shop.make(
        "INSERT INTO merchants (id, name, contact, status) VALUES (:id, 'Tea', 'tea@example.com', 'approved')",
        id=shop.merchant_id,
    )
    return shop


async def stands(shop: PayingShop, standing: Standing) -> None:
    async with shop.engine.begin() as connection:
        await set_standing(connection, shop.merchant_id, standing, "Counterfeit goods.")


async def lifecycles(shop: PayingShop) -> dict[UUID, str]:
    async with shop.engine.connect() as connection:
        return {row.id: row.lifecycle for row in await connection.execute(LIFECYCLES)}


async def log(shop: PayingShop) -> list[tuple[object, ...]]:
    async with shop.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(LOG)]


async def is_winding_down(shop: PayingShop) -> bool:
    return bool(await number(shop.engine, "SELECT count(*) FROM merchants WHERE winding_down"))


def groups_of(bought: list[Purchase]) -> list[UUID]:
    return list(dict.fromkeys(purchase.group_id for purchase in bought if purchase.group_id is not None))


def opening(deal_id: UUID) -> OpenGroup:
    return OpenGroup(deal_id=deal_id, group_id=new_id(), shopper_id=new_id(), order_id=new_id())
