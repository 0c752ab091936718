"""A merchant's shop on a real database: deals, groups and places come about through commands, as in production."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import Command, CreateDeal, JoinGroup, OpenGroup, PublishDeal
from domain.groupbuy.deal import Grouping, Offer, Variant
from domain.groupbuy.world import Accepted
from domain.pricing.schedule import PriceSchedule, Tier
from infra.batching import Batcher
from infra.ids import new_id
from infra.reading.page import Page

PAGES_MAX = 50

KETTLE = Offer(
    title="Kettle",
    description="Boils water.",
    image_url=None,
    currency="EUR",
    schedule=PriceSchedule(2_000, (Tier(2, 1_800), Tier(4, 1_500))),
    grouping=Grouping.TEAM,
    group_size_max=6,
    group_lifetime_s=3_600,
    starts_at=None,
    ends_at=None,
    units_per_shopper_max=None,
)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant at work."""

    engine: AsyncEngine
    batcher: Batcher
    merchant_id: UUID

    async def tell(self, command: Command) -> Accepted:
        """A command that must be accepted."""
        outcome = await self.batcher.tell(command)
        assert isinstance(outcome, Accepted)
        return outcome

    async def draft(self, variants: tuple[Variant, ...] = (), **changes: Any) -> UUID:
        """Write a draft of the kettle's offer with some fields said otherwise."""
        deal_id = new_id()
        offer = replace(KETTLE, **changes)
        stocked = variants or (Variant(new_id(), "Red", None, 1_000),)
        await self.tell(CreateDeal(deal_id=deal_id, merchant_id=self.merchant_id, offer=offer, variants=stocked))
        return deal_id

    async def publish(self, deal_id: UUID) -> UUID:
        """Let groups open; answers the id a crowd's group would have got."""
        crowd_group_id = new_id()
        await self.tell(PublishDeal(deal_id=deal_id, merchant_id=self.merchant_id, crowd_group_id=crowd_group_id))
        return crowd_group_id

    async def live(self, variants: tuple[Variant, ...] = (), **changes: Any) -> UUID:
        """Write and publish a deal."""
        deal_id = await self.draft(variants, **changes)
        await self.publish(deal_id)
        return deal_id

    async def opened(self, deal_id: UUID, participants: int = 1, leader_id: UUID | None = None) -> UUID:
        """A group with so many participants."""
        group_id = new_id()
        await self.tell(
            OpenGroup(order_id=uuid4(), deal_id=deal_id, group_id=group_id, shopper_id=leader_id or new_id())
        )
        for _ in range(participants - 1):
            await self.joined(group_id)
        return group_id

    async def joined(self, group_id: UUID, shopper_id: UUID | None = None, display_name: str | None = None) -> UUID:
        """Let somebody join; answers who."""
        joiner_id = shopper_id or new_id()
        await self.tell(JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=joiner_id, display_name=display_name))
        return joiner_id

    async def make(self, statement: str, **parameters: object) -> None:
        """Change rows behind the domain's back, as time or a worker would."""
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), parameters)

    async def let_time_pass(self, deal_id: UUID, passed: timedelta) -> None:
        """Move everything of a deal into the past."""
        for table, start, end in (("deals", "starts_at", "ends_at"), ("groups", "opened_at", "expires_at")):
            key = "id" if table == "deals" else "deal_id"
            earlier = f"{start} = {start} - CAST(:passed AS interval), {end} = {end} - CAST(:passed AS interval)"
            await self.make(f"UPDATE {table} SET {earlier} WHERE {key} = :deal_id", passed=passed, deal_id=deal_id)


async def every_item(
    read: Callable[[str | None], Awaitable[Page[Item]]], between: Callable[[], Awaitable[object]] | None = None
) -> list[Item]:
    """All items, page by page; `between` happens after each page."""
    items: list[Item] = []
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        page = await read(cursor)
        items += page.items
        if page.next_cursor is None:
            return items
        cursor = page.next_cursor
        if between:
            await between()
    raise AssertionError(f"no last page within {PAGES_MAX} pages")
