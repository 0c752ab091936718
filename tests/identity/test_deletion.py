"""Deleting an account: told clearly, whole, once, and finished by whoever comes by."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.address import Address
from domain.groupbuy.commands import BuyAlone, JoinGroup, ShipOrder
from infra.identity import deletion
from infra.identity.audit import Actor, ActorKind, Deed
from infra.identity.needs import read_standing
from infra.ids import new_id
from infra.runtime import Runtime
from infra.tables import metadata
from tests.api.people import Person, Town, problem
from tests.identity.members import Member, signed_in, signed_in_as_guest
from tests.money_shop import ADDRESS, MoneyShop, Purchase
from workers.duty import Context
from workers.erasing import Erasing

NAME, PICTURE, STREET, TOKEN = (
    "Unmistakable Mei",
    "https://img.example/unmistakable.png",
    "77 Unmistakable Road",
    "unmis",
)
LEAVING = Deed(Actor(ActorKind.STAFF), "staff.leave")
HOME = Address(name=NAME, line1=STREET, city="London", country="GB")


@pytest.fixture
def runtime(app: Litestar, town: Town) -> Runtime:  # noqa: ARG001 - the app runs as long as its town is there
    made: Runtime = app.state.runtime
    return made


@pytest.fixture
def context(runtime: Runtime, engine: AsyncEngine) -> Context:
    return Context(runtime, engine)


async def test_nothing_personal_is_left(town: Town, shop: MoneyShop, engine: AsyncEngine) -> None:
    """No table holds a word of theirs any more; what was paid is there, under the bare id."""
    mei = await _settled_in(town)
    sold = await _order(shop, mei, town.merchant)
    await _delivered(town, sold)
    group = await town.open_group(mei)
    before = await _rows(engine, "SELECT * FROM ledger ORDER BY id")
    assert await _traces(engine, mei) >= {"accounts", "identities", "addresses", "devices", "payments", "participants"}
    assert (await mei.delete("/v1/me")).status_code == 204
    assert await _traces(engine, mei) == set()
    assert await _rows(engine, "SELECT * FROM ledger ORDER BY id") == before
    paid = "SELECT o.shopper_id FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.id = :id"
    assert await _rows(engine, paid, id=sold.order_id) == [(mei.subject,)]
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["status"] == "cancelled"


async def test_a_deleted_account_is_good_for_nothing(town: Town) -> None:
    """No token of it counts; the same phone is somebody new, who has nothing of what was."""
    mei = await _settled_in(town)
    other = await signed_in(town, mei.phone)
    assert (await other.delete("/v1/me")).status_code == 204
    for session in (mei, other):
        problem(await session.get("/v1/me"), 401, "not-authenticated")
        refused = await town.nobody.post("/v1/sign-in/refresh", {"refresh_token": session.refresh_token})
        problem(refused, 403, "refresh-token-refused")
    again = await signed_in(town, mei.phone)
    assert again.subject != mei.subject
    me = (await again.get("/v1/me")).json()
    assert (me["display_name"], len(me["identities"])) == (None, 1)
    assert (await again.get("/v1/me/addresses")).json()["items"] == []


async def test_whoever_signed_in_long_ago_signs_in_again(town: Town, engine: AsyncEngine) -> None:
    """A phone left on a table is not enough, refreshing is not either; a guest has no other proof."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    await _run(engine, "UPDATE sessions SET created_at = created_at - interval '11 minutes'")
    problem(await mei.delete("/v1/me"), 403, "fresh-sign-in-needed")
    problem(await (await mei.refreshed()).delete("/v1/me"), 403, "fresh-sign-in-needed")
    assert (await (await signed_in(town, mei.phone)).delete("/v1/me")).status_code == 204
    assert (await guest.delete("/v1/me")).status_code == 204
    problem(await town.shopper().ask("DELETE", "/v1/me"), 404, "account-not-found")


