"""Administrators: made on the machine, and what they decide about merchants."""

from uuid import uuid4

import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity.accounts import Proof, Provider
from infra.identity.administrators import make_administrator, remove_administrator
from infra.runtime import Runtime
from tests.api.people import Person, Town, deal_body, fields, problem
from tests.identity.administering import REASON, decided, live_deal, promoted, read
from tests.identity.houses import applied, approved
from tests.identity.members import Member, signed_in


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
