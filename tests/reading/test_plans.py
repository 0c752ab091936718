"""Pages cost what is on them, however much lies beside: the walks are along indexes, from where the page begins."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.groupbuy.deal import DealStatus
from infra.ids import new_id
from infra.reading.deal_listing import listing
from infra.reading.deal_orders import DealPosition, DealSort, Ending, Endless, Newest, Popular
from infra.reading.group_listing import groups_of_shopper, open_groups, participants_of_group
from infra.reading.search import search_patterns
from tests.reading.plans import plan_of
from tests.reading.shop import Shop

DEALS = 20_000
GROUPS = 20_000
PARTICIPANTS = 20_000

# One in ten is live, and all that have ended did so before any that runs.
_MANY_DEALS = """
INSERT INTO deals
SELECT (jsonb_populate_record(deals, jsonb_build_object(
  'id', gen_random_uuid(), 'created_at', now() + number * interval '1 min', 'units_taken', number,
  'ends_at', now() + CASE WHEN number % 10 = 0 THEN number * interval '1 min' ELSE number * interval '-1 min' END))).*
FROM deals, generate_series(1, CAST(:deals AS int)) AS number WHERE id = :id
"""
_MANY_OPEN_GROUPS = """
INSERT INTO groups
SELECT (jsonb_populate_record(groups, jsonb_build_object('id', gen_random_uuid(), 'deal_id', deals.id))).*
FROM groups, deals, generate_series(1, CAST(:groups AS int)) WHERE deals.id = :other_id AND groups.id = :id
"""
_MANY_PARTICIPANTS = """
INSERT INTO participants
SELECT (jsonb_populate_record(participants, jsonb_build_object('shopper_id', gen_random_uuid(), 'number', n))).*
FROM participants, generate_series(100, CAST(:participants AS int)) AS n WHERE group_id = :id
"""


async def test_a_page_of_deals_begins_where_the_page_before_ended(shop: Shop, connection: AsyncConnection) -> None:
    """Beside 20,000 deals the last page is as cheap as the first, and running deals are found without the ended."""
    deal_id = await shop.live()
    await shop.make(_MANY_DEALS, deals=DEALS, id=deal_id)
    await shop.make("ANALYZE deals")
    last = UUID(int=2**128 - 1)
    positions: dict[DealSort, tuple[DealPosition, ...]] = {
        DealSort.NEWEST: (Newest(last, 0),),
        DealSort.POPULAR: (Popular(last, 0),),
        DealSort.ENDING_SOON: (Ending(last, 0), Endless(last)),
    }
    for sort, index in (
        (DealSort.NEWEST, "deals_newest_index"),
        (DealSort.POPULAR, "deals_popular_index"),
        (DealSort.ENDING_SOON, "deals_ending_index"),
    ):
        for place in (None, *positions[sort]):
            statement = listing(
                DealStatus.LIVE, sort, of_merchant=False, with_words=False, after=type(place) if place else None
            )
            given = place.parameters() if place else {}
            plan, blocks = await plan_of(connection, statement, rows_max=21, **given)
            assert index in plan, plan
            assert blocks < 200, plan


async def test_a_search_stops_when_the_page_is_full(shop: Shop, connection: AsyncConnection) -> None:
    """A word that many deals hold is looked for along the list's index, not in every deal there is."""
    deal_id = await shop.live()
    await shop.make(_MANY_DEALS, deals=DEALS, id=deal_id)
    await shop.make("ANALYZE deals")
    statement = listing(DealStatus.LIVE, DealSort.NEWEST, of_merchant=False, with_words=True, after=None)
    plan, blocks = await plan_of(connection, statement, rows_max=21, patterns=search_patterns("kettle water"))
    assert "deals_newest_index" in plan, plan
    assert blocks < 200, plan


async def test_open_groups_of_a_deal_are_found_without_other_deals(shop: Shop, connection: AsyncConnection) -> None:
    """Whatever is open elsewhere, a deal's list reads the deal's open groups."""
    deal_id, other_id = await shop.live(), await shop.live()
    group_id = await shop.opened(deal_id)
    await shop.make(_MANY_OPEN_GROUPS, groups=GROUPS, other_id=other_id, id=group_id)
    await shop.make("ANALYZE groups")
    plan, blocks = await plan_of(connection, open_groups(is_first=True), rows_max=21, deal_id=deal_id)
    assert "groups_open_index" in plan, plan
    assert blocks < 50, plan


async def test_pages_of_a_big_group_cost_what_is_on_them(shop: Shop, connection: AsyncConnection) -> None:
    """A page in the middle of 20,000 participants, and a shopper's own groups, touch a few dozen blocks."""
    deal_id, ann = await shop.live(), new_id()
    group_id = await shop.opened(deal_id, leader_id=ann)
    await shop.make(_MANY_PARTICIPANTS, participants=PARTICIPANTS, id=group_id)
    await shop.make("INSERT INTO accounts (id, status, display_name) SELECT shopper_id, 'full', '' FROM participants")
    await shop.make("ANALYZE participants, accounts")
    plan, blocks = await plan_of(
        connection, participants_of_group(), rows_max=21, group_id=group_id, after_number=PARTICIPANTS // 2
    )
    assert "participants_of_group_index" in plan, plan
    assert "accounts_pkey" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert blocks < 250, plan
    plan, blocks = await plan_of(connection, groups_of_shopper(is_first=True), rows_max=21, shopper_id=ann)
    assert "participants_of_shopper_index" in plan, plan
    assert blocks < 50, plan
    await shop.make(
        "UPDATE accounts SET status = 'merged', merged_into = :ann FROM participants WHERE id = shopper_id"
        " AND number BETWEEN 100 AND 104",
        ann=ann,
    )
    of_several = groups_of_shopper(is_first=True, has_merged=True)
    plan, blocks = await plan_of(connection, of_several, rows_max=21, shopper_id=ann)
    assert "participants_of_shopper_index" in plan, plan
    assert blocks < 100, plan
