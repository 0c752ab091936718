"""Signing in over HTTP: codes, guests, tokens that follow from those before, and the end of sessions."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.people import Person, Town, deal_body, problem

PHONE = "+447911123456"
BY_PHONE = {"phone": PHONE}


async def code_for(town: Town, to: dict[str, str]) -> str:
    """The code that was sent there last."""
    assert (await town.nobody.post("/v1/sign-in/codes", to)).status_code == 202
    newest: dict[str, str] = (await town.nobody.get("/dev/inbox")).json()["items"][0]
    assert newest["to"] in to.values()
    return newest["code"]


async def signed_in(town: Town, to: dict[str, str], guest: Person | None = None) -> tuple[Person, dict[str, Any]]:
    """Somebody who signed in with a code, and what they were told."""
    answer = await (guest or town.nobody).post("/v1/sign-in/code", {**to, "code": await code_for(town, to)})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return Person(town.client, told["account_id"], told["access_token"]), told


@pytest.mark.parametrize("to", [BY_PHONE, {"email": "mei@example.com"}])
async def test_a_code_signs_in_and_the_same_person_comes_back(town: Town, to: dict[str, str]) -> None:
    """The first time makes an account, the second finds it, and its token joins groups."""
    mei, told = await signed_in(town, to)
    assert (told["is_new"], told["is_guest"], told["expires_in"]) == (True, False, 600)
    group = await town.open_group()
    assert (await mei.post(f"/v1/groups/{group['id']}/participants")).status_code == 201
    again, told_again = await signed_in(town, to)
    assert (told_again["is_new"], told_again["account_id"]) == (False, told["account_id"])
    assert len((await again.get("/v1/me/groups")).json()["items"]) == 1


async def test_a_guest_becomes_somebody_and_keeps_all(town: Town) -> None:
    """A device joins as a guest; the code's account is the guest's, with its groups."""
    told = (await town.nobody.post("/v1/sign-in/guest", {"device": "a phone"})).json()
    guest = Person(town.client, told["account_id"], told["access_token"])
    group = await town.open_group()
    assert (await guest.post(f"/v1/groups/{group['id']}/participants")).status_code == 201
    mei, full = await signed_in(town, BY_PHONE, guest)
    assert (full["account_id"], full["is_guest"]) == (told["account_id"], False)
    assert len((await mei.get("/v1/me/groups")).json()["items"]) == 1


async def test_a_refresh_token_is_spent_once(town: Town) -> None:
    """Sent twice at once it has one successor; sent again after that was used, and late, it ends the session."""
    _, told = await signed_in(town, BY_PHONE)
    first = await _refreshed(town, told["refresh_token"])
    assert first == await _refreshed(town, told["refresh_token"])
    await _refreshed(town, first)
    problem(await town.nobody.post("/v1/sign-in/refresh", {"refresh_token": "made up"}), 403, "refresh-token-refused")


async def test_signing_out_everywhere_ends_all_at_once(town: Town) -> None:
    """Neither the access tokens nor the refresh tokens of any session are good for anything any more."""
    here, told_here = await signed_in(town, BY_PHONE)
    there, told_there = await signed_in(town, BY_PHONE)
    assert len((await here.get("/v1/me/sessions")).json()["items"]) == 2
    assert (await here.ask("DELETE", "/v1/me/sessions")).status_code == 204
    for person, told in ((here, told_here), (there, told_there)):
        problem(await person.get("/v1/me"), 401, "not-authenticated")
        asked = {"refresh_token": told["refresh_token"]}
        problem(await town.nobody.post("/v1/sign-in/refresh", asked), 403, "refresh-token-refused")
    back, _ = await signed_in(town, BY_PHONE)
    assert (await back.get("/v1/me")).json()["identities"] == [{"provider": "phone", "subject": PHONE}]


async def test_five_tries_and_no_more(town: Town) -> None:
    """After five wrong guesses the right one is wrong too."""
    code = await code_for(town, BY_PHONE)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        problem(await town.nobody.post("/v1/sign-in/code", {"phone": PHONE, "code": wrong}), 403, "wrong-code")
    problem(await town.nobody.post("/v1/sign-in/code", {"phone": PHONE, "code": code}), 403, "wrong-code")


async def test_a_shopper_is_no_merchant(town: Town) -> None:
    """An account of nobody's staff writes no deals."""
    mei, _ = await signed_in(town, BY_PHONE)
    problem(await mei.post("/v1/deals", deal_body()), 403, "role-missing")


async def _refreshed(town: Town, refresh_token: str) -> str:
    answer = await town.nobody.post("/v1/sign-in/refresh", {"refresh_token": refresh_token})
    assert answer.status_code == 200, answer.text
    successor: str = answer.json()["refresh_token"]
    return successor


async def test_whoever_signs_out_while_a_body_comes_did_not_send_it(town: Town) -> None:
    """The caller counts when the body is whole: a body kept back keeps no right alive."""
    mei, _ = await signed_in(town, BY_PHONE)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"display'
        assert (await mei.ask("DELETE", "/v1/me/sessions")).status_code == 204
        yield b'_name": "Somebody else"}'

    headers = {"authorization": f"Bearer {mei.token}", "content-type": "application/json"}
    answer = await town.client.patch("/v1/me", content=slowly(), headers=headers)
    problem(answer, 401, "not-authenticated")
