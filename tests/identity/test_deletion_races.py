"""Deleting an account while something else happens: once, and finished by whoever comes by."""

import asyncio
from uuid import UUID

import pytest
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import BuyAlone, JoinGroup, LapsePayment, LeaveGroup
from infra.identity import deletion, needs
from infra.identity.audit import Actor, ActorKind, Deed
from infra.identity.needs import read_standing
from infra.ids import new_id
from infra.runtime import Runtime
from tests.api.people import Town, problem
from tests.identity.houses import applied
from tests.identity.members import signed_in, signed_in_as_guest
from tests.identity.settled import (
    HOME,
    NAME,
    addressed,
    is_waiting,
    merchant_of,
    rows,
    run,
    settled_in,
    shipping,
    traces,
    versions,
)
from tests.money_shop import MoneyShop, Purchase
from tests.waiting import eventually
from workers.duty import Context
from workers.erasing import Erasing

MERGED = "UPDATE accounts SET status = 'merged', merged_into = :mei, display_name = 'Mei' WHERE id = :guest"
INVITE = {"phone": "+447911123456", "role": "owner"}
LEAVING = Deed(Actor(ActorKind.STAFF), "staff.leave")


async def test_what_comes_up_meanwhile_is_told_all_the_same(town: Town, runtime: Runtime, engine: AsyncEngine) -> None:
    """Needed since the deletion began: it is refused, the account goes on, and what was given up by then stays so."""
    mei = await signed_in(town)
    left, session_id = await town.open_group(mei), runtime.tokens.verify(mei.token or "").session_id
    merchants: list[UUID] = []

    async def tell(command: LeaveGroup | LapsePayment) -> object:
        merchants.append(await merchant_of(engine, mei))
        return await runtime.tell(command)

    with pytest.raises(deletion.AccountStillNeeded) as refused:
        await deletion.delete_account(engine, tell, mei.subject, session_id, LEAVING)
    assert [need.id for need in refused.value.needs] == merchants
    assert (await town.nobody.get(f"/v1/groups/{left['id']}")).json()["status"] == "cancelled"
    assert (await mei.get("/v1/me")).status_code == 200


