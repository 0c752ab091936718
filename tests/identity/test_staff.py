"""A merchant's staff: invited, given roles, removed; and never without an owner, whatever comes at once."""

import asyncio
from dataclasses import replace

import pytest
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from domain.identity.merchant import INVITES_A_DAY_MAX
from domain.identity.permissions import StaffRole, Standing
from infra.settings import Settings, read_settings
from tests.api.cast import make_cast
from tests.api.conftest import connected
from tests.api.people import Town, deal_body, fields, problem
from tests.identity.houses import House, applied, approved
from tests.identity.members import signed_in

PHONE = "+447911123456"


@pytest.fixture
async def house(app: Litestar, town: Town) -> House:
    return await approved(app, town)


@pytest.mark.parametrize("is_known", [False, True])
async def test_who_was_invited_signs_in_and_works_there(house: House, town: Town, *, is_known: bool) -> None:
    """Known here before or not: the answer is the same, and whoever signs in with the number finds the invite."""
    if is_known:
        await signed_in(town, PHONE)
    made = await house.invited("editor", phone="+44 7911 123456")
    assert {name: made[name] for name in ("channel", "address", "role", "is_sent")} == {
        "channel": "phone",
        "address": PHONE,
        "role": "editor",
        "is_sent": True,
    }
    message = (await town.nobody.get("/dev/inbox")).json()["items"][0]
    assert message["to"] == PHONE
    assert "Leaf & Co" in message["text"]
    mei = await signed_in(town, PHONE)
    [mine] = (await mei.get("/v1/me/staff-invites")).json()["items"]
    assert (mine["id"], mine["merchant_name"]) == (made["id"], "Leaf & Co")
    accepted = await mei.post(f"/v1/staff-invites/{made['id']}/accept")
    assert accepted.json() == {"merchant_id": str(house.id), "account_id": str(mei.subject), "role": "editor"}
    problem(await mei.get("/v1/me"), 401, "not-authenticated")
    mei = await mei.refreshed()
    assert (await mei.post("/v1/deals", deal_body())).status_code == 201
    problem(await mei.get("/v1/me/statement"), 403, "permission-missing")
    assert (await mei.get("/v1/me/staff-invites")).json()["items"] == []
    roles = [each["role"] for each in (await mei.get(f"{house.path}/staff")).json()["items"]]
    assert roles == ["owner", "editor"]


async def test_a_merchant_nobody_has_approved_sends_no_text_of_its_own(app: Litestar, town: Town) -> None:
    """Anybody may apply under any name: strangers get none of it by message."""
    await (await applied(app, town)).invited("analyst", email="Jo@Example.com")
    message = (await town.nobody.get("/dev/inbox")).json()["items"][0]
    assert message["to"] == "jo@example.com"
    assert "Leaf" not in message["text"]


async def test_an_invite_is_for_its_number_alone(house: House, town: Town) -> None:
    """Who signs in otherwise neither sees it nor can accept it, whatever they know of it."""
    made = await house.invited("owner", phone=PHONE)
    other = await signed_in(town)
    assert (await other.get("/v1/me/staff-invites")).json()["items"] == []
    problem(await other.post(f"/v1/staff-invites/{made['id']}/accept"), 404, "staff-invite-not-found")


async def test_an_invite_that_is_over_is_of_no_use(house: House, town: Town, engine: AsyncEngine) -> None:
    """Replaced, withdrawn or too old: it can be neither seen nor accepted."""
    mei = await signed_in(town, PHONE)
    replaced = await house.invited("owner", phone=PHONE)
    withdrawn = await house.invited("editor", phone=PHONE)
    [only] = (await house.owner.get(f"{house.path}/staff-invites")).json()["items"]
    assert only["id"] == withdrawn["id"]
    gone = await house.owner.ask("DELETE", f"{house.path}/staff-invites/{withdrawn['id']}")
    assert gone.status_code == 204
    expired = await house.invited("editor", phone=PHONE)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE staff_invites SET expires_at = clock_timestamp()"))
    for each in (replaced, withdrawn, expired):
        problem(await mei.post(f"/v1/staff-invites/{each['id']}/accept"), 404, "staff-invite-not-found")
    assert (await mei.get("/v1/me/staff-invites")).json()["items"] == []
    assert (await house.owner.get(f"{house.path}/staff-invites")).json()["items"] == []
    await house.hired(StaffRole.EDITOR, mei)


async def test_accepting_again_changes_nothing_and_is_no_way_back_in(house: House, town: Town) -> None:
    """A phone that sends twice is answered alike; after a removal the old invite is of no use."""
    mei = await signed_in(town, PHONE)
    path = f"/v1/staff-invites/{(await house.invited('editor', phone=PHONE))['id']}/accept"
    first = await mei.post(path)
    mei = await mei.refreshed()
    assert (await mei.post(path)).json() == first.json()
    assert (await house.owner.ask("DELETE", f"{house.path}/staff/{mei.subject}")).status_code == 204
    problem(await (await mei.refreshed()).post(path), 404, "staff-invite-not-found")


