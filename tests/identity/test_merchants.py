"""Merchants: applying, what is seen of one, and what its standing lets its people do."""

import asyncio
from uuid import uuid4

import pytest
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.errors import MerchantNotFound, StandingNotPossible
from domain.identity.merchant import MAY_BECOME
from domain.identity.permissions import StaffRole, Standing
from infra.identity.merchants import set_standing
from infra.tokens import EMPLOYMENTS_MAX
from tests.api.people import Town, deal_body, fields, problem
from tests.identity.houses import SAID, applied, approved, decide
from tests.identity.members import signed_in, signed_in_as_guest


async def test_whoever_applies_owns_it_and_makes_all_ready_but_sells_nothing_yet(app: Litestar, town: Town) -> None:
    """The token from before counts no more, the next one is an owner's; deals wait for the approval."""
    mei = await signed_in(town)
    answer = await mei.post("/v1/merchants", SAID)
    told = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/merchants/{told['id']}")
    assert (told["name"], told["file"]["standing"]) == ("Leaf & Co", "applied")
    problem(await mei.get("/v1/me"), 401, "not-authenticated")
    mei = await mei.refreshed()
    assert [(each["role"], each["standing"]) for each in (await mei.get("/v1/me")).json()["merchants"]] == [
        ("owner", "applied")
    ]
    assert (await mei.post(f"/v1/merchants/{told['id']}/api-keys", {"name": "a", "scopes": ["orders:read"]})).is_success
    assert (await mei.get("/v1/orders")).status_code == 200
    problem(await mei.post("/v1/deals", deal_body()), 403, "merchant-not-approved")
    await decide(app, told["id"], Standing.APPROVED)
    mei = await mei.refreshed()
    assert (await mei.post("/v1/deals", deal_body())).status_code == 201


async def test_only_full_accounts_apply(town: Town, engine: AsyncEngine) -> None:
    """A guest and a token of no account are told what is missing, and nothing is made."""
    guest = await signed_in_as_guest(town)
    problem(await guest.post("/v1/merchants", SAID), 403, "full-account-needed")
    problem(await town.shopper().post("/v1/merchants", SAID), 404, "account-not-found")
    problem(await town.nobody.post("/v1/merchants", SAID), 401, "not-authenticated")
    assert await _merchants(engine) == 0


async def test_the_same_application_at_once_and_again_is_one_merchant(town: Town, engine: AsyncEngine) -> None:
    """A phone that sends twice applies once; who asks for a second name has a second merchant."""
    mei = await signed_in(town)
    answers = await asyncio.gather(*[mei.post("/v1/merchants", SAID) for _ in range(5)])
    told = {answer.status_code: answer.json() for answer in answers if answer.status_code != 401}
    assert 201 in told
    assert await _merchants(engine) == 1
    mei = await mei.refreshed()
    again = await mei.post("/v1/merchants", SAID)
    assert (again.status_code, again.json()["id"]) == (200, told[201]["id"])
    assert (await mei.post("/v1/merchants", SAID | {"name": "Other leaf"})).status_code == 201


async def test_anyone_sees_the_name_of_who_may_sell_and_staff_see_all(app: Litestar, town: Town) -> None:
    """Before the approval, after a refusal and while suspended a merchant is not there for others."""
    house = await applied(app, town)
    other = await approved(app, town)
    for stranger in (town.nobody, town.shopper(), other.owner):
        problem(await stranger.get(house.path), 404, "merchant-not-found")
    await house.stands(Standing.APPROVED)
    for stranger in (town.nobody, town.shopper(), other.owner):
        assert (await stranger.get(house.path)).json() == {"id": str(house.id), "name": "Leaf & Co", "file": None}
    await house.stands(Standing.SUSPENDED, "Too many complaints.")
    problem(await town.nobody.get(house.path), 404, "merchant-not-found")
    own = await house.owner.get(house.path)
    file = own.json()["file"]
    assert (file["standing"], file["standing_reason"]) == ("suspended", "Too many complaints.")
    unchanged = await house.owner.get(house.path, headers={"if-none-match": own.headers["etag"]})
    assert unchanged.status_code == 304


