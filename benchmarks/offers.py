"""Deals and groups to measure with, made the way the product makes them: by commands through the batcher."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from domain.groupbuy.commands import CreateDeal, JoinGroup, OpenGroup, PublishDeal
from domain.groupbuy.deal import Grouping, Offer, Variant
from domain.pricing.schedule import PriceSchedule, Tier
from infra.batching import Batcher
from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.ids import new_id
from infra.settings import Settings

STOCK = 100_000_000
GROUP_SIZE_MAX = 10_000_000
LIFETIME_S = 24 * 3600
TIERS = (Tier(3, 900), Tier(100, 800), Tier(10_000, 700))


@dataclass(frozen=True, slots=True)
class Opened:
    """A group with its leader in it, and the one variant of its deal."""

    deal_id: UUID
    variant_id: UUID
    group_id: UUID
    leader_id: UUID

    @property
    def path(self) -> str:
        return f"/v1/groups/{self.group_id}"


def open_groups(
    settings: Settings,
    count: int = 1,
    *,
    group_size_max: int = GROUP_SIZE_MAX,
    group_lifetime_s: int = LIFETIME_S,
    tiers: tuple[Tier, ...] = TIERS,
) -> list[Opened]:
    """Groups of as many deals, one each."""
    offer = Offer(
        title="Rice, 5 kg",
        description="",
        image_url=None,
        currency="USD",
        schedule=PriceSchedule(1000, tiers),
        grouping=Grouping.TEAM,
        group_size_max=group_size_max,
        group_lifetime_s=group_lifetime_s,
        starts_at=None,
        ends_at=None,
        units_per_shopper_max=2,
    )

    async def make() -> list[Opened]:
        async with _batcher(settings) as batcher:
            return await asyncio.gather(*(_open(batcher, offer) for _ in range(count)))

    return asyncio.run(make())


def fill(settings: Settings, group: Opened, participants: int) -> None:
    """Join until a group has that many participants."""

    async def join() -> None:
        async with _batcher(settings) as batcher:
            for _ in range(participants - 1):
                await batcher.tell(JoinGroup(order_id=uuid4(), group_id=group.group_id, shopper_id=uuid4()))

    asyncio.run(join())


async def _open(batcher: Batcher, offer: Offer) -> Opened:
    opened = Opened(new_id(), new_id(), new_id(), uuid4())
    variants = (Variant(opened.variant_id, "5 kg", None, STOCK),)
    merchant_id = uuid4()
    await batcher.tell(CreateDeal(deal_id=opened.deal_id, merchant_id=merchant_id, offer=offer, variants=variants))
    await batcher.tell(PublishDeal(deal_id=opened.deal_id, merchant_id=merchant_id, crowd_group_id=new_id()))
    await batcher.tell(
        OpenGroup(order_id=uuid4(), deal_id=opened.deal_id, group_id=opened.group_id, shopper_id=opened.leader_id)
    )
    return opened


@asynccontextmanager
async def _batcher(settings: Settings) -> AsyncIterator[Batcher]:
    engine = make_engine(settings, "tuan bench", connections_max=3, planner=ALWAYS_BY_INDEX)
    batcher = Batcher(
        engine, batch_commands_max=settings.batch_commands_max, queue_commands_max=settings.queue_commands_max
    )
    try:
        yield batcher
    finally:
        await batcher.stop()
        await engine.dispose()
