"""Deleting an account: told clearly, whole, and kept only as long as money or a parcel needs it."""

from uuid import UUID

from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from infra.identity.accounts import Proof, Provider
from infra.identity.administrators import list_administrators, make_administrator
from infra.identity.key_verifier import REMEMBERED_S
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Person, Town, problem
from tests.identity.houses import applied
from tests.identity.members import signed_in, signed_in_as_guest
from tests.identity.settled import (
    NAME,
    STREET,
    TOKEN,
    addressed,
    delivered,
    merchant_of,
    order_on_its_way,
    rows,
    run,
    settled_in,
    traces,
)
from tests.money_shop import ADDRESS, MoneyShop
from tests.waiting import eventually
from workers.duty import Context
from workers.erasing import Erasing


async def test_nothing_personal_is_left(town: Town, shop: MoneyShop, engine: AsyncEngine) -> None:
    """No table holds a word of theirs any more; what was paid is there, under the bare id."""
    mei = await settled_in(town)
    sold = await order_on_its_way(shop, mei, town.merchant)
    await delivered(town, sold)
    group = await town.open_group(mei)
    before = await rows(engine, "SELECT * FROM ledger ORDER BY id")
    assert await traces(engine, mei) >= {"accounts", "identities", "addresses", "devices", "payments", "participants"}
    assert (await mei.delete("/v1/me")).status_code == 204
    assert await traces(engine, mei) == set()
    assert await rows(engine, "SELECT * FROM ledger ORDER BY id") == before
    paid = "SELECT o.shopper_id FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.id = :id"
    assert await rows(engine, paid, id=sold.order_id) == [(mei.subject,)]
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["status"] == "cancelled"


async def test_an_application_is_withdrawn_with_all_that_was_written_in_it(
    app: Litestar, town: Town, engine: AsyncEngine
) -> None:
    """What was said, keys' names, whom one invited: in no table, the audit log least of all, which tells what was."""
    said = {"name": NAME, "contact": f"{NAME} at {STREET}", "about": f"{NAME} sells tea."}
    house = await applied(app, town, await settled_in(town), **said)
    for change in ({"about": STREET}, {"name": f"{NAME} & Co"}, {"contact": STREET}):
        assert (await house.owner.ask("PATCH", house.path, change)).status_code == 200
    revoked, kept = [await house.key("orders:read", name=NAME) for _ in range(2)]
    assert (await house.owner.ask("DELETE", f"{house.path}/api-keys/{revoked['id']}")).status_code == 204
    made = await house.invited("editor", email=f"{TOKEN}@example.com")
    assert (await house.owner.delete("/v1/me")).status_code == 204
    assert await traces(engine, house.owner) == set()
    told = "SELECT action, thing_id, actor_id = :mei FROM audit WHERE merchant_id = :id ORDER BY id DESC LIMIT 4"
    assert await rows(engine, told, id=house.id, mei=house.owner.subject) == [
        ("staff.leave", house.owner.subject, True),
        ("merchant.withdraw", house.id, True),
        ("staff.withdraw", UUID(made["id"]), True),
        ("api_key.revoke", UUID(kept["id"]), True),
    ]


async def test_nobody_speaks_for_a_withdrawn_application(app: Litestar, town: Town, settings: Settings) -> None:
    """Its keys are refused at once, soon in every process; an invite is of no use; another merchant's key works on."""
    house, other = await applied(app, town), await applied(app, town)
    made, theirs = await house.key("orders:read"), await other.key("orders:read")
    ben = await signed_in(town)
    invited = await house.invited("owner", phone=ben.phone)
    async with connected(create_app(settings)) as elsewhere:
        system, twin = Person(town.client, token=made["key"]), Person(elsewhere, token=made["key"])
        assert [(await each.get("/v1/orders")).status_code for each in (system, twin)] == [200, 200]
        assert (await house.owner.delete("/v1/me")).status_code == 204
        problem(await system.get("/v1/orders"), 401, "not-authenticated")

        async def is_refused() -> bool:
            return bool((await twin.get("/v1/orders")).status_code == 401)

        await eventually(is_refused, "the other process refuses it", limit_s=REMEMBERED_S + 0.5)
    assert (await ben.get("/v1/me/staff-invites")).json()["items"] == []
    problem(await ben.post(f"/v1/staff-invites/{invited['id']}/accept"), 404, "staff-invite-not-found")
    assert (await Person(town.client, token=theirs["key"]).get("/v1/orders")).status_code == 200


async def test_the_log_says_that_an_administrator_has_gone(town: Town, engine: AsyncEngine) -> None:
    """The last one may go too, whoever has the machine makes another; who is none leaves no such entry."""
    boss, mei = await signed_in(town), await signed_in(town)
    await make_administrator(engine, Proof(Provider.PHONE, boss.phone))
    boss = await boss.refreshed()
    for one in (boss, mei):
        assert (await one.delete("/v1/me")).status_code == 204
    told = "SELECT actor_kind, actor_id, thing_id, before, after FROM audit WHERE action = 'administrator.leave'"
    assert await rows(engine, told) == [
        ("administrator", boss.subject, boss.subject, {"is_admin": True}, {"is_admin": False})
    ]
    assert await list_administrators(engine) == []
    assert (await make_administrator(engine, Proof(Provider.PHONE, boss.phone))).is_changed


