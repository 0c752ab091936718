"""Administrators: what they decide and find, and the log of it that merchants read for their own things."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.permissions import StaffRole
from infra.identity.accounts import Proof, Provider
from infra.identity.administrators import make_administrator, remove_administrator
from infra.runtime import Runtime
from tests.api.people import Person, Town, deal_body, fields, problem
from tests.identity.houses import House, applied, approved
from tests.identity.members import Member, signed_in
from tests.money_shop import MoneyShop

REASON = {"reason": "Counterfeit goods."}
TEAM = {"tiers": [{"participants": 3, "unit_price": 900}], "group_size_max": 5}


@pytest.fixture
async def admin(town: Town, engine: AsyncEngine) -> Member:
    """Somebody who was made an administrator and has refreshed since."""
    return await promoted(engine, await signed_in(town))


async def promoted(engine: AsyncEngine, member: Member) -> Member:
    await make_administrator(engine, Proof(Provider.PHONE, member.phone))
    return await member.refreshed()


async def test_an_administrator_is_one_from_the_next_refresh_to_the_removal(
    app: Litestar, town: Town, engine: AsyncEngine
) -> None:
    """Whoever is signed in is one after refreshing; removed, neither the old token nor a new one is of use for it."""
    mei = await signed_in(town)
    problem(await mei.get("/v1/admin/merchants"), 403, "role-missing")
    mei = await promoted(engine, mei)
    assert (await mei.get("/v1/admin/merchants")).status_code == 200
    assert (await mei.get("/v1/me/groups")).status_code == 200
    await remove_administrator(engine, Proof(Provider.PHONE, mei.phone))
    runtime: Runtime = app.state.runtime
    await runtime.revocations.look()
    problem(await mei.get("/v1/admin/merchants"), 401, "not-authenticated")
    mei = await mei.refreshed()
    problem(await mei.get("/v1/admin/merchants"), 403, "role-missing")


async def test_who_is_made_before_anybody_signed_in_is_one_at_the_first_sign_in(
    town: Town, engine: AsyncEngine
) -> None:
    """`tuan admin create` comes first on a fresh machine."""
    made = await make_administrator(engine, Proof(Provider.PHONE, "+447911199999"))
    mei = await signed_in(town, "+447911199999")
    assert mei.subject == made.account_id
    assert (await mei.get("/v1/admin/merchants")).status_code == 200


async def test_applications_are_found_and_decided(app: Litestar, town: Town, admin: Member) -> None:
    """Whoever applied last is first; approved once and again is one decision; the next token lets the owner sell."""
    first, second = await applied(app, town), await applied(app, town)
    found = (await admin.get("/v1/admin/merchants?status=applied")).json()["items"]
    assert [(each["id"], each["contact"]) for each in found] == [
        (str(house.id), "sales@leaf.example") for house in (second, first)
    ]
    for _ in range(2):
        told = (await admin.post(f"/v1/admin/merchants/{first.id}/approve")).json()
        assert (told["id"], told["standing"], told["is_winding_down"]) == (str(first.id), "approved", False)
    assert (await (await first.owner.refreshed()).post("/v1/deals", deal_body())).status_code == 201
    told = (await admin.post(f"/v1/admin/merchants/{second.id}/refuse", {"reason": "No such company."})).json()
    assert (told["standing"], told["standing_reason"]) == ("refused", "No such company.")
    second.owner = await second.owner.refreshed()
    assert (await second.owner.get(second.path)).json()["file"]["standing_reason"] == "No such company."
    assert (await admin.post(f"/v1/admin/merchants/{second.id}/approve")).status_code == 200
    log = await read(admin, f"/v1/admin/audit?merchant_id={first.id}&action=merchant.approve")
    assert [(entry["before"], entry["after"]) for entry in log] == [
        ({"standing": "applied"}, {"standing": "approved", "name": "Leaf & Co"})
    ]


@pytest.mark.parametrize(
    ("decisions", "refused"), [((), "suspend"), ((), "reinstate"), (("approve",), "refuse"), (("refuse",), "suspend")]
)
async def test_what_is_no_decision_here_is_refused(
    app: Litestar, town: Town, admin: Member, decisions: tuple[str, ...], refused: str
) -> None:
    """Nobody is suspended who never sold, reinstated who was not suspended, or refused who was approved."""
    house = await applied(app, town)
    for decision in decisions:
        assert (await decided(admin, house, decision)).status_code == 200
    problem(await decided(admin, house, refused), 409, "standing-not-possible")


async def test_a_suspended_merchant_is_reinstated_not_approved(app: Litestar, town: Town, admin: Member) -> None:
    """The two decisions differ in the log, so neither stands in for the other."""
    house = await approved(app, town)
    assert (await decided(admin, house, "suspend")).json()["is_winding_down"]
    problem(await decided(admin, house, "approve"), 409, "standing-not-possible")
    assert (await decided(admin, house, "reinstate")).json()["standing"] == "approved"


async def test_a_reason_is_asked_for_and_a_merchant_must_be_there(app: Litestar, town: Town, admin: Member) -> None:
    """A line of text; without it nothing is decided."""
    house, group = await approved(app, town), uuid4()
    for body in ({}, {"reason": ""}, {"reason": " \n "}, {"reason": "x" * 501}):
        for path in (f"/v1/admin/merchants/{house.id}/suspend", f"/v1/admin/groups/{group}/cancel"):
            assert fields(await admin.post(path, body)) == {"reason"}
    problem(await admin.post(f"/v1/admin/merchants/{uuid4()}/suspend", REASON), 404, "merchant-not-found")
    problem(await admin.post(f"/v1/admin/groups/{group}/cancel", REASON), 404, "group-not-found")


async def test_from_the_moment_of_suspension_nothing_is_sold(app: Litestar, town: Town, admin: Member) -> None:
    """No group opens and nobody buys alone; staff and keys write no deals, and still see to what is owed."""
    house = await approved(app, town)
    key = Person(town.client, token=(await house.key("deals:write", "orders:read"))["key"])
    deal = await live_deal(house.owner)
    assert (await key.post("/v1/deals", deal_body())).status_code == 201
    assert (await decided(admin, house, "suspend")).status_code == 200
    for path in ("groups", "orders"):
        problem(await town.shopper().post(f"/v1/deals/{deal}/{path}"), 409, "deal-paused")
    house.owner = await house.owner.refreshed()
    for caller in (key, house.owner):
        problem(await caller.post("/v1/deals", deal_body()), 403, "merchant-not-approved")
        problem(await caller.post(f"/v1/deals/{deal}/publish"), 403, "merchant-not-approved")
        assert (await caller.get("/v1/orders")).status_code == 200
    operator = Person(town.client, house.id, town.issuer.issue(house.id, frozenset({"merchant"}), 600))
    assert (await operator.post(f"/v1/deals/{deal}/pause")).status_code == 200
    problem(await operator.post(f"/v1/deals/{deal}/resume"), 403, "merchant-not-approved")
    assert (await decided(admin, house, "reinstate")).status_code == 200
    assert (await operator.post(f"/v1/deals/{deal}/resume")).status_code == 200
    assert (await town.shopper().post(f"/v1/deals/{deal}/groups")).status_code == 201


async def test_a_repeated_opening_is_answered_as_the_first_time(app: Litestar, town: Town, admin: Member) -> None:
    """A phone that lost its answer learns of its group, although no new one could be opened now."""
    house = await approved(app, town)
    path, again = f"/v1/deals/{await live_deal(house.owner)}/groups", {"headers": {"idempotency-key": "once"}}
    mei = town.shopper()
    opened = await mei.post(path, **again)
    assert opened.status_code == 201
    await decided(admin, house, "suspend")
    repeated = await mei.post(path, **again)
    assert (repeated.status_code, repeated.json()["id"]) == (201, opened.json()["id"])


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


async def test_a_group_is_called_off_once_and_its_merchant_reads_why(app: Litestar, town: Town, admin: Member) -> None:
    """Who, what, before, after and the request; of the administrator an id and nothing else."""
    house = await approved(app, town)
    opened = (await town.shopper().post(f"/v1/deals/{await live_deal(house.owner)}/groups")).json()
    path = f"/v1/admin/groups/{opened['id']}/cancel"
    cancelled = await admin.post(path, REASON, headers={"x-request-id": "call-42"})
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (await admin.post(path, REASON)).status_code == 200
    entries = await read(house.owner, f"{house.path}/audit")
    (entry,) = [each for each in entries if each["action"] == "group.cancel"]
    assert entry["actor"] == {"kind": "administrator", "id": str(admin.subject)}
    assert entry["thing"] == {"kind": "group", "id": opened["id"]}
    assert (entry["before"], entry["after"]) == (
        {"status": "open", "closed_by": None},
        {"status": "cancelled", "closed_by": "platform", "reason": "Counterfeit goods."},
    )
    assert (entry["request_id"], entry["merchant_id"]) == ("call-42", str(house.id))
    assert admin.phone not in str(entries)


async def test_what_staff_and_keys_do_is_in_the_log(app: Litestar, town: Town, admin: Member) -> None:
    """Each by its own id, the last first; what changed nothing, and what was refused, is not; nor are joins."""
    house = await approved(app, town)
    editor = await house.hired(StaffRole.EDITOR)
    made = await house.key("deals:write", "groups:cancel", "audit:read")
    key = Person(town.client, token=made["key"])
    deal = (await editor.post("/v1/deals", deal_body(**TEAM))).json()["id"]
    for action in ("publish", "publish", "pause", "resume"):
        assert (await editor.post(f"/v1/deals/{deal}/{action}")).status_code == 200
    opened = (await town.shopper().post(f"/v1/deals/{deal}/groups")).json()
    assert (await town.shopper().post(f"/v1/groups/{opened['id']}/participants")).status_code == 201
    assert (await key.post(f"/v1/groups/{opened['id']}/cancel")).status_code == 200
    assert (await key.post(f"/v1/deals/{deal}/end")).status_code == 200
    problem(await key.post(f"/v1/deals/{deal}/pause"), 409, "deal-over")
    entries = await read(key, f"{house.path}/audit?limit=2")
    by = {str(editor.subject): "editor", made["id"]: "key"}
    done = [(by.get(each["actor"]["id"]), each["action"]) for each in entries if each["actor"]["id"] in by]
    assert done[:6] == [
        ("key", "deal.end"),
        ("key", "group.cancel"),
        ("editor", "deal.resume"),
        ("editor", "deal.pause"),
        ("editor", "deal.publish"),
        ("editor", "deal.create"),
    ]
    assert {each["actor"]["kind"] for each in entries if each["actor"]["id"] == made["id"]} == {"api_key"}
    assert await ids(admin, f"/v1/admin/audit?actor_id={made['id']}") == [each["id"] for each in entries[:2]]
    assert len(await read(admin, f"/v1/admin/audit?thing_id={opened['id']}")) == 1


async def test_refunds_and_called_off_orders_are_in_the_log(town: Town, shop: MoneyShop) -> None:
    """What an order had given back before and after; a token from the command line is an operator's."""
    kept, dropped = await shop.orders_of(await shop.live(needs_shipping=True), None, None)
    refund = {"reason": "It came broken.", "amount": 300, "currency": "EUR"}
    assert (await town.merchant.post(f"/v1/orders/{kept.order_id}/refunds", refund)).status_code == 201
    assert (await town.merchant.post(f"/v1/orders/{dropped.order_id}/cancel", REASON)).status_code == 200
    cancelled, refunded = await read(town.merchant, f"/v1/merchants/{town.merchant.subject}/audit")
    assert (refunded["action"], refunded["thing"]["id"]) == ("order.refund", str(kept.order_id))
    assert (refunded["before"], refunded["after"]) == ({"refunded": 0}, {"refunded": 300})
    assert cancelled["after"] == {"status": "cancelled", "refunded": 1_800}
    assert refunded["actor"] == {"kind": "operator", "id": str(town.merchant.subject)}
    assert "broken" not in str(refunded)


