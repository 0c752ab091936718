"""Deals that a newcomer finds in an empty database: everyday things, no invented shoppers (promise 9)."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import Command, CreateDeal, PublishDeal
from domain.groupbuy.deal import Grouping, Offer, Variant
from domain.groupbuy.payment import PaymentTerms
from domain.pricing.schedule import PriceSchedule, Tier
from infra import tables
from infra.batching import Batcher
from infra.ids import new_id

# Fixed, so that `tuan token --role merchant --subject ...` lets a newcomer act for them.
HEARTH_AND_TABLE = UUID("0198c000-0000-7000-8000-000000000001")
NORTHSIDE_OUTFITTERS = UUID("0198c000-0000-7000-8000-000000000002")
SHANCHA_SHOP = UUID("0198c000-0000-7000-8000-000000000003")

HOUR_S = 3600
DAY_S = 24 * HOUR_S
ONE_KIND = (("One size", 400),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One deal of the demonstration; prices are minor units, times are days from now."""

    merchant_id: UUID
    title: str
    description: str
    currency: str
    solo_price: int
    tiers: tuple[tuple[int, int], ...]
    group_size_max: int
    group_lifetime_s: int = DAY_S
    variants: tuple[tuple[str, int], ...] = ONE_KIND
    grouping: Grouping = Grouping.TEAM
    starts_in_days: int | None = None
    ends_in_days: int | None = None
    units_per_shopper_max: int | None = 2


async def load(engine: AsyncEngine, payment: PaymentTerms | None = None) -> int:
    """Create and publish the deals through the one write path; answers how many, 0 where there are deals already.

    `payment` is how they take money; their groups end before the hold of any gateway does.
    """
    async with engine.connect() as connection:
        if await connection.scalar(select(exists().select_from(tables.deals))):
            return 0
    batcher = Batcher(engine, batch_commands_max=len(LISTINGS) * 2, queue_commands_max=len(LISTINGS) * 4)
    now = datetime.now(UTC)
    commands = [command for listing in LISTINGS for command in _commands(listing, now, payment)]
    # All at once: they commit together, so a start that is cut short leaves no draft behind.
    await asyncio.gather(*(batcher.tell(command) for command in commands))
    await batcher.stop()
    return len(LISTINGS)


def _commands(listing: Listing, now: datetime, payment: PaymentTerms | None) -> tuple[Command, Command]:
    deal_id = new_id()
    variants = tuple(Variant(new_id(), title, None, stock) for title, stock in listing.variants)
    create = CreateDeal(deal_id=deal_id, merchant_id=listing.merchant_id, offer=_offer(listing, now), variants=variants)
    publish = PublishDeal(deal_id=deal_id, merchant_id=listing.merchant_id, crowd_group_id=new_id(), payment=payment)
    return create, publish


def _offer(listing: Listing, now: datetime) -> Offer:
    schedule = PriceSchedule(listing.solo_price, tuple(Tier(*tier) for tier in listing.tiers))
    return Offer(
        title=listing.title,
        description=listing.description,
        image_url=None,
        currency=listing.currency,
        schedule=schedule,
        grouping=listing.grouping,
        group_size_max=listing.group_size_max,
        group_lifetime_s=listing.group_lifetime_s,
        starts_at=_days_from(now, listing.starts_in_days),
        ends_at=_days_from(now, listing.ends_in_days),
        units_per_shopper_max=listing.units_per_shopper_max,
    )