async def test_what_the_account_is_still_needed_for_is_told(town: Town, shop: MoneyShop, engine: AsyncEngine) -> None:
    """Each thing with its id and what can be done; nothing is given up meanwhile."""
    mei = await signed_in(town)
    tipped = await shop.paid_group(await shop.live(), mei.subject, None)
    to_ship = await shop.orders_of(await shop.live(needs_shipping=True), mei.subject, None)
    refunded = await _order(shop, mei, town.merchant)
    await _delivered(town, refunded)
    assert (await town.merchant.post(f"/v1/orders/{refunded.order_id}/refunds", {"reason": "Late."})).status_code == 201
    settling = await shop.paid_group(await shop.live(), mei.subject, None)
    await shop.close(settling[0])
    closing = await shop.paid_group(await shop.live(), mei.subject)
    await _run(
        engine,
        "UPDATE groups SET opened_at = opened_at - interval '1 day', expires_at = clock_timestamp() WHERE id = :id",
        id=closing[0].group_id,
    )
    merchant_id = await _merchant_of(engine, mei)
    open_one = await town.open_group(mei)
    details = problem(await mei.delete("/v1/me"), 409, "account-still-needed")
    assert {(need["kind"], need["id"]) for need in details["needed_for"]} == {
        ("group_tipped", str(tipped[0].group_id)),
        ("group_closing", str(closing[0].group_id)),
        ("order_to_ship", str(to_ship[0].order_id)),
        ("refund_under_way", str(refunded.order_id)),
        ("payment_settling", str(settling[0].order_id)),
        ("only_owner", str(merchant_id)),
    }
    assert all(need["advice"] for need in details["needed_for"])
    assert (await mei.get("/v1/me")).status_code == 200
    assert (await mei.get(f"/v1/groups/{open_one['id']}")).json()["you"] is not None


async def test_what_can_be_let_go_of_is(town: Town, shop: MoneyShop, engine: AsyncEngine) -> None:
    """Places in groups that have not tipped are given up, holds released, awaited payments lapse."""
    mei = await signed_in(town)
    held = (await shop.paid_group(await shop.live(), mei.subject))[0]
    awaited = await shop.reserve_first(await shop.live(), mei.subject)
    alone = await shop.reserve_alone(await shop.live(), mei.subject)
    assert (await mei.delete("/v1/me")).status_code == 204
    rows = await _rows(engine, "SELECT order_id, status, left_at IS NOT NULL FROM payments")
    assert {row[0]: tuple(row[1:]) for row in rows} == {
        held.order_id: ("held", True),
        awaited.order_id: ("lapsed", False),
        alone.order_id: ("lapsed", False),
    }
    releases = await _rows(engine, "SELECT order_id, release_minor = hold_minor, status FROM settlements")
    assert {tuple(row) for row in releases} == {(one.order_id, True, "pending") for one in (held, awaited, alone)}


async def test_a_parcel_on_its_way_keeps_its_address(
    town: Town, shop: MoneyShop, engine: AsyncEngine, context: Context
) -> None:
    """Its merchant still sees where it goes; once it has arrived, or a month later, that is gone too."""
    mei = await signed_in(town)
    arriving, lost = [await _order(shop, mei, town.merchant) for _ in range(2)]
    assert (await mei.delete("/v1/me")).status_code == 204
    await Erasing().step(context)
    for one in (arriving, lost):
        assert (await town.merchant.get(f"/v1/orders/{one.order_id}")).json()["address"]["line1"] == ADDRESS.line1
    assert (await town.merchant.post(f"/v1/orders/{arriving.order_id}/deliver")).status_code == 200
    await Erasing().step(context)
    assert await _addressed(engine) == {lost.order_id}
    await _run(engine, "UPDATE orders SET shipped_at = shipped_at - interval '31 days'")
    await _run(engine, "UPDATE accounts SET deleted_at = deleted_at - interval '31 days' WHERE status = 'deleted'")
    assert await _rows(engine, "SELECT 1 FROM accounts WHERE erased_at IS NOT NULL") == []
    await Erasing().step(context)
    assert await _addressed(engine) == set()
    assert await _rows(engine, "SELECT id FROM accounts WHERE erased_at IS NOT NULL") == [(mei.subject,)]


