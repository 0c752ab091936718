"""Groups, participants and a shopper's own groups in lists."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from domain.groupbuy.commands import CancelGroup, CloseGroup, LeaveGroup, OpenGroup
from domain.groupbuy.deal import Grouping
from infra.ids import new_id
from infra.reading.groups import MyGroup, list_my_groups, list_open_groups, list_participants
from infra.reading.page import Page
from infra.views import GroupView
from tests.reading.shop import Shop, every_item

LONG_AGO = timedelta(hours=2)
NOBODY = UUID(int=0)


def ids(page: Page[GroupView] | Page[MyGroup]) -> list[UUID]:
    return [group.id for group in page.items]


async def test_open_groups_begin_with_the_one_nearest_to_its_next_tier(shop: Shop) -> None:
    """Participants still needed decide, then age; groups at their lowest price come last."""
    deal_id = await shop.live()
    lowest = await shop.opened(deal_id, participants=4)
    two_short = await shop.opened(deal_id, participants=2)
    one_short, also_one_short = await shop.opened(deal_id), await shop.opened(deal_id, participants=3)
    page = await list_open_groups(shop.engine, deal_id)
    assert ids(page) == [one_short, also_one_short, two_short, lowest]
    assert [group.next_tier and group.next_tier.participants_needed for group in page.items] == [1, 1, 2, None]
    assert page.next_cursor is None


async def test_only_groups_that_can_be_joined_are_listed(shop: Shop) -> None:
    """Not full, not cancelled, not failed, not past the deadline, not another deal's."""
    deal_id, over_deal_id = await shop.live(), await shop.live()
    joinable = await shop.opened(deal_id)
    await shop.opened(deal_id, participants=6)
    cancelled = await shop.opened(deal_id)
    await shop.tell(CancelGroup(group_id=cancelled, merchant_id=shop.merchant_id))
    failed, late = await shop.opened(over_deal_id), await shop.opened(over_deal_id)
    await shop.let_time_pass(over_deal_id, LONG_AGO)
    await shop.tell(CloseGroup(group_id=failed))
    assert ids(await list_open_groups(shop.engine, deal_id)) == [joinable]
    assert late not in ids(await list_open_groups(shop.engine, over_deal_id))
    assert ids(await list_open_groups(shop.engine, over_deal_id)) == []
    assert ids(await list_open_groups(shop.engine, new_id())) == []


async def test_a_crowds_one_group_is_listed(shop: Shop) -> None:
    """A crowd deal's group is open to all, with no leader."""
    deal_id = await shop.draft(grouping=Grouping.CROWD)
    group_id = await shop.publish(deal_id)
    page = await list_open_groups(shop.engine, deal_id)
    assert [(group.id, group.leader_id, group.participants) for group in page.items] == [(group_id, None, 0)]


async def test_pages_of_open_groups_cover_each_once(shop: Shop) -> None:
    """Groups there from the start appear once, in order, while others open between pages."""
    deal_id = await shop.live()
    known = [await shop.opened(deal_id, participants=1 + number % 4) for number in range(11)]
    whole = ids(await list_open_groups(shop.engine, deal_id, limit=100))
    seen = await every_item(
        lambda cursor: list_open_groups(shop.engine, deal_id, 3, cursor), lambda: shop.opened(deal_id, participants=2)
    )
    shown = [group.id for group in seen]
    assert len(shown) == len(set(shown))
    assert sorted(whole) == sorted(known)
    assert [group_id for group_id in shown if group_id in known] == whole


async def test_the_last_page_says_that_it_is_the_last(shop: Shop) -> None:
    """A page that happens to be full leads nowhere when nothing follows."""
    deal_id = await shop.live()
    for _ in range(3):
        await shop.opened(deal_id)
    assert (await list_open_groups(shop.engine, deal_id, limit=3)).next_cursor is None
    assert (await list_open_groups(shop.engine, deal_id, limit=2)).next_cursor is not None


