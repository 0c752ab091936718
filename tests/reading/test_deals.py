"""Deals in lists and one by one."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import DateTime, bindparam, select

from domain.errors import InvalidInput
from domain.groupbuy.commands import EndDeal, PauseDeal
from domain.groupbuy.deal import DealStatus, Grouping, Lifecycle, Variant
from infra.ids import new_id
from infra.reading.deal_orders import DealSort
from infra.reading.deal_rows import all_columns, deals_document, decode_deals
from infra.reading.deal_status import has_status
from infra.reading.deals import DealView, get_deal, list_deals
from infra.reading.fetching import fetch_json
from infra.reading.page import Page
from infra.rows import deal_from
from infra.tables import deals
from tests.reading.shop import Shop, every_item

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def soon(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def ids(page: Page[DealView]) -> list[UUID]:
    return [deal.id for deal in page.items]


async def test_a_deal_is_read_as_it_was_written(shop: Shop) -> None:
    """Everything a merchant said comes back, variants in their order, with the units left of each."""
    red, blue = Variant(new_id(), "Red", "https://shop.example/red.jpg", 10), Variant(new_id(), "Blue", None, 5)
    ends_at = soon(48)
    deal_id = await shop.live((red, blue), title="水壶", ends_at=ends_at, units_per_shopper_max=3)
    deal = await get_deal(shop.engine, deal_id)
    assert deal is not None
    assert (deal.title, deal.merchant_id, deal.status, deal.version) == ("水壶", shop.merchant_id, DealStatus.LIVE, 2)
    assert [(variant.id, variant.title, variant.stock_left) for variant in deal.variants] == [
        (red.id, "Red", 10),
        (blue.id, "Blue", 5),
    ]
    assert deal.variants[0].image_url == red.image_url
    assert [(tier.participants, tier.unit_price) for tier in deal.tiers] == [(2, 1_800), (4, 1_500)]
    assert deal.ends_at == ends_at
    assert deal.last_opening_at == ends_at - HOUR


async def test_stock_left_falls_with_a_join(shop: Shop) -> None:
    """What is left of a variant is what the joins have not taken."""
    deal_id = await shop.live((Variant(new_id(), "Red", None, 10),))
    await shop.opened(deal_id, participants=3)
    deal = await get_deal(shop.engine, deal_id)
    assert deal is not None
    assert [variant.stock_left for variant in deal.variants] == [7]


async def test_a_crowd_deal_names_its_group_and_no_last_opening(shop: Shop) -> None:
    """The app finds a crowd's one group in the deal, and no moment after which teams cannot open."""
    deal_id = await shop.draft(grouping=Grouping.CROWD, ends_at=soon(48))
    group_id = await shop.publish(deal_id)
    deal = await get_deal(shop.engine, deal_id)
    assert deal is not None
    assert (deal.crowd_group_id, deal.last_opening_at) == (group_id, None)


async def test_no_such_deal_is_none(shop: Shop) -> None:
    """An unknown id is no error here."""
    assert await get_deal(shop.engine, new_id()) is None


async def test_only_live_deals_are_listed_unless_said_otherwise(shop: Shop) -> None:
    """Each status lists its deals and no others, and nothing said means live."""
    draft, live = await shop.draft(), await shop.live()
    scheduled = await shop.live(starts_at=soon(1))
    paused, ended = await shop.live(), await shop.live()
    over = await shop.live(starts_at=soon(1), ends_at=soon(3))
    await shop.tell(PauseDeal(deal_id=paused, merchant_id=shop.merchant_id))
    await shop.tell(EndDeal(deal_id=ended, merchant_id=shop.merchant_id))
    await shop.let_time_pass(over, timedelta(hours=5))
    assert ids(await list_deals(shop.engine)) == [live]
    for status, expected in {
        DealStatus.LIVE: [live],
        DealStatus.SCHEDULED: [scheduled],
        DealStatus.PAUSED: [paused],
        DealStatus.ENDED: [over, ended],
        DealStatus.DRAFT: [],
    }.items():
        page = await list_deals(shop.engine, status=status)
        assert ids(page) == expected, status
        assert {deal.status for deal in page.items} <= {status}
    own = await list_deals(shop.engine, status=DealStatus.DRAFT, merchant_id=shop.merchant_id)
    assert ids(own) == [draft]


async def test_a_merchants_list_has_no_other_merchants_deals(shop: Shop) -> None:
    """`merchant_id` narrows every list, drafts too."""
    await shop.draft()
    await shop.live()
    for status in DealStatus:
        assert not (await list_deals(shop.engine, status=status, merchant_id=new_id())).items


