"""Deals as anyone sees them: one by its id, and lists to browse."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import UUID as UUID_COLUMN
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.deal import Deal, DealStatus, Grouping
from domain.pricing.schedule import Tier
from domain.pricing.shares import Reward
from infra.reading.cursors import decode
from infra.reading.deal_listing import listing
from infra.reading.deal_orders import STRETCHES, DealSort, position_in
from infra.reading.deal_rows import ListedDealRow, all_columns, deals_document, decode_deals
from infra.reading.fetching import fetch_json
from infra.reading.page import LIMIT_DEFAULT, Page, page_of
from infra.reading.search import search_patterns
from infra.rows import deal_from
from infra.tables import deals


class VariantView(msgspec.Struct, frozen=True):
    """A variant with all there ever was of it and what is left, in units."""

    id: UUID
    title: str
    image_url: str | None
    stock: int
    stock_left: int


class DealView(msgspec.Struct, frozen=True, kw_only=True):
    """A deal as it is at a moment; prices are minor units of `currency`.

    `crowd_group_id` is the one group of a crowd deal once it is open. `last_opening_at` is the last moment at which a
    team can open, null where there is none. `reward` is what a leader gets;
    `takes_payment` whether joining takes money here, which is decided when the deal is published.
    """

    id: UUID
    merchant_id: UUID
    title: str
    description: str
    image_url: str | None
    currency: str
    solo_price: int
    tiers: tuple[Tier, ...]
    variants: list[VariantView]
    grouping: Grouping
    group_size_max: int
    group_lifetime_s: int
    starts_at: datetime | None
    ends_at: datetime | None
    last_opening_at: datetime | None
    units_per_shopper_max: int | None
    status: DealStatus
    crowd_group_id: UUID | None
    version: int
    created_at: datetime
    needs_shipping: bool
    guests_may_buy: bool
    reward: Reward | None
    takes_payment: bool

    @property
    def units_left(self) -> int:
        """Of all variants together."""
        return sum(variant.stock_left for variant in self.variants)


_ONE_DEAL = deals_document(all_columns().where(deals.c.id == bindparam("deal_id", type_=UUID_COLUMN)))


async def get_deal(engine: AsyncEngine, deal_id: UUID) -> DealView | None:
    """A deal, drafts too: whoever shows it hides those from all but their merchant."""
    found = decode_deals(await fetch_json(engine, _ONE_DEAL, {"deal_id": deal_id}))
    return _view(found.rows[0], found.now) if found.rows else None


async def list_deals(  # noqa: PLR0913 - each is a parameter of the route
    engine: AsyncEngine,
    *,
    status: DealStatus | None = None,
    sort: DealSort = DealSort.NEWEST,
    q: str | None = None,
    merchant_id: UUID | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[DealView]:
    """Deals of a status (live ones where none is said), of one merchant if given, holding every word of `q`.

    Drafts are listed only with `status=draft` and a `merchant_id`, which the caller must know to be the one who asks.
    Raises `InvalidInput` naming `q` or `cursor`.
    """
    patterns = search_patterns(q or "")
    after = None if cursor is None else decode(cursor, *STRETCHES[sort])
    if status is DealStatus.DRAFT and merchant_id is None:
        return Page([], None)
    statement = listing(
        status or DealStatus.LIVE,
        sort,
        of_merchant=merchant_id is not None,
        with_words=bool(patterns),
        after=type(after) if after else None,
    )
    given = {"rows_max": limit + 1, "merchant_id": merchant_id, "patterns": patterns}
    found = decode_deals(await fetch_json(engine, statement, given | dict(after.parameters() if after else ())))
    return page_of(found.rows or (), limit, lambda row: _view(row, found.now), lambda row: position_in(sort, row))


def deal_view(deal: Deal, stock_left: Mapping[UUID, int], now: datetime) -> DealView:
    """How a deal looks at a moment."""
    offer = deal.offer
    return DealView(
        id=deal.id,
        merchant_id=deal.merchant_id,
        title=offer.title,
        description=offer.description,
        image_url=offer.image_url,
        currency=offer.currency,
        solo_price=offer.schedule.solo_price,
        tiers=offer.schedule.tiers,
        variants=[
            VariantView(variant.id, variant.title, variant.image_url, variant.stock, stock_left[variant.id])
            for variant in deal.variants
        ],
        grouping=offer.grouping,
        group_size_max=offer.group_size_max,
        group_lifetime_s=offer.group_lifetime_s,
        starts_at=offer.starts_at,
        ends_at=offer.ends_at,
        last_opening_at=deal.last_opening_at if offer.grouping is Grouping.TEAM else None,
        units_per_shopper_max=offer.units_per_shopper_max,
        status=deal.status_at(now),
        crowd_group_id=deal.crowd_group_id,
        version=deal.version,
        created_at=deal.created_at,
        needs_shipping=offer.needs_shipping,
        guests_may_buy=offer.guests_may_buy,
        reward=offer.reward,
        takes_payment=deal.payment is not None,
    )


def _view(row: ListedDealRow, moment: datetime) -> DealView:
    return deal_view(deal_from(row), row.stock_left, moment)