async def test_an_order_that_is_delivered_without_an_address_stays_as_it_is(
    town: Town, shop: MoneyShop, engine: AsyncEngine
) -> None:
    """Erasing an address changes neither what was bought nor that it was sent."""
    mei = await signed_in(town)
    sold = await _order(shop, mei, town.merchant)
    await _delivered(town, sold)
    asked = "SELECT status, captured_minor, shipped_at, delivered_at, version FROM orders"
    before = await _rows(engine, asked)
    assert (await mei.delete("/v1/me")).status_code == 204
    assert await _rows(engine, asked) == before
    assert (await town.merchant.get(f"/v1/orders/{sold.order_id}")).json()["address"] is None


async def test_two_requests_at_once_are_one_deletion(town: Town, engine: AsyncEngine) -> None:
    """Both are told that it is done, or that there is nobody any more."""
    mei = await _settled_in(town)
    await town.open_group(mei)
    statuses = [answer.status_code for answer in await asyncio.gather(*(mei.delete("/v1/me") for _ in range(5)))]
    assert 204 in statuses
    assert set(statuses) <= {204, 401}
    assert await _rows(engine, "SELECT status, version FROM accounts") == [("deleted", (await _versions(engine))[0])]
    assert await _traces(engine, mei) == set()


async def test_a_crash_in_the_middle_is_made_good(town: Town, engine: AsyncEngine, context: Context) -> None:
    """Died before the end: the next request does it. Died after it: a worker takes the copies away."""
    mei, group = await _settled_in(town), await town.open_group()
    path = f"/v1/groups/{group['id']}"
    left = await town.open_group(mei)
    await deletion._let_go(context.runtime.tell, await read_standing(engine, mei.subject, None, 600))
    assert (await town.nobody.get(f"/v1/groups/{left['id']}")).json()["status"] == "cancelled"
    assert (await mei.get("/v1/me")).json()["display_name"] == NAME
    assert (await mei.post(f"{path}/participants")).status_code == 201
    await _run(
        engine, "UPDATE groups SET status = 'failed', closed_at = clock_timestamp() WHERE id = :id", id=group["id"]
    )
    assert await deletion._end(engine, mei.subject, LEAVING) is not None
    assert await _traces(engine, mei) == {"participants", "payments"}
    await Erasing().step(context)
    assert await _traces(engine, mei) == set()


async def test_a_place_that_comes_up_before_the_end_is_given_up_first(town: Town, engine: AsyncEngine) -> None:
    """Joined between the leaving and the end: nothing ends until that place is left too."""
    mei = await _settled_in(town)
    await town.open_group(mei)
    assert await deletion._end(engine, mei.subject, LEAVING) is None
    assert (await mei.get("/v1/me")).json()["display_name"] == NAME
    assert (await mei.delete("/v1/me")).status_code == 204


async def test_a_join_that_was_under_way_is_undone(
    town: Town, runtime: Runtime, engine: AsyncEngine, context: Context
) -> None:
    """It comes after the end of the account: it is nameless at once, and left by the next look."""
    mei, group = await _settled_in(town), await town.open_group(tiers=[{"participants": 5, "unit_price": 900}])
    assert (await mei.delete("/v1/me")).status_code == 204
    late = JoinGroup(group_id=UUID(group["id"]), shopper_id=mei.subject, order_id=new_id(), display_name=NAME)
    await runtime.tell(late)
    listed = (await town.nobody.get(f"/v1/groups/{group['id']}/participants")).json()["items"]
    assert NAME not in [one["display_name"] for one in listed]
    await Erasing().step(context)
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["participants"] == 1
    assert await _traces(engine, mei) == set()