async def test_an_owner_changes_what_the_merchant_says(app: Litestar, town: Town) -> None:
    """Fields left out stay, null empties the country, saying the same again is no change."""
    house = await applied(app, town)
    told = (await house.owner.ask("PATCH", house.path, {"about": "Tea.", "country": None})).json()
    file = told["file"]
    assert (told["name"], file["about"], file["country"], file["version"]) == ("Leaf & Co", "Tea.", None, 2)
    assert (await house.owner.ask("PATCH", house.path, {"about": "Tea."})).json() == told


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"contact": ""}, "contact"),
        ({"country": "gb"}, "country"),
        ({"about": "\0"}, "about"),
        ({"about": "x" * 2_001}, "about"),
        ({"status": "approved"}, "status"),
    ],
)
async def test_wrong_fields_are_named_and_change_nothing(
    app: Litestar, town: Town, engine: AsyncEngine, wrong: dict[str, str], field: str
) -> None:
    """Applying and changing check the same; nobody writes their own standing."""
    house = await applied(app, town)
    before = (await house.owner.get(house.path)).json()
    assert fields(await house.owner.ask("PATCH", house.path, wrong)) == {field}
    assert fields(await house.owner.post("/v1/merchants", SAID | wrong)) == {field}
    assert (await house.owner.get(house.path)).json() == before
    assert await _merchants(engine) == 1


async def test_a_standing_comes_about_only_as_it_may(app: Litestar, town: Town, engine: AsyncEngine) -> None:
    """Whatever else is asked for is refused and changes nothing; the same again is no change."""
    house = await applied(app, town)
    for before in Standing:
        for after in Standing:
            async with engine.begin() as connection:
                await connection.execute(text("UPDATE merchants SET status = :status"), {"status": before})
                if after is not before and after not in MAY_BECOME[before]:
                    with pytest.raises(StandingNotPossible):
                        await set_standing(connection, house.id, after, None)
                    continue
                change = await set_standing(connection, house.id, after, None)
                assert (change.before, change.after, bool(change.revoked)) == (before, after, before is not after)
    async with engine.begin() as connection:
        with pytest.raises(MerchantNotFound):
            await set_standing(connection, uuid4(), Standing.APPROVED, None)


async def test_a_suspended_merchants_people_do_all_but_sell(app: Litestar, town: Town) -> None:
    """What is owed to shoppers goes on; the tokens from before are refused at once, those of after know."""
    house = await approved(app, town)
    deal = (await house.owner.post("/v1/deals", deal_body())).json()
    await decide(app, house.id, Standing.SUSPENDED)
    problem(await house.owner.post("/v1/deals", deal_body()), 401, "not-authenticated")
    owner = await house.owner.refreshed()
    problem(await owner.post("/v1/deals", deal_body()), 403, "merchant-not-approved")
    problem(await owner.post(f"/v1/deals/{deal['id']}/publish"), 403, "merchant-not-approved")
    assert (await owner.get("/v1/orders")).status_code == 200
    assert (await owner.get(f"{house.path}/staff")).status_code == 200
    await decide(app, house.id, Standing.APPROVED)
    assert (await (await owner.refreshed()).post(f"/v1/deals/{deal['id']}/publish")).status_code == 200


async def test_an_account_works_for_so_many_merchants_and_no_more(town: Town) -> None:
    """A token names them all, so there is a bound; whoever leaves one may join another."""
    mei = await signed_in(town)
    for number in range(EMPLOYMENTS_MAX):
        assert (await mei.post("/v1/merchants", SAID | {"name": f"Leaf {number}"})).status_code == 201
        mei = await mei.refreshed()
    problem(await mei.post("/v1/merchants", SAID), 409, "too-many-merchants")
    assert fields(await mei.get("/v1/orders")) == {"Tuan-Merchant"}
    merchant_id = (await mei.get("/v1/me")).json()["merchants"][-1]["id"]
    assert (await mei.get("/v1/orders", headers={"tuan-merchant": merchant_id})).status_code == 200


