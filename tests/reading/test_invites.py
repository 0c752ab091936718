"""Invites by their codes."""

from uuid import uuid4

from domain.groupbuy.commands import CreateInvite, JoinGroup, OpenGroup
from infra.ids import new_id, new_invite_code
from infra.sharing.links import Links
from tests.reading.shop import Shop


async def test_an_invite_says_who_shared_it_and_how_many_joined(shop: Shop) -> None:
    """Sharer by name, channel, parent and joins; nobody's id."""
    deal_id, group_id, ann, ben = await shop.live(), new_id(), new_id(), new_id()
    await shop.tell(OpenGroup(order_id=uuid4(), deal_id=deal_id, group_id=group_id, shopper_id=ann, display_name="Ann"))
    first, second = new_invite_code(), new_invite_code()
    await shop.tell(CreateInvite(group_id=group_id, sharer_id=ann, channel="wechat", code=first))
    await shop.tell(JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=ben, invite_code=first))
    await shop.tell(CreateInvite(group_id=group_id, sharer_id=ben, channel="line", code=second))
    links = Links(shop.engine)
    found, found_below = await links.get(first), await links.get(second)
    assert found is not None
    assert found_below is not None
    shared, passed_on = found.invite, found_below.invite
    assert (shared.deal_id, shared.group_id, shared.channel, shared.parent_code) == (deal_id, group_id, "wechat", None)
    assert (shared.sharer_name, shared.joins) == ("Ann", 1)
    assert (passed_on.parent_code, passed_on.joins, passed_on.channel) == (first, 0, "line")
    assert passed_on.sharer_name.startswith("Shopper ")


async def test_someone_not_in_the_group_can_share_it(shop: Shop) -> None:
    """A sharer without a place has a neutral name."""
    group_id, code = await shop.opened(await shop.live()), new_invite_code()
    await shop.tell(CreateInvite(group_id=group_id, sharer_id=new_id(), channel="copy", code=code))
    link = await Links(shop.engine).get(code)
    assert link is not None
    assert link.invite.sharer_name.startswith("Shopper ")
