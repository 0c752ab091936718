"""The audit log: who did what to which thing, in which request, and who reads it."""

from litestar import Litestar

from domain.identity.permissions import StaffRole
from tests.api.people import Person, Town, deal_body, problem
from tests.identity.administering import REASON, TEAM, ids, live_deal, read
from tests.identity.houses import approved
from tests.identity.members import Member, signed_in
from tests.money_shop import MoneyShop


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


async def test_a_merchant_reads_that_it_was_looked_at_and_not_for_whom(
    town: Town, shop: MoneyShop, admin: Member
) -> None:
    """Whom an administrator has on the phone is nobody else's business; administrators read it."""
    (bought,) = await shop.paid_group(await shop.live(), (await signed_in(town)).subject)
    of_whom = {"shopper_id": str(bought.shopper_id), "merchant_id": str(shop.merchant_id)}
    assert (await admin.get("/v1/admin/orders", params=of_whom)).status_code == 200
    [read_by_admin] = await read(admin, f"/v1/admin/audit?merchant_id={shop.merchant_id}")
    assert read_by_admin["after"] == {"sought": of_whom, "found": [str(bought.order_id)]}
    [read_by_merchant] = await read(town.merchant, f"/v1/merchants/{shop.merchant_id}/audit")
    assert read_by_merchant == read_by_admin | {"after": {"found": [str(bought.order_id)]}}


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