async def test_a_deleted_account_is_good_for_nothing(town: Town) -> None:
    """No token of it counts; the same phone is somebody new, who has nothing of what was."""
    mei = await settled_in(town)
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
    await run(engine, "UPDATE sessions SET created_at = created_at - interval '11 minutes'")
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
    refunded = await order_on_its_way(shop, mei, town.merchant)
    await delivered(town, refunded)
    assert (await town.merchant.post(f"/v1/orders/{refunded.order_id}/refunds", {"reason": "Late."})).status_code == 201
    settling = await shop.paid_group(await shop.live(), mei.subject, None)
    await shop.close(settling[0])
    closing = await shop.paid_group(await shop.live(), mei.subject)
    await run(
        engine,
        "UPDATE groups SET opened_at = opened_at - interval '1 day', expires_at = clock_timestamp() WHERE id = :id",
        id=closing[0].group_id,
    )
    merchant_id = await merchant_of(engine, mei)
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
    paid = await rows(engine, "SELECT order_id, status, left_at IS NOT NULL FROM payments")
    assert {row[0]: tuple(row[1:]) for row in paid} == {
        held.order_id: ("held", True),
        awaited.order_id: ("lapsed", False),
        alone.order_id: ("lapsed", False),
    }
    releases = await rows(engine, "SELECT order_id, release_minor = hold_minor, status FROM settlements")
    assert {tuple(row) for row in releases} == {(one.order_id, True, "pending") for one in (held, awaited, alone)}


async def test_a_parcel_on_its_way_keeps_its_address(
    town: Town, shop: MoneyShop, engine: AsyncEngine, context: Context
) -> None:
    """Its merchant still sees where it goes; once it has arrived, or a month later, that is gone too."""
    mei = await signed_in(town)
    arriving, lost = [await order_on_its_way(shop, mei, town.merchant) for _ in range(2)]
    assert (await mei.delete("/v1/me")).status_code == 204
    await Erasing().step(context)
    for one in (arriving, lost):
        assert (await town.merchant.get(f"/v1/orders/{one.order_id}")).json()["address"]["line1"] == ADDRESS.line1
    assert (await town.merchant.post(f"/v1/orders/{arriving.order_id}/deliver")).status_code == 200
    await Erasing().step(context)
    assert await addressed(engine) == {lost.order_id}
    await run(engine, "UPDATE orders SET shipped_at = shipped_at - interval '31 days'")
    await run(engine, "UPDATE accounts SET deleted_at = deleted_at - interval '31 days' WHERE status = 'deleted'")
    assert await rows(engine, "SELECT 1 FROM accounts WHERE erased_at IS NOT NULL") == []
    await Erasing().step(context)
    assert await addressed(engine) == set()
    assert await rows(engine, "SELECT id FROM accounts WHERE erased_at IS NOT NULL") == [(mei.subject,)]


async def test_an_order_that_is_delivered_without_an_address_stays_as_it_is(
    town: Town, shop: MoneyShop, engine: AsyncEngine
) -> None:
    """Erasing an address changes neither what was bought nor that it was sent."""
    mei = await signed_in(town)
    sold = await order_on_its_way(shop, mei, town.merchant)
    await delivered(town, sold)
    asked = "SELECT status, captured_minor, shipped_at, delivered_at, version FROM orders"
    before = await rows(engine, asked)
    assert (await mei.delete("/v1/me")).status_code == 204
    assert await rows(engine, asked) == before
    assert (await town.merchant.get(f"/v1/orders/{sold.order_id}")).json()["address"] is None


async def test_an_answer_that_is_kept_goes_with_the_account(town: Town, engine: AsyncEngine) -> None:
    """What an idempotency key would be answered with again is nobody's any more."""
    mei, group = await signed_in(town), await town.open_group(tiers=[{"participants": 5, "unit_price": 900}])
    path = f"/v1/groups/{group['id']}/participants"
    await mei.post(path, headers={"idempotency-key": "once"})
    await mei.ask("DELETE", f"{path}/me")
    assert (await mei.delete("/v1/me")).status_code == 204
    assert await rows(engine, "SELECT 1 FROM idempotency_keys WHERE subject_id = :id", id=mei.subject) == []


async def test_the_guest_somebody_was_goes_too(town: Town, engine: AsyncEngine) -> None:
    """What was done under the guest's id is the person's, also when it is to be let go of."""
    guest = await signed_in_as_guest(town)
    group = await town.open_group(guest)
    mei = await signed_in(town)
    merging = "UPDATE accounts SET status = 'merged', display_name = :name, merged_into = :mei WHERE id = :guest"
    await run(engine, merging, name=NAME, mei=mei.subject, guest=guest.subject)
    assert (await mei.delete("/v1/me")).status_code == 204
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["status"] == "cancelled"
    assert await rows(engine, "SELECT DISTINCT status FROM accounts") == [("deleted",)]
    assert await traces(engine, mei) == set()