async def test_an_owner_who_accepts_a_lesser_invite_stays_owner(house: House) -> None:
    """An invite gives a role to whoever has none, and takes none away."""
    made = await house.invited("analyst", phone=house.owner.phone)
    accepted = await house.owner.post(f"/v1/staff-invites/{made['id']}/accept")
    assert accepted.json()["role"] == "owner"
    assert (await house.owner.get(f"{house.path}/staff-invites")).json()["items"] == []


async def test_another_role_counts_at_once(house: House) -> None:
    """The token from before is refused, the next one may what the new role may."""
    mei = await house.hired(StaffRole.EDITOR)
    path = f"{house.path}/staff/{mei.subject}"
    assert (await house.owner.ask("PATCH", path, {"role": "analyst"})).json()["role"] == "analyst"
    problem(await mei.post("/v1/deals", deal_body()), 401, "not-authenticated")
    mei = await mei.refreshed()
    problem(await mei.post("/v1/deals", deal_body()), 403, "permission-missing")
    assert (await house.owner.ask("PATCH", path, {"role": "analyst"})).status_code == 200
    assert (await mei.get("/v1/me")).status_code == 200, "the same again ends no token"
    problem(await house.owner.ask("PATCH", f"{house.path}/staff/{house.id}", {"role": "owner"}), 404, "staff-not-found")
    assert fields(await house.owner.ask("PATCH", path, {"role": "king"})) == {"role"}


async def test_who_is_removed_or_leaves_is_out_at_once(house: House) -> None:
    """Neither the token they have nor any that follows reaches the merchant."""
    removed, leaves = await house.hired(StaffRole.FULFILMENT), await house.hired(StaffRole.ANALYST)
    assert (await house.owner.ask("DELETE", f"{house.path}/staff/{removed.subject}")).status_code == 204
    assert (await leaves.ask("DELETE", f"{house.path}/staff/me")).status_code == 204
    for person in (removed, leaves):
        problem(await person.get("/v1/orders"), 401, "not-authenticated")
        problem(await (await person.refreshed()).get("/v1/orders"), 403, "role-missing")
    problem(await house.owner.ask("DELETE", f"{house.path}/staff/{removed.subject}"), 404, "staff-not-found")


async def test_a_merchant_is_never_without_an_owner(house: House) -> None:
    """The last one can neither leave, nor be removed, nor become anything else; then there is another."""
    own = f"{house.path}/staff/{house.owner.subject}"
    problem(await house.owner.ask("DELETE", f"{house.path}/staff/me"), 409, "last-owner")
    problem(await house.owner.ask("DELETE", own), 409, "last-owner")
    problem(await house.owner.ask("PATCH", own, {"role": "editor"}), 409, "last-owner")
    assert (await house.owner.get(house.path)).status_code == 200
    await house.hired(StaffRole.OWNER)
    assert (await house.owner.ask("PATCH", own, {"role": "editor"})).status_code == 200


async def test_owners_who_remove_each_other_at_once_leave_one(house: House, engine: AsyncEngine) -> None:
    """Three owners, each removing the others, leaving and stepping down in the same moment."""
    owners = [house.owner, await house.hired(StaffRole.OWNER), await house.hired(StaffRole.OWNER)]
    asked = [
        one.ask("DELETE", f"{house.path}/staff/{other.subject}") for one in owners for other in owners if one != other
    ]
    asked += [one.ask("DELETE", f"{house.path}/staff/me") for one in owners]
    asked += [one.ask("PATCH", f"{house.path}/staff/{one.subject}", {"role": "analyst"}) for one in owners]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} <= {200, 204, 401, 404, 409}
    async with engine.connect() as connection:
        left = text("SELECT count(*) FROM staff WHERE role = 'owner'")
        assert (await connection.execute(left)).scalar_one() == 1


async def test_accepting_and_withdrawing_at_once_have_one_outcome(house: House, town: Town) -> None:
    """Either somebody works there or the invite was withdrawn: who lost is told."""
    for _ in range(10):
        mei = await signed_in(town)
        made = await house.invited("analyst", phone=mei.phone)
        accepted, withdrawn = await asyncio.gather(
            mei.post(f"/v1/staff-invites/{made['id']}/accept"),
            house.owner.ask("DELETE", f"{house.path}/staff-invites/{made['id']}"),
        )
        assert (accepted.status_code, withdrawn.status_code) in {(200, 404), (404, 204)}


