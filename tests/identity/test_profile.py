"""Profiles: what people say of themselves, and where it is seen."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.people import Town, fields, problem
from tests.identity.members import Member, signed_in, signed_in_as_guest

MEI = {"display_name": "Mei", "avatar_url": "https://img.example/mei.png", "locale": "zh-Hans-CN"}


def switches(account: dict[str, Any]) -> dict[str, Any]:
    """What is told, or not, by whatever way."""
    return {name: chosen for name, chosen in account["notifications"].items() if isinstance(chosen, bool)}


async def test_a_profile_is_changed_field_by_field(town: Town) -> None:
    """What is left out stays, null empties, and choices are changed one by one."""
    mei = await signed_in(town)
    body = (await mei.patch("/v1/me", MEI)).json()
    assert {name: body[name] for name in MEI} == MEI
    assert switches(body) == {"group_closing": True, "price_dropped": True, "marketing": False}
    mei = await mei.refreshed()
    body = (await mei.patch("/v1/me", {"avatar_url": None, "notifications": {"marketing": True}})).json()
    assert (body["avatar_url"], body["locale"], body["display_name"]) == (None, "zh-Hans-CN", "Mei")
    assert switches(body) == {"group_closing": True, "price_dropped": True, "marketing": True}
    assert (await mei.get("/v1/me")).json() == body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", " "),
        ("display_name", "x" * 61),
        ("display_name", "two\nlines"),
        ("display_name", "\u3164"),
        ("display_name", "\u2800\uffa0 \u1160"),
        ("avatar_url", "http://img.example/mei.png"),
        ("avatar_url", "javascript:alert(1)"),
        ("avatar_url", "https://img.example/" + "x" * 2_048),
        ("locale", "klingon!"),
        ("locale", "a-DE"),
        ("locale", "en-US-" + "abcde-" * 6 + "abcde"),
        ("notifications", {"everything": True}),
        ("phone", "+447911123456"),
    ],
)
async def test_what_cannot_be_shown_is_refused(town: Town, field: str, value: Any) -> None:
    """A wrong field is named and nothing changes, not even the fields that were right."""
    mei = await signed_in(town)
    refused = await mei.patch("/v1/me", {"locale": "en", field: value})
    assert {name.split(".")[0] for name in fields(refused)} == {field}
    assert (await mei.get("/v1/me")).json()["locale"] is None


async def test_a_change_meant_for_an_older_state_is_refused(town: Town) -> None:
    """With If-Match one of two phones wins, the other is told; the same fields again change nothing."""
    mei = await signed_in(town)
    tag = (await mei.get("/v1/me")).headers["etag"]
    first = await mei.patch("/v1/me", {"locale": "en"}, headers={"if-match": tag})
    assert first.status_code == 200
    assert first.headers["etag"] == (await mei.get("/v1/me")).headers["etag"] != tag
    problem(await mei.patch("/v1/me", {"locale": "de"}, headers={"if-match": tag}), 412, "changed-meanwhile")
    again = await mei.patch("/v1/me", {"locale": "en"}, headers={"if-match": f'"other", {first.headers["etag"]}'})
    assert again.headers["etag"] == first.headers["etag"]
    assert (await mei.patch("/v1/me", {"locale": "de"}, headers={"if-match": "*"})).json()["locale"] == "de"


async def test_of_two_phones_at_once_one_changes_it(town: Town) -> None:
    """Both know the same state: whoever is second is told, however close they are."""
    mei = await signed_in(town)
    for _ in range(5):
        known = {"if-match": (await mei.get("/v1/me")).headers["etag"]}
        wanted = [{"notifications": {"marketing": True}, "locale": f"de-{uuid4().hex[:8]}"} for _ in range(4)]
        answers = await asyncio.gather(*(mei.patch("/v1/me", body, headers=known) for body in wanted))
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_a_new_name_is_seen_where_its_bearer_is(town: Town) -> None:
    """Open groups, invites and the next access token say the name of now; other choices end no token."""
    mei = await signed_in(town)
    await mei.patch("/v1/me", {"display_name": "Mei"})
    problem(await mei.get("/v1/me"), 401, "not-authenticated")
    mei = await mei.refreshed()
    group = await town.open_group(mei)
    code = (await mei.post(f"/v1/groups/{group['id']}/invites")).json()["code"]
    await town.shopper("Ann").post(f"/v1/groups/{group['id']}/participants")
    await mei.patch("/v1/me", {"display_name": "小美", "avatar_url": MEI["avatar_url"]})
    mei = await mei.refreshed()
    assert (await mei.patch("/v1/me", {"locale": "zh"})).status_code == 200
    assert (await mei.get("/v1/me")).status_code == 200
    assert await _shown(town, group) == [("小美", MEI["avatar_url"]), ("Ann", None)]
    assert (await town.nobody.get(f"/v1/invites/{code}")).json()["sharer_name"] == "小美"
    assert (await mei.post(f"/v1/groups/{group['id']}/invites")).json()["sharer_name"] == "小美"
    other = await town.open_group(mei)
    assert await _shown(town, other) == [("小美", MEI["avatar_url"])]
    await mei.patch("/v1/me", {"display_name": None})
    assert (await _shown(town, other))[0][0].startswith("Shopper ")


async def test_names_are_told_to_nobody_else(town: Town, engine: AsyncEngine) -> None:
    """The event log, which is never erased, has ids and no names."""
    mei = await signed_in(town)
    await mei.patch("/v1/me", {"display_name": "Very Own Name"})
    await town.open_group(await mei.refreshed())
    async with engine.connect() as connection:
        told = (await connection.execute(text("SELECT string_agg(events::text, ' ') FROM outbox"))).scalar_one()
    assert "ParticipantJoined" in told
    assert "Very Own" not in told


async def test_a_name_given_at_sign_in_is_one_that_can_be_shown(town: Town) -> None:
    """The same rules from the first day: what is stored is shown to others as it is."""
    body = {"phone": "+447911123456", "code": "123456", "display_name": "x" * 61}
    assert fields(await town.nobody.post("/v1/sign-in/code", body)) == {"display_name"}


async def test_a_guest_has_a_profile_too(town: Town) -> None:
    """It is the person's later on; a token of no account has none."""
    guest = await signed_in_as_guest(town)
    await guest.patch("/v1/me", {"display_name": "Mei"})
    full = await signed_in(town, guest=await guest.refreshed())
    assert (full.subject, (await full.get("/v1/me")).json()["display_name"]) == (guest.subject, "Mei")
    operator = Member(town.client, town.merchant.subject, town.merchant.token)
    problem(await operator.patch("/v1/me", {"locale": "en"}), 404, "account-not-found")


async def _shown(town: Town, group: dict[str, Any]) -> list[tuple[str, str | None]]:
    listed = (await town.nobody.get(f"/v1/groups/{group['id']}/participants")).json()["items"]
    return [(one["display_name"], one["avatar_url"]) for one in listed]