async def test_participants_come_in_the_order_of_joining_with_nothing_private(shop: Shop) -> None:
    """A name, a picture, when, and who leads; a shopper without a name gets a neutral one that hides the id."""
    deal_id, leader_id, group_id = await shop.live(), new_id(), new_id()
    await shop.tell(
        OpenGroup(order_id=uuid4(), deal_id=deal_id, group_id=group_id, shopper_id=leader_id, display_name="小明")
    )
    nameless_id = await shop.joined(group_id)
    await shop.joined(group_id, display_name="Ben")
    page = await list_participants(shop.engine, group_id)
    leader, nameless, ben = page.items
    assert (leader.display_name, leader.is_leader) == ("小明", True)
    assert (ben.display_name, ben.is_leader) == ("Ben", False)
    assert nameless.display_name.startswith("Shopper ")
    assert nameless.display_name.removeprefix("Shopper ").lower() not in nameless_id.hex
    assert leader.joined_at < nameless.joined_at < ben.joined_at
    assert set(leader.__struct_fields__) == {"display_name", "avatar_url", "joined_at", "is_leader"}
    assert (await list_participants(shop.engine, group_id)).items[1] == nameless


async def test_nobody_leads_a_crowd(shop: Shop) -> None:
    """Participants of a group without a leader are no leaders."""
    group_id = await shop.publish(await shop.draft(grouping=Grouping.CROWD))
    await shop.joined(group_id)
    assert [participant.is_leader for participant in (await list_participants(shop.engine, group_id)).items] == [False]


async def test_pages_of_participants_cover_each_once(shop: Shop) -> None:
    """Everybody appears once while people join and leave between pages; who comes back stands at the end."""
    deal_id = await shop.live(group_size_max=50)
    group_id = await shop.opened(deal_id)
    joined = await asyncio.gather(*(shop.joined(group_id, display_name=f"Shopper {number}") for number in range(13)))
    assert len(joined) == 13

    async def one_more() -> None:
        await shop.joined(group_id, display_name=f"Late {new_id()}")

    seen = await every_item(lambda cursor: list_participants(shop.engine, group_id, 5, cursor), one_more)
    names = [participant.display_name for participant in seen]
    assert len(names) == len(set(names))
    assert {f"Shopper {number}" for number in range(13)} < set(names)
    whole = await list_participants(shop.engine, group_id, limit=100)
    assert [participant.display_name for participant in whole.items][: len(names)] == names


async def test_a_shoppers_groups_are_the_newest_first_with_the_own_place(shop: Shop) -> None:
    """All of a shopper's groups, of every deal and fate, with what is held and what was paid."""
    first_deal, second_deal, ann = await shop.live(), await shop.live(), new_id()
    led = await shop.opened(first_deal, leader_id=ann)
    full = await shop.opened(second_deal, participants=5)
    await shop.joined(full, ann)
    left = await shop.opened(second_deal)
    await shop.opened(first_deal)
    page = await list_my_groups(shop.engine, ann)
    assert ids(page) == [full, led]
    assert [(mine.status, mine.unit_price, mine.you.hold, mine.you.pays) for mine in page.items] == [
        ("succeeded", 1_500, 1_800, 1_500),
        ("open", 1_800, 1_800, None),
    ]
    assert left not in ids(page)


async def test_a_group_that_was_left_is_no_longer_mine(shop: Shop) -> None:
    """Leaving takes the group off the list."""
    group_id, ann = await shop.publish(await shop.draft(grouping=Grouping.CROWD)), new_id()
    await shop.joined(group_id, ann)
    await shop.tell(LeaveGroup(group_id=group_id, shopper_id=ann))
    assert ids(await list_my_groups(shop.engine, ann)) == []
    assert ids(await list_my_groups(shop.engine, NOBODY)) == []


async def test_pages_of_my_groups_cover_each_once(shop: Shop) -> None:
    """Groups joined in one and the same instant too appear once, while more are joined between pages."""
    deal_id, ann = await shop.live(), new_id()
    known = await asyncio.gather(*(shop.opened(deal_id, leader_id=ann) for _ in range(11)))
    await shop.make("UPDATE participants SET joined_at = date_trunc('second', joined_at)")
    whole = ids(await list_my_groups(shop.engine, ann, limit=100))
    assert sorted(whole) == sorted(known)
    seen = await every_item(
        lambda cursor: list_my_groups(shop.engine, ann, 2, cursor), lambda: shop.opened(deal_id, leader_id=ann)
    )
    assert [group.id for group in seen] == whole