async def test_joins_and_a_deletion_at_once(town: Town, engine: AsyncEngine, context: Context) -> None:
    """Whichever comes first, in the end nobody is left in a group that could be left."""
    for _ in range(5):
        mei = await _settled_in(town)
        groups = [await town.open_group(tiers=[{"participants": 5, "unit_price": 900}]) for _ in range(4)]
        joining = [mei.post(f"/v1/groups/{group['id']}/participants") for group in groups]
        deleted, *joined = await asyncio.gather(mei.delete("/v1/me"), *joining)
        assert deleted.status_code == 204, deleted.text
        assert {answer.status_code for answer in joined} <= {201, 202, 401}
        await Erasing().step(context)
        places = "SELECT 1 FROM participants WHERE shopper_id = :id"
        assert await _rows(engine, places, id=mei.subject) == []
        assert await _traces(engine, mei) == set()


async def test_a_tipped_group_keeps_a_late_joiner_to_the_end(
    town: Town, shop: MoneyShop, engine: AsyncEngine, context: Context
) -> None:
    """Others count on the place: it is paid for and shipped, and then the address goes."""
    mei = await _settled_in(town)
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
    assert bought.order_id in await _addressed(engine)
    await shop.tell(_shipping(bought, town.merchant))
    assert (await town.merchant.post(f"/v1/orders/{bought.order_id}/deliver")).status_code == 200
    await Erasing().step(context)
    assert bought.order_id not in await _addressed(engine)


async def test_an_answer_that_is_kept_goes_with_the_account(town: Town, engine: AsyncEngine) -> None:
    """What an idempotency key would be answered with again is nobody's any more."""
    mei, group = await signed_in(town), await town.open_group(tiers=[{"participants": 5, "unit_price": 900}])
    path = f"/v1/groups/{group['id']}/participants"
    await mei.post(path, headers={"idempotency-key": "once"})
    await mei.ask("DELETE", f"{path}/me")
    assert (await mei.delete("/v1/me")).status_code == 204
    assert await _rows(engine, "SELECT 1 FROM idempotency_keys WHERE subject_id = :id", id=mei.subject) == []


async def test_two_owners_who_go_at_once_do_not_both_go(town: Town, engine: AsyncEngine) -> None:
    """A merchant is never left without an owner; one who was never approved keeps nobody."""
    for _ in range(3):
        mei, ben = await signed_in(town), await signed_in(town)
        merchant_id = await _merchant_of(engine, mei, ben)
        answers = await asyncio.gather(mei.delete("/v1/me"), ben.delete("/v1/me"))
        assert sorted(answer.status_code for answer in answers) == [204, 409]
        assert len(await _rows(engine, "SELECT 1 FROM staff WHERE merchant_id = :id", id=merchant_id)) == 1
        told = "SELECT action, before ->> 'role', after FROM audit WHERE merchant_id = :id"
        assert await _rows(engine, told, id=merchant_id) == [("staff.leave", "owner", None)]
    ann = await signed_in(town)
    applied = await _merchant_of(engine, ann, status="applied")
    assert (await ann.delete("/v1/me")).status_code == 204
    withdrawn = await _rows(engine, "SELECT status, contact FROM merchants WHERE id = :id", id=applied)
    assert withdrawn == [("refused", "")]


async def test_the_guest_somebody_was_goes_too(town: Town, engine: AsyncEngine) -> None:
    """What was done under the guest's id is the person's, also when it is to be let go of."""
    guest = await signed_in_as_guest(town)
    group = await town.open_group(guest)
    mei = await signed_in(town)
    merging = "UPDATE accounts SET status = 'merged', display_name = :name, merged_into = :mei WHERE id = :guest"
    await _run(engine, merging, name=NAME, mei=mei.subject, guest=guest.subject)
    assert (await mei.delete("/v1/me")).status_code == 204
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["status"] == "cancelled"
    assert await _rows(engine, "SELECT DISTINCT status FROM accounts") == [("deleted",)]
    assert await _traces(engine, mei) == set()