async def test_merchants_read_their_own_log_alone(app: Litestar, town: Town) -> None:
    """Owners and analysts; another merchant's is not there for them."""
    house, other = await approved(app, town), await approved(app, town)
    await live_deal(house.owner)
    assert {each["merchant_id"] for each in await read(house.owner, f"{house.path}/audit")} == {str(house.id)}
    problem(await other.owner.get(f"{house.path}/audit"), 404, "merchant-not-found")
    analyst, editor = await house.hired(StaffRole.ANALYST), await house.hired(StaffRole.EDITOR)
    assert (await analyst.get(f"{house.path}/audit")).status_code == 200
    problem(await editor.get(f"{house.path}/audit"), 403, "permission-missing")


async def test_looking_is_in_the_log_and_nobodys_phone_is(town: Town, shop: MoneyShop, admin: Member) -> None:
    """What was looked for and what was shown, never the number or the words themselves."""
    mei = await signed_in(town)
    (bought,) = await shop.paid_group(await shop.live(), mei.subject)
    await admin.get("/v1/admin/orders", params={"q": mei.phone})
    await admin.get("/v1/admin/orders", params={"q": "mei 12 High Street"})
    await admin.get(f"/v1/admin/groups?merchant_id={shop.merchant_id}&status=open")
    groups, words, phone = await read(admin, f"/v1/admin/audit?actor_id={admin.subject}")
    assert (phone["action"], phone["after"]) == (
        "orders.search",
        {"sought": {"q": "phone"}, "found": [str(bought.order_id)]},
    )
    assert words["after"] == {"sought": {"q": "words"}, "found": []}
    assert groups["after"]["found"] == [str(bought.group_id)]
    assert groups["merchant_id"] == str(shop.merchant_id)


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


