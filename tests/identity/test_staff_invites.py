"""Invites to a merchant's staff: for one number or address, for a while, once, and not too many."""

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
from tests.identity.houses import House, applied
from tests.identity.members import signed_in

PHONE = "+447911123456"


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
    """Anybody may apply under any name: strangers get none of it, by message or in the list, before it is approved."""
    house, jo = await applied(app, town), await signed_in(town)
    await house.invited("analyst", phone=jo.phone)
    [shown] = (await jo.get("/v1/me/staff-invites")).json()["items"]
    assert shown["merchant_name"] == "A merchant"
    await house.stands(Standing.APPROVED)
    [shown] = (await jo.get("/v1/me/staff-invites")).json()["items"]
    assert shown["merchant_name"] == "Leaf & Co"
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