async def test_many_places_are_given_up_round_by_round(
    town: Town, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, so many are held in memory at once."""
    monkeypatch.setattr(needs, "LET_GO_AT_ONCE", 1)
    mei = await signed_in(town)
    for _ in range(3):
        await town.open_group(mei)
    assert len((await read_standing(engine, mei.subject, None, 600)).places) == 1
    assert (await mei.delete("/v1/me")).status_code == 204
    assert await rows(engine, "SELECT DISTINCT status FROM groups") == [("cancelled",)]


async def test_a_guest_who_is_just_being_merged_goes_too(town: Town, engine: AsyncEngine) -> None:
    """The deletion waits for the merging that holds the account, and then knows of the guest it brought."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    named = {"guest": guest.subject, "mei": mei.subject}
    async with engine.begin() as merging:
        await merging.execute(text("SELECT FROM accounts WHERE id = :mei FOR NO KEY UPDATE"), named)
        await merging.execute(
            text("UPDATE accounts SET status = 'merged', merged_into = :mei, display_name = 'Mei' WHERE id = :guest"),
            named,
        )
        deleting = asyncio.create_task(mei.delete("/v1/me"))
        await eventually(lambda: is_waiting(engine), "the deletion waits")
    assert (await deleting).status_code == 204
    assert await rows(engine, "SELECT DISTINCT status, display_name FROM accounts") == [("deleted", None)]


async def test_two_requests_at_once_are_one_deletion(town: Town, engine: AsyncEngine) -> None:
    """Both are told that it is done, or that there is nobody any more."""
    mei = await settled_in(town)
    await town.open_group(mei)
    statuses = [answer.status_code for answer in await asyncio.gather(*(mei.delete("/v1/me") for _ in range(5)))]
    assert 204 in statuses
    assert set(statuses) <= {204, 401}
    assert await rows(engine, "SELECT status, version FROM accounts") == [("deleted", (await versions(engine))[0])]
    assert await traces(engine, mei) == set()


async def test_a_crash_in_the_middle_is_made_good(town: Town, engine: AsyncEngine, context: Context) -> None:
    """Died before the end: the next request does it. Died after it: a worker takes the copies away."""
    mei, group = await settled_in(town), await town.open_group()
    path = f"/v1/groups/{group['id']}"
    left = await town.open_group(mei)
    await deletion._let_go(context.runtime.tell, await read_standing(engine, mei.subject, None, 600))
    assert (await town.nobody.get(f"/v1/groups/{left['id']}")).json()["status"] == "cancelled"
    assert (await mei.get("/v1/me")).json()["display_name"] == NAME
    assert (await mei.post(f"{path}/participants")).status_code == 201
    await run(
        engine, "UPDATE groups SET status = 'failed', closed_at = clock_timestamp() WHERE id = :id", id=group["id"]
    )
    assert await deletion._end(engine, mei.subject, LEAVING) is not None
    assert await traces(engine, mei) == {"participants", "payments"}
    await Erasing().step(context)
    assert await traces(engine, mei) == set()


async def test_a_place_that_comes_up_before_the_end_is_given_up_first(town: Town, engine: AsyncEngine) -> None:
    """Joined between the leaving and the end: nothing ends until that place is left too."""
    mei = await settled_in(town)
    await town.open_group(mei)
    assert await deletion._end(engine, mei.subject, LEAVING) is None
    assert (await mei.get("/v1/me")).json()["display_name"] == NAME
    assert (await mei.delete("/v1/me")).status_code == 204


async def test_a_join_that_was_under_way_is_undone(
    town: Town, runtime: Runtime, engine: AsyncEngine, context: Context
) -> None:
    """It comes after the end of the account: it is nameless at once, and left by the next look."""
    mei, group = await settled_in(town), await town.open_group(tiers=[{"participants": 5, "unit_price": 900}])
    assert (await mei.delete("/v1/me")).status_code == 204
    late = JoinGroup(group_id=UUID(group["id"]), shopper_id=mei.subject, order_id=new_id(), display_name=NAME)
    await runtime.tell(late)
    listed = (await town.nobody.get(f"/v1/groups/{group['id']}/participants")).json()["items"]
    assert NAME not in [one["display_name"] for one in listed]
    await Erasing().step(context)
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["participants"] == 1
    assert await traces(engine, mei) == set()


async def test_joins_and_a_deletion_at_once(town: Town, engine: AsyncEngine, context: Context) -> None:
    """Whichever comes first, in the end nobody is left in a group that could be left."""
    for _ in range(5):
        mei = await settled_in(town)
        groups = [await town.open_group(tiers=[{"participants": 5, "unit_price": 900}]) for _ in range(4)]
        joining = [mei.post(f"/v1/groups/{group['id']}/participants") for group in groups]
        deleted, *joined = await asyncio.gather(mei.delete("/v1/me"), *joining)
        assert deleted.status_code == 204, deleted.text
        for answer in joined:
            if answer.status_code == 409:  # given up between the join and its payment
                problem(answer, 409, "payment-too-late")
            else:
                assert answer.status_code in {201, 202, 401}, answer.text
        await Erasing().step(context)
        places = "SELECT 1 FROM participants WHERE shopper_id = :id"
        assert await rows(engine, places, id=mei.subject) == []
        assert await traces(engine, mei) == set()


async def test_a_tipped_group_keeps_a_late_joiner_to_the_end(
    town: Town, shop: MoneyShop, engine: AsyncEngine, context: Context
) -> None:
    """Others count on the place: it is paid for and shipped, and then the address goes."""
    mei = await settled_in(town)
    first = (await shop.paid_group(await shop.live(needs_shipping=True), None))[0]
    assert (await mei.delete("/v1/me")).status_code == 204
    bought = Purchase(deal_id=first.deal_id, group_id=first.group_id, shopper_id=mei.subject, order_id=new_id())
    assert bought.group_id is not None
    late = JoinGroup(group_id=bought.group_id, shopper_id=mei.subject, order_id=bought.order_id, address=HOME)
    await shop.tell(late)
    await shop.pay(bought)
    await Erasing().step(context)
    await shop.close(bought)
    await shop.settle()
    await Erasing().step(context)
    assert bought.order_id in await addressed(engine)
    await shop.tell(shipping(bought, town.merchant))
    assert (await town.merchant.post(f"/v1/orders/{bought.order_id}/deliver")).status_code == 200
    await Erasing().step(context)
    assert bought.order_id not in await addressed(engine)


async def test_two_owners_who_go_at_once_do_not_both_go(town: Town, engine: AsyncEngine) -> None:
    """A merchant is never left without an owner; one who was never approved keeps nobody."""
    for _ in range(3):
        mei, ben = await signed_in(town), await signed_in(town)
        merchant_id = await merchant_of(engine, mei, ben)
        answers = await asyncio.gather(mei.delete("/v1/me"), ben.delete("/v1/me"))
        assert sorted(answer.status_code for answer in answers) == [204, 409]
        assert len(await rows(engine, "SELECT 1 FROM staff WHERE merchant_id = :id", id=merchant_id)) == 1
        told = "SELECT action, before ->> 'role', after FROM audit WHERE merchant_id = :id"
        assert await rows(engine, told, id=merchant_id) == [("staff.leave", "owner", None)]
    ann = await signed_in(town)
    applied = await merchant_of(engine, ann, status="applied")
    assert (await ann.delete("/v1/me")).status_code == 204
    withdrawn = await rows(engine, "SELECT status, contact FROM merchants WHERE id = :id", id=applied)
    assert withdrawn == [("refused", "")]


async def test_a_guest_who_becomes_somebody_meanwhile_is_not_deleted(town: Town, engine: AsyncEngine) -> None:
    """The deletion waits for the merging, and then there is no such account: nothing is given up."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    async with engine.begin() as merging:
        await merging.execute(text(MERGED), {"guest": guest.subject, "mei": mei.subject})
        deleting = asyncio.create_task(guest.delete("/v1/me"))
        await eventually(lambda: is_waiting(engine), "the deletion waits")
    problem(await deleting, 404, "account-not-found")
    kept = await rows(engine, "SELECT status, display_name FROM accounts WHERE id = :id", id=guest.subject)
    assert kept == [("merged", "Mei")]
    assert await rows(engine, "SELECT 1 FROM sessions WHERE ended_at IS NOT NULL") == []


async def test_whoever_deletes_learns_what_ended(app: Litestar, town: Town, engine: AsyncEngine) -> None:
    """This process waits for no word from PostgreSQL: the account and the keys of its application are told it."""
    house = await applied(app, town)
    key = await house.key("orders:read")
    ended = await deletion._end(engine, house.owner.subject, LEAVING)
    assert ended is not None
    assert set(ended) == {house.owner.subject, UUID(key["id"])}


async def test_buying_alone_after_the_end_comes_to_nothing(
    town: Town, shop: MoneyShop, runtime: Runtime, engine: AsyncEngine, context: Context
) -> None:
    """An order that was under way lapses, and its address goes with it."""
    mei = await signed_in(town)
    deal_id = await shop.live(needs_shipping=True)
    assert (await mei.delete("/v1/me")).status_code == 204
    await runtime.tell(BuyAlone(deal_id=deal_id, shopper_id=mei.subject, order_id=new_id(), address=HOME))
    await Erasing().step(context)
    assert await rows(engine, "SELECT status, address FROM payments") == [("lapsed", None)]
