"""Several ways to sign in to one account: linked with proof, never taken from anybody, never all gone."""

import asyncio

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.people import Person, fields, problem
from tests.identity.members import Member, signed_in, signed_in_as_guest
from tests.identity.openid_provider import NONCE
from tests.identity.settled import run
from tests.identity.signing_in import Doors

LINKS = "/v1/me/identities"
OLD = "UPDATE sessions SET created_at = created_at - interval '11 minutes'"


async def linked(doors: Doors, who: Person, subject: str) -> httpx.Response:
    """Link somebody of Google's."""
    token = doors.provider.token(sub=subject)
    return await who.post(LINKS, {"provider": "google", "id_token": token, "nonce": NONCE})


async def code_for(doors: Doors, phone: str) -> str:
    assert (await doors.town.nobody.post("/v1/sign-in/codes", {"phone": phone})).status_code == 202
    inbox = (await doors.town.nobody.get("/dev/inbox")).json()["items"]
    code: str = next(message["code"] for message in inbox if message["to"] == phone)
    return code


async def test_each_way_leads_to_the_same_account(doors: Doors) -> None:
    """A phone number, Google and WeChat: linked one after the other, each signs in to the one account."""
    mei = await signed_in(doors.town)
    before = (await mei.get("/v1/me")).json()
    answer = await linked(doors, mei, "mei")
    assert answer.status_code == 200
    assert answer.headers["etag"]
    doors.provider.wechat = {"code": {"openid": "oMei"}}
    after = (await mei.post(LINKS, {"provider": "wechat", "code": "code"})).json()
    assert {each["provider"] for each in after["identities"]} == {"phone", "google", "wechat"}
    assert after["version"] == before["version"] + 2
    _, by_google = await doors.enter("mei")
    _, by_wechat = await doors.enter_by_wechat("code", {"openid": "oMei"})
    assert {by_google["account_id"], by_wechat["account_id"]} == {str(mei.subject)}


async def test_linking_again_changes_nothing(doors: Doors) -> None:
    """What is linked already is no refusal."""
    mei = await signed_in(doors.town)
    first = await linked(doors, mei, "mei")
    assert (await linked(doors, mei, "mei")).json()["version"] == first.json()["version"]


async def test_what_is_somebody_elses_is_not_taken(doors: Doors) -> None:
    """Proof or not: it stays theirs, and so do both accounts."""
    _, told = await doors.enter("li")
    mei = await signed_in(doors.town)
    problem(await linked(doors, mei, "li"), 409, "identity-taken")
    _, again = await doors.enter("li")
    assert again["account_id"] == told["account_id"]
    assert len((await mei.get("/v1/me")).json()["identities"]) == 1