async def test_people_come_and_go_at_once_and_nobody_waits_for_ever(house: House) -> None:
    """Accepting, removing and deciding lock in one order: no two of them wait for each other."""
    for _ in range(10):
        mei = await house.hired(StaffRole.ANALYST)
        made = await house.invited("editor", phone=mei.phone)
        answers = await asyncio.gather(
            mei.post(f"/v1/staff-invites/{made['id']}/accept"),
            house.owner.ask("DELETE", f"{house.path}/staff/{mei.subject}"),
            mei.post("/v1/merchants", {"name": "Mine", "contact": "me@example.com"}),
        )
        assert {answer.status_code for answer in answers} <= {200, 201, 204, 401}


async def test_an_account_is_deleted_while_its_employment_changes(house: House) -> None:
    """Whoever goes is gone from the staff, and no two of them wait for each other."""
    for _ in range(10):
        mei = await house.hired(StaffRole.ANALYST)
        answers = await asyncio.gather(
            house.owner.ask("PATCH", f"{house.path}/staff/{mei.subject}", {"role": "editor"}),
            mei.ask("DELETE", "/v1/me"),
            house.owner.ask("PATCH", f"{house.path}/staff/{mei.subject}", {"role": "fulfilment"}),
        )
        assert {answer.status_code for answer in answers} <= {200, 204, 401, 404}


async def test_a_merchant_sends_so_many_invites_a_day(house: House, town: Town) -> None:
    """Each is a message that costs money: withdrawing one makes room for none."""
    made = await house.invited("analyst", email="jo@example.com")
    for number in range(1, INVITES_A_DAY_MAX):
        await house.invited("analyst", phone=f"+447911{200_000 + number}")
    await house.owner.ask("DELETE", f"{house.path}/staff-invites/{made['id']}")
    refused = await house.owner.post(f"{house.path}/staff-invites", {"phone": PHONE, "role": "analyst"})
    problem(refused, 409, "too-many-staff-invites")
    assert all(each["to"] != PHONE for each in (await town.nobody.get("/dev/inbox")).json()["items"])


async def test_invites_and_codes_to_a_number_share_its_limit(settings: Settings, engine: AsyncEngine) -> None:
    """However many merchants ask, a stranger's phone rings so often and no more; who is refused invited nobody."""
    async with connected(create_app(replace(settings, rate_limits=True))) as client:
        town = Town(client, settings)
        owner = (await make_cast(town, engine))["owner"]
        path = f"/v1/merchants/{town.merchant.subject}/staff-invites"
        assert (await town.nobody.post("/v1/sign-in/codes", {"phone": PHONE})).status_code == 202
        answers = [await owner.post(path, {"phone": PHONE, "role": "editor"}) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 201, 429]
        [open_one] = (await owner.get(path)).json()["items"]
        assert open_one["id"] == answers[3].json()["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "editor"}, "phone"),
        ({"role": "editor", "phone": PHONE, "email": "jo@example.com"}, "phone"),
        ({"role": "editor", "phone": "12"}, "phone"),
        ({"role": "editor", "email": "jo"}, "email"),
        ({"role": "king", "phone": PHONE}, "role"),
        ({"phone": PHONE}, "role"),
    ],
)
async def test_a_wrong_invite_names_what_is_wrong(house: House, body: dict[str, str], field: str) -> None:
    """And nobody is asked anything."""
    assert fields(await house.owner.post(f"{house.path}/staff-invites", body)) == {field}
    assert (await house.owner.get(f"{house.path}/staff-invites")).json()["items"] == []


async def test_an_invite_whose_message_is_lost_is_there_all_the_same(settings: Settings, engine: AsyncEngine) -> None:
    """With nobody to carry messages the owner is told so; the invite can be accepted."""
    no_redis = {"DATABASE_URL": settings.database_url, "REDIS_URL": "redis://127.0.0.1:1/0"}
    apart = read_settings({**no_redis, "TUAN_DATA_DIR": str(settings.data_dir), "TUAN_RATE_LIMITS": "off"})
    async with connected(create_app(apart)) as client:
        town = Town(client, apart)
        owner = (await make_cast(town, engine))["owner"]
        path = f"/v1/merchants/{town.merchant.subject}/staff-invites"
        made = await owner.post(path, {"phone": PHONE, "role": "editor"})
        assert (made.status_code, made.json()["is_sent"]) == (201, False)
        assert [each["id"] for each in (await owner.get(path)).json()["items"]] == [made.json()["id"]]


async def test_standing_and_staff_are_told_apart(house: House) -> None:
    """Staff of a suspended merchant still come and go: its people have orders to send."""
    await house.stands(Standing.SUSPENDED)
    assert (await (await house.hired(StaffRole.FULFILMENT)).get("/v1/orders")).status_code == 200