async def test_what_belongs_to_another_merchant_is_not_found(app: Litestar, town: Town) -> None:
    """An owner reaches nothing of another merchant's, by no path and with no id of it."""
    house, other = await approved(app, town), await approved(app, town)
    invite = await house.invited("editor", phone="+447911123456")
    key = await house.key("orders:read")
    deal = (await house.owner.post("/v1/deals", deal_body())).json()
    thief = other.owner
    for path in (house.path, other.path):
        problem(await thief.ask("DELETE", f"{path}/staff-invites/{invite['id']}"), 404, _missing(path, house.path))
        problem(await thief.ask("DELETE", f"{path}/api-keys/{key['id']}"), 404, _missing(path, house.path, "api-key"))
        problem(
            await thief.ask("DELETE", f"{path}/staff/{house.owner.subject}"), 404, _missing(path, house.path, "staff")
        )
    for path in ("staff", "staff-invites", "api-keys"):
        problem(await thief.get(f"{house.path}/{path}"), 404, "merchant-not-found")
    problem(await thief.post(f"/v1/deals/{deal['id']}/publish"), 404, "deal-not-found")
    problem(await thief.get("/v1/orders", headers={"tuan-merchant": str(house.id)}), 403, "not-staff")
    problem(await thief.post(f"/v1/staff-invites/{invite['id']}/accept"), 404, "staff-invite-not-found")
    assert len((await house.owner.get(f"{house.path}/staff-invites")).json()["items"]) == 1


async def test_what_people_do_at_a_merchant_is_in_its_audit_log(app: Litestar, town: Town) -> None:
    """Each change once, by whom and of what; no phone number, no key, and of what people write only that they did."""
    house = await applied(app, town)
    await house.owner.ask("PATCH", house.path, {"about": "Tea.", "contact": "secret@leaf.example", "country": None})
    await house.owner.ask("PATCH", house.path, {"about": "Tea."})
    mei = await house.hired(StaffRole.EDITOR)
    role = {"role": "owner"}
    for _ in range(2):
        await house.owner.ask("PATCH", f"{house.path}/staff/{mei.subject}", role)
    mei = await mei.refreshed()
    await mei.ask("DELETE", f"{house.path}/staff/me")
    invite = await house.invited("analyst", phone="+447911123456")
    await house.owner.ask("DELETE", f"{house.path}/staff-invites/{invite['id']}")
    key = await house.key("orders:read")
    await house.owner.ask("DELETE", f"{house.path}/api-keys/{key['id']}")
    answer = await house.owner.get(f"{house.path}/audit")
    told = [(each["action"], each["actor"]["id"], each["before"], each["after"]) for each in answer.json()["items"]]
    owner, other = str(house.owner.subject), str(mei.subject)
    named = {"prefix": key["prefix"]}
    assert told == [
        ("api_key.revoke", owner, named, None),
        ("api_key.make", owner, None, named | {"scopes": ["orders:read"]}),
        ("staff.withdraw", owner, {"role": "analyst"}, None),
        ("staff.invite", owner, None, {"role": "analyst"}),
        ("staff.leave", other, {"role": "owner"}, None),
        ("staff.change", owner, {"role": "editor"}, {"role": "owner"}),
        ("staff.join", other, None, {"role": "editor"}),
        ("staff.invite", owner, None, {"role": "editor"}),
        ("merchant.change", owner, {"country": "GB"}, {"country": None, "rewritten": ["about", "contact"]}),
        ("merchant.apply", owner, None, {"country": "GB"}),
    ]
    for secret in ("+4479", "secret@leaf", "sales@leaf", "Leaf", "Tea", "shop", key["key"]):
        assert secret not in answer.text


async def test_the_log_keeps_names_that_anyone_has_seen(app: Litestar, town: Town) -> None:
    """Under which name somebody sold is public and stays; what an applicant calls themselves is not told."""
    house = await applied(app, town)
    await house.owner.ask("PATCH", house.path, {"name": "Mei's leaf"})
    await house.stands(Standing.APPROVED)
    await house.owner.ask("PATCH", house.path, {"name": "Fine leaf", "contact": "mei@leaf.example"})
    answer = await house.owner.get(f"{house.path}/audit")
    assert [(each["before"], each["after"]) for each in answer.json()["items"][:2]] == [
        ({"name": "Mei's leaf"}, {"name": "Fine leaf", "rewritten": ["contact"]}),
        ({}, {"rewritten": ["name"]}),
    ]


def _missing(path: str, others: str, what: str = "staff-invite") -> str:
    return "merchant-not-found" if path == others else f"{what}-not-found"


async def _merchants(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found: int = (await connection.execute(text("SELECT count(*) FROM merchants"))).scalar_one()
        return found