async def test_every_answer_names_its_request(town: Town) -> None:
    """The caller's own name where it is sane, else a new one, on good answers and on refusals."""
    assert (await town.nobody.get("/v1/deals", headers={"x-request-id": "app-1.2:3"})).headers[
        "x-request-id"
    ] == "app-1.2:3"
    made = {
        (await town.nobody.get(path, headers={"x-request-id": said} if said else {})).headers["x-request-id"]
        for path in ("/v1/deals", "/v1/me", "/nowhere", "/healthz")
        for said in (None, "", "x" * 101, "two words", "tab\tbed", 'quo"ted')
    }
    assert len(made) == 24


async def decided(admin: Member, house: House, decision: str) -> Any:
    """An administrator's decision about a merchant, with a reason where one is asked for."""
    body = REASON if decision in {"refuse", "suspend"} else None
    return await admin.post(f"/v1/admin/merchants/{house.id}/{decision}", body)


async def live_deal(owner: Member) -> UUID:
    """A published deal of a merchant's."""
    deal = (await owner.post("/v1/deals", deal_body(**TEAM))).json()["id"]
    assert (await owner.post(f"/v1/deals/{deal}/publish")).status_code == 200
    return UUID(deal)


async def read(who: Person, path: str, **query: str) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    while True:
        address = str(who.client.base_url.join(path).copy_merge_params(query))
        answer = await who.get(address)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


async def ids(who: Person, path: str, **query: str) -> list[Any]:
    return [item["id"] for item in await read(who, path, **query)]
