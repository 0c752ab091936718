"""Deals and groups to measure with, made the way the product makes them: by commands through the batcher."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from benchmarks.cannot_measure import CannotMeasure
from domain.groupbuy.commands import CreateDeal, JoinGroup, OpenGroup, PublishDeal
from domain.groupbuy.deal import Grouping, Offer, Variant
from domain.groupbuy.payment import PaymentTerms
from domain.groupbuy.world import Accepted
from domain.pricing.schedule import PriceSchedule, Tier
from infra.batching import Batcher
from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.ids import new_id
from infra.payments.checkout import Approved, Checkout
from infra.payments.gateways import Gateways
from infra.payments.payment_rows import PaymentRows
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


def open_groups(  # noqa: PLR0913 - what groups can differ in
    settings: Settings,
    count: int = 1,
    *,
    group_size_max: int = GROUP_SIZE_MAX,
    group_lifetime_s: int = LIFETIME_S,
    tiers: tuple[Tier, ...] = TIERS,
    payment: PaymentTerms | None = None,
) -> list[Opened]:
    """Groups of as many deals, one each; they take no money where `payment` is None."""
    offer = offer_of(group_size_max=group_size_max, group_lifetime_s=group_lifetime_s, tiers=tiers)

    async def make() -> list[Opened]:
        async with shop(settings) as at_work:
            return await asyncio.gather(*(_open(at_work, offer, payment) for _ in range(count)))

    return asyncio.run(make())


def offer_of(*, group_size_max: int, group_lifetime_s: int, tiers: tuple[Tier, ...]) -> Offer:
    """What all deals of the benchmarks have in common."""
    return Offer(
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


def fill(settings: Settings, group: Opened, participants: int) -> None:
    """Join until a group has that many participants."""

    async def join() -> None:
        async with shop(settings) as at_work:
            for _ in range(participants - 1):
                await at_work.take(JoinGroup(order_id=uuid4(), group_id=group.group_id, shopper_id=uuid4()))

    asyncio.run(join())


@dataclass(frozen=True, slots=True)
class Shop:
    """The way of every write, and of the money where a deal takes any, without HTTP."""

    batcher: Batcher
    checkout: Checkout

    async def publish(self, offer: Offer, payment: PaymentTerms | None) -> tuple[UUID, UUID]:
        """A live deal and its one variant."""
        deal_id, variant_id, merchant_id = new_id(), new_id(), uuid4()
        variants = (Variant(variant_id, "5 kg", None, STOCK),)
        await self.batcher.tell(CreateDeal(deal_id=deal_id, merchant_id=merchant_id, offer=offer, variants=variants))
        await self.batcher.tell(
            PublishDeal(deal_id=deal_id, merchant_id=merchant_id, crowd_group_id=new_id(), payment=payment)
        )
        return deal_id, variant_id

    async def take(self, command: OpenGroup | JoinGroup) -> None:
        """Take a place, and pay for it where it costs; the gateway approves at once."""
        accepted = await self.batcher.tell(command)
        assert isinstance(accepted, Accepted)
        awaited = accepted.state.awaited
        if awaited is not None and not isinstance(await self.checkout.authorise(awaited, None), Approved):
            raise CannotMeasure("The sandbox has not approved a payment at once.")


@asynccontextmanager
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    """At work, until everything told is written."""
    engine = make_engine(settings, "tuan bench", connections_max=3, planner=ALWAYS_BY_INDEX)
    batcher = Batcher(
        engine, batch_commands_max=settings.batch_commands_max, queue_commands_max=settings.queue_commands_max
    )
    gateways = Gateways(settings)
    try:
        yield Shop(batcher, Checkout(batcher.tell, gateways, PaymentRows(engine)))
    finally:
        await batcher.stop()
        await gateways.close()
        await engine.dispose()


async def _open(at_work: Shop, offer: Offer, payment: PaymentTerms | None) -> Opened:
    deal_id, variant_id = await at_work.publish(offer, payment)
    opened = Opened(deal_id, variant_id, new_id(), uuid4())
    await at_work.take(
        OpenGroup(order_id=uuid4(), deal_id=deal_id, group_id=opened.group_id, shopper_id=opened.leader_id)
    )
    return opened