async def test_two_who_link_the_same_at_once(doors: Doors) -> None:
    """One of them has it then, the other is told."""
    mei, li = await signed_in(doors.town), await signed_in(doors.town)
    tokens = [doors.provider.token(sub="one", jti=str(number)) for number in range(2)]
    answers = await asyncio.gather(
        *(
            who.post(LINKS, {"provider": "google", "id_token": token, "nonce": NONCE})
            for who, token in zip((mei, li), tokens, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_new_phone_number_takes_the_place_of_the_old(doors: Doors) -> None:
    """With the code sent to the new one; the old number signs in to this account no more."""
    mei = await signed_in(doors.town)
    code = await code_for(doors, "+447911000001")
    body = {"provider": "phone", "phone": "+447911000001", "code": code}
    assert (await mei.post(LINKS, body)).json()["identities"] == [{"provider": "phone", "subject": "+447911000001"}]
    problem(await mei.post(LINKS, body), 403, "wrong-code")
    other = await signed_in(doors.town, mei.phone)
    assert other.subject != mei.subject


async def test_an_old_session_links_and_unlinks_nothing(doors: Doors, engine: AsyncEngine) -> None:
    """Whoever found an access token, or refreshes an old session, puts no number of his own in the owner's place."""
    mei, guest = await signed_in(doors.town), await signed_in_as_guest(doors.town)
    await linked(doors, mei, "mei")
    await run(engine, OLD)
    code = await code_for(doors, "+447911000002")
    body = {"provider": "phone", "phone": "+447911000002", "code": code}
    for thief in (mei, await mei.refreshed()):
        problem(await thief.post(LINKS, body), 403, "fresh-sign-in-needed")
        problem(await thief.delete(f"{LINKS}/google"), 403, "fresh-sign-in-needed")
    me = (await mei.get("/v1/me")).json()
    assert {each["subject"] for each in me["identities"]} == {mei.phone, "mei"}
    again = await signed_in(doors.town, mei.phone)
    assert (await again.post(LINKS, body)).status_code == 200  # the code is still good
    assert (await linked(doors, guest, "guest")).status_code == 200


async def test_other_sessions_end_when_a_way_in_is_replaced_or_removed(doors: Doors) -> None:
    """Their access and refresh tokens are good for nothing; the one that asks goes on, and adding ends none."""
    mei = await signed_in(doors.town)
    other = await signed_in(doors.town, mei.phone)
    await linked(doors, mei, "mei")
    assert (await other.get("/v1/me")).status_code == 200
    body = {"provider": "phone", "phone": "+447911000003", "code": await code_for(doors, "+447911000003")}
    assert (await mei.post(LINKS, body)).status_code == 200
    await is_over(doors, other)
    other = await signed_in(doors.town, "+447911000003")
    assert other.subject == mei.subject
    assert (await mei.delete(f"{LINKS}/google")).status_code == 204
    await is_over(doors, other)
    assert (await (await mei.refreshed()).get("/v1/me")).status_code == 200


async def is_over(doors: Doors, session: Member) -> None:
    problem(await session.get("/v1/me"), 401, "not-authenticated")
    refused = await doors.town.nobody.post("/v1/sign-in/refresh", {"refresh_token": session.refresh_token})
    problem(refused, 403, "refresh-token-refused")


async def test_the_last_way_in_stays(doors: Doors) -> None:
    """One can be unlinked while there is another; the last one not, and what is not linked is not there."""
    mei = await signed_in(doors.town)
    problem(await mei.delete(f"{LINKS}/phone"), 409, "last-identity")
    problem(await mei.delete(f"{LINKS}/google"), 404, "identity-not-found")
    problem(await mei.delete(f"{LINKS}/myspace"), 404, "identity-not-found")
    await linked(doors, mei, "mei")
    assert (await mei.delete(f"{LINKS}/phone")).status_code == 204
    problem(await mei.delete(f"{LINKS}/google"), 409, "last-identity")
    assert (await signed_in(doors.town, mei.phone)).subject != mei.subject


async def test_two_unlinkings_at_once_leave_one(doors: Doors) -> None:
    """Each sees the other one, so only one is done."""
    people = [await signed_in(doors.town) for _ in range(8)]
    for mei in people:
        await linked(doors, mei, str(mei.subject))
    answers = await asyncio.gather(
        *(mei.delete(f"{LINKS}/{provider}") for mei in people for provider in ("phone", "google"))
    )
    assert sorted(answer.status_code for answer in answers) == [204] * 8 + [409] * 8
    for mei in people:
        assert len((await mei.get("/v1/me")).json()["identities"]) == 1


async def test_a_guest_who_links_is_one_no_more(doors: Doors) -> None:
    """With a way to sign in the device's account is somebody's; a proof that is known leads to its owner alone."""
    guest, _ = await doors.guest()
    assert (await linked(doors, guest, "mei")).json()["is_guest"] is False
    _, told = await doors.enter("mei")
    assert told["account_id"] == str(guest.subject)
    other, _ = await doors.guest()
    problem(await linked(doors, other, "mei"), 409, "identity-taken")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"provider": "phone", "phone": "+447911123456"}, {"code"}),
        ({"provider": "phone", "code": "123456"}, {"phone"}),
        ({"provider": "phone", "phone": "+447911123456", "code": "12"}, {"code"}),
        ({"provider": "phone", "phone": "12", "code": "123456"}, {"phone"}),
        ({"provider": "email", "phone": "+447911123456", "code": "123456"}, {"phone", "email"}),
        ({"provider": "google", "code": "123456"}, {"code", "id_token", "nonce"}),
        ({"provider": "google", "id_token": "a.b.c", "nonce": "short"}, {"nonce"}),
        ({"provider": "wechat", "code": "with blank"}, {"code"}),
        ({"provider": "wechat", "code": "c", "email": "mei@example.com"}, {"email"}),
        ({"provider": "myspace"}, {"provider"}),
        ({}, {"provider"}),
    ],
)
async def test_what_is_missing_or_too_much_is_named(doors: Doors, body: dict[str, str], wrong: set[str]) -> None:
    """Each provider's proof consists of its own parts."""
    mei = await signed_in(doors.town)
    assert fields(await mei.post(LINKS, body)) == wrong


async def test_a_token_of_no_account_links_nothing(doors: Doors) -> None:
    """From the command line one can act, not sign in."""
    operator = doors.town.person("shopper")
    problem(await linked(doors, operator, "mei"), 404, "account-not-found")
    _, told = await doors.enter("mei")
    assert told["is_new"]