async def test_the_status_in_sql_is_the_status_in_the_domain(shop: Shop) -> None:
    """At every boundary of the window, to the microsecond, both laws say the same, and exactly one status."""
    at = bindparam("at", type_=DateTime(timezone=True))
    for number, lifecycle in enumerate(Lifecycle):
        for window in ((None, None), (NOON, None), (None, NOON + 2 * HOUR), (NOON, NOON + 2 * HOUR)):
            deal_id = await shop.draft(title=f"Kettle {number}")
            await shop.make(
                "UPDATE deals SET lifecycle = :lifecycle, starts_at = :starts_at, ends_at = :ends_at WHERE id = :id",
                lifecycle=lifecycle.value,
                starts_at=window[0],
                ends_at=window[1],
                id=deal_id,
            )
    rows = decode_deals(await fetch_json(shop.engine, deals_document(all_columns()))).rows or []
    assert len(rows) == 4 * len(Lifecycle)
    in_domain = {row.id: deal_from(row) for row in rows}
    async with shop.engine.connect() as connection:
        for edge in (NOON, NOON + 2 * HOUR):
            for moment in (edge - INSTANT, edge, edge + INSTANT):
                for status in DealStatus:
                    found = await connection.execute(select(deals.c.id).where(has_status(status, at)), {"at": moment})
                    expected = {id_ for id_, deal in in_domain.items() if deal.status_at(moment) is status}
                    assert set(found.scalars()) == expected, (status, moment)


@pytest.mark.parametrize("sort", DealSort)
async def test_pages_cover_every_deal_once_in_order(shop: Shop, sort: DealSort) -> None:
    """Whatever the order and however many tie, pages show each deal once while others are published between them."""
    same = soon(30)
    for hours in (None, 24, 12, None, 48, 36, None):
        await shop.live(ends_at=hours and soon(hours))
    for _ in range(3):
        await shop.live(ends_at=same)
    at_first = (await list_deals(shop.engine, limit=100)).items
    for units, deal in zip((5, 0, 7, 5, 0, 0, 9, 5, 1, 1), at_first, strict=True):
        await shop.make("UPDATE deals SET units_taken = :units WHERE id = :id", units=units, id=deal.id)

    seen = await every_item(
        lambda cursor: list_deals(shop.engine, sort=sort, limit=3, cursor=cursor), lambda: shop.live(ends_at=same)
    )
    known = {deal.id for deal in at_first}
    shown = [deal.id for deal in seen]
    assert len(shown) == len(set(shown))
    assert known <= set(shown)
    whole = await list_deals(shop.engine, sort=sort, limit=100)
    assert [id_ for id_ in ids(whole) if id_ in known] == [id_ for id_ in shown if id_ in known]


async def test_each_order_begins_with_what_it_says(shop: Shop) -> None:
    """`ending_soon` by the end with endless deals last, `newest` by creation, `popular` by units taken."""
    late, endless, early = await shop.live(ends_at=soon(48)), await shop.live(), await shop.live(ends_at=soon(24))
    for units, deal_id in ((3, late), (9, endless), (1, early)):
        await shop.make("UPDATE deals SET units_taken = :units WHERE id = :id", units=units, id=deal_id)
    for sort, expected in {
        DealSort.ENDING_SOON: [early, late, endless],
        DealSort.NEWEST: [early, endless, late],
        DealSort.POPULAR: [endless, late, early],
    }.items():
        assert ids(await list_deals(shop.engine, sort=sort)) == expected, sort


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("kettle", ["kettle", "both"]),
        ("KETTLE red", ["both"]),
        ("red kettle", ["both"]),
        ("电热水壶", ["chinese"]),
        ("水壶 不锈钢", ["chinese"]),
        ("水壶\u3000陶瓷", []),
        ("éclair", ["accents"]),
        ("ÉCLAIR", ["accents"]),
        ("100%", ["wild"]),
        ("0%_", ["wild"]),
        ("a%b", []),
        ("_", ["wild"]),
        ("\\", ["slash"]),
        ("nothing like it", []),
        ("  ", ["accents", "both", "chinese", "kettle", "slash", "wild"]),
    ],
)
async def test_every_word_of_a_search_must_occur(shop: Shop, q: str, found: list[str]) -> None:
    """Words are looked for in title and description, whatever the case and script, and no character is a wildcard."""
    names: dict[UUID, str] = {}
    for name, title, description in (
        ("kettle", "Kettle", "Boils water."),
        ("both", "A red thing", "It is a KETTLE."),
        ("chinese", "不锈钢电热水壶", "1.7升"),
        ("accents", "Éclair", "Sweet"),
        ("wild", "100%_cotton", "Soft"),
        ("slash", "a\\b", "Odd"),
    ):
        names[await shop.live(title=title, description=description)] = name
    page = await list_deals(shop.engine, q=q)
    assert sorted(names[deal.id] for deal in page.items) == sorted(found)


@pytest.mark.parametrize("q", ["x" * 101, "\x00", "\ud800", "a b c d e f g h i"])
async def test_a_search_out_of_bounds_is_refused(shop: Shop, q: str) -> None:
    """Too long, too many words, and what a database chokes on: the field is named."""
    with pytest.raises(InvalidInput) as refused:
        await list_deals(shop.engine, q=q)
    assert {problem.field for problem in refused.value.problems} == {"q"}


async def test_lists_are_read_side_by_side(shop: Shop) -> None:
    """Readers share the pool without waiting for each other's transactions."""
    deal_id = await shop.live()
    pages = await asyncio.gather(*(list_deals(shop.engine) for _ in range(40)))
    assert all(ids(page) == [deal_id] for page in pages)