async def test_buying_alone_after_the_end_comes_to_nothing(
    town: Town, shop: MoneyShop, runtime: Runtime, engine: AsyncEngine, context: Context
) -> None:
    """An order that was under way lapses, and its address goes with it."""
    mei = await signed_in(town)
    deal_id = await shop.live(needs_shipping=True)
    assert (await mei.delete("/v1/me")).status_code == 204
    await runtime.tell(BuyAlone(deal_id=deal_id, shopper_id=mei.subject, order_id=new_id(), address=HOME))
    await Erasing().step(context)
    assert await _rows(engine, "SELECT status, address FROM payments") == [("lapsed", None)]


async def _settled_in(town: Town) -> Member:
    """Somebody who has left words in every place there is for them."""
    mei = await signed_in(town)
    await mei.patch("/v1/me", {"display_name": NAME, "avatar_url": PICTURE})
    mei = await mei.refreshed()
    body = {"address": {"name": NAME, "line1": STREET, "city": "London", "country": "GB"}, "label": NAME}
    assert (await mei.post("/v1/me/addresses", body)).status_code == 201
    token = {"platform": "ios", "push_token": f"{TOKEN}-{uuid4()}"}
    assert (await mei.post("/v1/me/devices", token)).status_code == 201
    return mei


async def _order(shop: MoneyShop, member: Member, merchant: Person) -> Purchase:
    """Something of the member's that is on its way."""
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), member.subject, None))[0]
    await shop.tell(_shipping(bought, merchant))
    return bought


def _shipping(bought: Purchase, merchant: Person) -> ShipOrder:
    named: dict[str, Any] = {"deal_id": bought.deal_id, "order_id": bought.order_id, "merchant_id": merchant.subject}
    return ShipOrder(**named, carrier="DHL", tracking_number="1")


async def _delivered(town: Town, bought: Purchase) -> None:
    assert (await town.merchant.post(f"/v1/orders/{bought.order_id}/deliver")).status_code == 200


async def _merchant_of(engine: AsyncEngine, *owners: Member, status: str = "approved") -> UUID:
    merchant_id = new_id()
    await _run(
        engine,
        "INSERT INTO merchants (id, name, contact, status) VALUES (:id, 'Tea', 'tea@example.com', :status)",
        id=merchant_id,
        status=status,
    )
    for owner in owners:
        hiring = "INSERT INTO staff (merchant_id, account_id, role) VALUES (:id, :owner, 'owner')"
        await _run(engine, hiring, id=merchant_id, owner=owner.subject)
    return merchant_id


async def _traces(engine: AsyncEngine, member: Member) -> set[str]:
    """The tables that hold a word of somebody's."""
    words = [word for word in (NAME, PICTURE, STREET, TOKEN, member.phone) if word]
    is_there = "EXISTS (SELECT FROM unnest(CAST(:w AS text[])) w WHERE t::text LIKE '%' || w || '%')"
    asked = f"SELECT count(*) FROM {{}} AS t WHERE {is_there}"
    return {name for name in metadata.tables if (await _rows(engine, asked.format(name), w=words))[0][0]}


async def _addressed(engine: AsyncEngine) -> set[UUID]:
    asked = """
      SELECT order_id FROM payments WHERE address IS NOT NULL AND shopper_id IN (
        SELECT id FROM accounts WHERE status = 'deleted')"""
    return {row[0] for row in await _rows(engine, asked)}


async def _versions(engine: AsyncEngine) -> list[int]:
    return [row[0] for row in await _rows(engine, "SELECT version FROM accounts")]


async def _rows(engine: AsyncEngine, statement: str, **parameters: object) -> list[Any]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement), parameters)]


async def _run(engine: AsyncEngine, statement: str, **parameters: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), parameters)
