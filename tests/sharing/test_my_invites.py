"""What came of links: counted, followed down the tree, and worth money to everybody in it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.ids import new_id
from infra.sharing.my_invites import LINKS_MAX, invites_of_sharer, list_my_invites
from infra.sharing.tree import TREE
from infra.sharing.visits import Visits
from tests.domain.catalogue import schedule
from tests.reading.plans import plan_of
from tests.reading.shop import Shop, every_item
from tests.sharing.circle import ORIGIN, Circle
from tests.sharing.test_previews import PEOPLE

ANN, BEN, CAT, DAN, EVE = (new_id() for _ in range(5))
BLOCKS_MAX = 800
"""A page of 21 with all that belongs to each."""
BLOCKS_OF_A_LINK = 4
PRICES = schedule(2_000, (3, 1_800), (5, 1_500))


@pytest.fixture
async def circle(shop: Shop) -> Circle:
    """A deal that tips at three and is cheapest from five on."""
    return Circle(shop, await shop.live(schedule=PRICES, group_size_max=8))


async def test_a_link_tells_what_came_of_it(circle: Circle) -> None:
    """Visits, joins through it, all it reached and how far, what they saved; of a group that fails nothing saved."""
    group_id = await circle.opens(ANN)
    first = await circle.shares(ANN, group_id, "wechat")
    await circle.comes(BEN, group_id, first, quantity=2)
    second = await circle.shares(BEN, group_id)
    await circle.comes(CAT, group_id, second)
    await circle.comes(DAN, group_id, second, quantity=3)
    unused = await circle.shares(ANN, group_id, "poster")
    visits = Visits(circle.shop.engine)
    for address in ("192.0.2.7", "192.0.2.8"):
        visits.note(first, address, PEOPLE[0])
    visits.note(first, "", None)
    await visits.flush()
    links = await circle.links_of(ANN)
    assert list(links) == [unused, first]
    found = links[first]
    assert (found.url, found.channel, found.group_id) == (f"{ORIGIN}/i/{first}", "wechat", group_id)
    assert (found.visits, found.previews, found.joins, found.reached, found.depth) == (2, 1, 1, 3, 2)
    assert (found.succeeded, found.savings, found.is_whole) == (0, [], True)
    assert (links[unused].joins, links[unused].reached, links[unused].depth) == (0, 0, 0)
    await circle.closes(group_id)
    found = (await circle.links_of(ANN))[first]
    each = 2_000 - 1_800
    assert (found.succeeded, [(saved.currency, saved.amount) for saved in found.savings]) == (1, [("EUR", 6 * each)])
    of_ben = (await circle.links_of(BEN))[second]
    assert (of_ben.succeeded, of_ben.reached, of_ben.depth, of_ben.savings[0].amount) == (2, 2, 1, 4 * each)


async def test_who_lost_their_place_saved_nothing(circle: Circle) -> None:
    """A place that was dropped, as its payment failed, and a group that failed."""
    group_id = await circle.opens(ANN)
    code = await circle.shares(ANN, group_id)
    for shopper_id in (BEN, CAT):
        await circle.comes(shopper_id, group_id, code)
    lonely = await circle.opens(DAN, code)
    await circle.closes(group_id, lonely)
    await circle.shop.make("UPDATE participants SET dropped_at = now() WHERE shopper_id = :ben", ben=BEN)
    found = (await circle.links_of(ANN))[code]
    assert (found.joins, found.reached, found.succeeded) == (3, 3, 1)
    assert [saved.amount for saved in found.savings] == [200]


async def test_links_come_page_by_page_under_every_id(circle: Circle) -> None:
    """The newest first; those shared as a guest are among them for who has merged."""
    group_id, guest = await circle.opens(ANN), new_id()
    await circle.are_one(ANN, guest)
    codes = [await circle.shares(guest if number == 1 else ANN, group_id, f"channel-{number}") for number in range(5)]
    engine = circle.shop.engine
    own = await every_item(lambda cursor: list_my_invites(engine, ANN, ORIGIN, 2, cursor))
    assert [link.code for link in own] == [code for code in codes[::-1] if code != codes[1]]
    every = await every_item(lambda cursor: list_my_invites(engine, ANN, ORIGIN, 2, cursor, has_merged=True))
    assert [link.code for link in every] == codes[::-1]


async def test_nobody_is_brought_by_themselves_as_a_guest(circle: Circle) -> None:
    """Ann came twice more as a guest, by her own link and by a friend's: neither counts, nor whom the guests brought.

    Those are told with the guests' own links; in the tree each link is told at one node, and none names its own sharer.
    """
    group_id, near, far = await circle.opens(ANN), new_id(), new_id()
    first = await circle.shares(ANN, group_id)
    await circle.comes(near, group_id, first, quantity=2)
    await circle.comes(BEN, group_id, first)
    await circle.comes(far, group_id, await circle.shares(BEN, group_id), quantity=3)
    of_near = await circle.shares(near, group_id)
    await circle.comes(CAT, group_id, of_near)
    before = (await circle.links_of(ANN))[first]
    assert (before.joins, before.reached, before.depth) == (2, 4, 2)
    await circle.are_one(ANN, near, far)
    await circle.closes(group_id)
    links = await circle.links_of(ANN, has_merged=True)
    found = links[first]
    assert (found.joins, found.reached, found.depth, found.succeeded) == (1, 1, 1, 1)
    assert [saved.amount for saved in found.savings] == [2_000 - 1_500]
    assert (links[of_near].joins, links[of_near].reached) == (1, 1)
    nodes = await circle.tree_of(group_id)
    numbers = [node.number for node in nodes]
    came_by = [node.came_by and node.came_by.sharer_number for node in nodes]
    assert came_by == [None, None, numbers[0], numbers[2], numbers[1]]
    assert [node.brought for node in nodes] == [1, 1, 1, 0, 0]


async def test_a_tree_too_large_to_look_at_says_so(circle: Circle) -> None:
    """The nearest links are told, in bounded time, and that there are more."""
    group_id = await circle.opens(ANN)
    code = await circle.shares(ANN, group_id)
    await circle.shop.make(
        "INSERT INTO invites (code, deal_id, group_id, sharer_id, channel, parent_code, joins, created_at)"
        " SELECT 'c' || n, deal_id, group_id, gen_random_uuid(), 'x',"
        " CASE n WHEN 1 THEN code ELSE 'c' || (n - 1) END, 1, now()"
        " FROM invites, generate_series(1, 2000) n",
    )
    found = (await circle.links_of(ANN))[code]
    assert (found.is_whole, found.depth, found.reached) == (False, LINKS_MAX + 1, LINKS_MAX)


async def test_a_page_costs_what_is_on_it(circle: Circle, connection: AsyncConnection) -> None:
    """Beside 6,000 links and as many places: links, trees and who brought whom are read along indexes."""
    group_id, shop = await circle.opens(ANN), circle.shop
    code = await circle.shares(ANN, group_id)
    await circle.comes(BEN, group_id, code)
    await shop.make(
        "INSERT INTO invites (code, deal_id, group_id, sharer_id, channel, parent_code, joins, created_at)"
        " SELECT 'c' || n, deal_id, group_id, CASE n % 60 WHEN 0 THEN :ann ELSE gen_random_uuid() END, 'c' || n,"
        " CASE n % 2 WHEN 0 THEN 'c' || (n - 1) ELSE code END, 1, now() - n * interval '1 s'"
        " FROM invites, generate_series(1, 6000) n",
        ann=ANN,
    )
    await shop.make(
        "INSERT INTO participants SELECT (jsonb_populate_record(p, jsonb_build_object('shopper_id', gen_random_uuid(),"
        " 'order_id', gen_random_uuid(), 'number', 9 + n, 'invite_code', 'c' || n))).*"
        " FROM participants p, generate_series(1, 6000) n WHERE shopper_id = :ben",
        ben=BEN,
    )
    await shop.make("INSERT INTO visits SELECT code, current_date - n, 1, 1 FROM invites, generate_series(1, 3) n")
    for table in ("invites", "participants", "visits"):
        await shop.make(f"ANALYZE {table}")
    given: dict[str, object] = {
        "rows_max": 21,
        "shopper_id": ANN,
        "after_created_at": datetime.now(UTC) - timedelta(minutes=1),
        "after_code": "~",
        "group_id": group_id,
        "after_number": 3_000,
    }
    for statement, indexes in (
        (
            invites_of_sharer(is_first=False),
            ("invites_of_sharer_index", "invites_of_parent_index", "participants_of_invite_index", "visits_pkey"),
        ),
        (
            invites_of_sharer(is_first=False, has_merged=True),
            ("invites_of_parent_index", "participants_of_invite_index"),
        ),
        (TREE, ("participants_of_group_index", "invites_pkey", "participants_pkey")),
    ):
        plan, blocks = await plan_of(connection, statement, **given)
        assert "Seq Scan" not in plan, plan
        for index in indexes:
            assert index in plan, plan
        assert blocks < BLOCKS_MAX, plan
    given["after_created_at"] = datetime.now(UTC)
    plan, blocks = await plan_of(connection, invites_of_sharer(is_first=False), **given)  # now with the great tree
    assert blocks < BLOCKS_MAX + BLOCKS_OF_A_LINK * LINKS_MAX, plan
