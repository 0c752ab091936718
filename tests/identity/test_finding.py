"""Administrators find merchants, groups and orders by whatever somebody on the phone can say."""

import pytest

from tests.api.people import Town, fields
from tests.identity.administering import REASON, ids, read
from tests.identity.members import Member, signed_in
from tests.money_shop import MoneyShop


async def test_groups_are_found_by_whatever_is_known(town: Town, admin: Member) -> None:
    """By the id of anything that leads there, by words of the deal, by merchant and status; newest first, in pages."""
    leader = town.shopper()
    group = await town.open_group(leader, title="Oolong of spring")
    other = await town.open_group(town.shopper())
    for q in (group["id"], group["deal_id"], str(leader.subject), "spring OOLONG", group["id"].upper()):
        (found,) = await read(admin, "/v1/admin/groups", q=q)
        assert (found["id"], found["deal_title"]) == (group["id"], "Oolong of spring")
        assert found["merchant_id"] == str(town.merchant.subject)
    assert await ids(admin, f"/v1/admin/groups?merchant_id={town.merchant.subject}&limit=1") == [
        other["id"],
        group["id"],
    ]
    await admin.post(f"/v1/admin/groups/{other['id']}/cancel", REASON)
    assert await ids(admin, "/v1/admin/groups?status=cancelled") == [other["id"]]
    assert await ids(admin, f"/v1/admin/groups?status=open&deal_id={other['deal_id']}") == []
    assert await ids(admin, "/v1/admin/groups", q="nothing like it") == []


async def test_orders_are_found_by_whatever_is_known(town: Town, shop: MoneyShop, admin: Member) -> None:
    """By the shopper's phone, by any id that leads there, by status; what its shopper pays with is not told."""
    mei = await signed_in(town)
    bought, theirs = await shop.orders_of(await shop.live(needs_shipping=True), mei.subject, None)
    awaited = await shop.reserve_first(await shop.live())
    for q in (str(bought.order_id), mei.phone, f"+44 {mei.phone[3:]}", str(mei.subject)):
        assert await ids(admin, "/v1/admin/orders", q=q) == [str(bought.order_id)]
    both = {str(bought.order_id), str(theirs.order_id)}
    for q in (str(bought.group_id), str(bought.deal_id)):
        assert set(await ids(admin, "/v1/admin/orders?limit=1", q=q)) == both
    assert set(await ids(admin, "/v1/admin/orders?status=to_ship")) == both
    assert await ids(admin, f"/v1/admin/orders?order_id={theirs.order_id}&shopper_id={mei.subject}") == []
    (waiting,) = await read(admin, f"/v1/admin/orders?status=awaiting_payment&merchant_id={shop.merchant_id}")
    assert (waiting["id"], waiting["shopper_id"]) == (str(awaited.order_id), str(awaited.shopper_id))
    assert waiting["payment"] is None
    assert await ids(admin, "/v1/admin/orders", q="mei@example.com") == []


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/admin/merchants?status=sold", {"status"}),
        ("/v1/admin/groups?q=%00", {"q"}),
        ("/v1/admin/groups?deal_id=1", {"deal_id"}),
        ("/v1/admin/orders?status=lost", {"status"}),
        ("/v1/admin/orders?q=" + "%20".join("abcdefghi"), {"q"}),
        ("/v1/admin/audit?action=%0A", {"action"}),
        ("/v1/admin/audit?cursor=x", {"cursor"}),
        ("/v1/admin/audit?cursor=WyJhdWRpdCIsLTFd", {"cursor"}),
        ("/v1/admin/merchants?limit=0", {"limit"}),
    ],
)
async def test_what_cannot_be_meant_is_named(admin: Member, path: str, named: set[str]) -> None:
    """A wrong field of a search is named, and nothing is searched."""
    assert fields(await admin.get(path)) == named