def _days_from(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


LISTINGS = (
    Listing(
        merchant_id=HEARTH_AND_TABLE,
        title="Pour-over coffee set",
        description="Glass dripper, 600 ml server and 40 filters. Fits on any mug. Dishwasher safe.",
        currency="USD",
        solo_price=3400,
        tiers=((2, 2900), (4, 2550), (8, 2190)),
        group_size_max=8,
        variants=(("Clear glass", 300), ("Smoke grey", 180)),
    ),
    Listing(
        merchant_id=HEARTH_AND_TABLE,
        title="Cast-iron skillet, 26 cm",
        description="Seasoned with flaxseed oil, ready to use. For gas, induction, oven and campfire.",
        currency="USD",
        solo_price=3900,
        tiers=((2, 3450), (3, 3200), (5, 2890)),
        group_size_max=5,
        ends_in_days=21,
    ),
    Listing(
        merchant_id=HEARTH_AND_TABLE,
        title="Bamboo cutting boards, set of three",
        description="Three sizes with a juice groove, oiled and ready. A good first group: two friends are enough.",
        currency="USD",
        solo_price=2750,
        tiers=((2, 2200), (3, 1990)),
        group_size_max=3,
        group_lifetime_s=2 * HOUR_S,
    ),
    Listing(
        merchant_id=HEARTH_AND_TABLE,
        title="Linen tea towels, pack of four",
        description="Washed linen, 50 x 70 cm, with a loop to hang them by. They get softer every year.",
        currency="USD",
        solo_price=2200,
        tiers=((3, 1850), (6, 1590), (12, 1390)),
        group_size_max=20,
        variants=(("Natural", 250), ("Indigo", 200), ("Sage", 40)),
        units_per_shopper_max=5,
    ),
    Listing(
        merchant_id=NORTHSIDE_OUTFITTERS,
        title="Merino hiking socks, three pairs",
        description="Mid-weight, cushioned heel and toe, no seam to rub. Mulesing-free wool.",
        currency="USD",
        solo_price=2950,
        tiers=((2, 2550), (4, 2290), (6, 2090), (10, 1890)),
        group_size_max=10,
        variants=(("Small (36-38)", 120), ("Medium (39-42)", 260), ("Large (43-46)", 160)),
        units_per_shopper_max=4,
    ),
    Listing(
        merchant_id=NORTHSIDE_OUTFITTERS,
        title="Insulated bottle, 750 ml",
        description="Keeps tea hot for 12 hours and water cold for 24. Steel, no plastic touches the drink.",
        currency="USD",
        solo_price=2400,
        tiers=((2, 1990), (5, 1750)),
        group_size_max=6,
        variants=(("Forest", 150), ("Sand", 150), ("Midnight", 90)),
        ends_in_days=14,
    ),
    Listing(
        merchant_id=NORTHSIDE_OUTFITTERS,
        title="Rechargeable head torch",
        description="400 lumens, 62 g, red light for the tent. Charges by USB-C in an hour.",
        currency="USD",
        solo_price=3200,
        tiers=((3, 2790), (6, 2450)),
        group_size_max=6,
        ends_in_days=7,
    ),
    Listing(
        merchant_id=NORTHSIDE_OUTFITTERS,
        title="Wool blanket, 130 x 180 cm",
        description="One mill, one order: the more of us, the lower the price for everybody. Recycled wool.",
        currency="USD",
        solo_price=4900,
        tiers=((10, 4400), (25, 3990), (50, 3590), (100, 3190)),
        group_size_max=500,
        grouping=Grouping.CROWD,
        group_lifetime_s=6 * DAY_S,
        variants=(("Oat", 300), ("Charcoal", 300)),
        ends_in_days=6,
    ),
    Listing(
        merchant_id=NORTHSIDE_OUTFITTERS,
        title="Foldable day pack, 20 l",
        description="Packs into its own pocket, 240 g. Two side pockets for bottles, one inside for keys.",
        currency="USD",
        solo_price=3600,
        tiers=((2, 3150), (5, 2750)),
        group_size_max=5,
        variants=(("Slate", 120), ("Rust", 120)),
        starts_in_days=2,
        ends_in_days=30,
    ),
    Listing(
        merchant_id=SHANCHA_SHOP,
        title="西湖龙井绿茶 250 克",
        description="明前采摘，手工炒制，清香回甘。两人成团，五人最优惠。",
        currency="CNY",
        solo_price=12800,
        tiers=((2, 10800), (3, 9900), (5, 8800)),
        group_size_max=5,
        variants=(("罐装", 200), ("袋装", 300)),
    ),
    Listing(
        merchant_id=SHANCHA_SHOP,
        title="手工陶瓷茶杯 两只装",
        description="景德镇手工拉坯，每只 180 毫升，釉色略有不同。",
        currency="CNY",
        solo_price=8600,
        tiers=((2, 7200), (4, 6400)),
        group_size_max=4,
        variants=(("青瓷", 90), ("白瓷", 120)),
    ),
    Listing(
        merchant_id=SHANCHA_SHOP,
        title="Sichuan chilli crisp, three jars",
        description="Roasted chilli, Sichuan pepper and peanuts in rapeseed oil, 210 g a jar. Good on nearly anything.",
        currency="CNY",
        solo_price=5900,
        tiers=((2, 4900), (3, 4500), (5, 3990)),
        group_size_max=5,
        group_lifetime_s=12 * HOUR_S,
        units_per_shopper_max=6,
    ),
    Listing(
        merchant_id=SHANCHA_SHOP,
        title="阳山水蜜桃 整箱 12 只",
        description="果园直发，统一采摘。大家一起订，人越多越便宜，截止后统一按最低价结算。",
        currency="CNY",
        solo_price=9900,
        tiers=((20, 8800), (50, 7900), (100, 6900)),
        group_size_max=1000,
        grouping=Grouping.CROWD,
        group_lifetime_s=5 * DAY_S,
        variants=(("12 只装", 1000),),
        ends_in_days=5,
    ),
)
