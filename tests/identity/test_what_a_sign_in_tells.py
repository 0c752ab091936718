"""Signing in: what is told of whoever came, what the session is called, and what the access token says."""

import time

import httpx

from infra.identity.recipients import phone_recipient
from infra.identity.sign_in import Arriving
from infra.runtime import Runtime
from infra.tokens import TokenIssuer
from tests.api.people import Person, Town
from tests.identity.members import signed_in, signed_in_as_guest
from tests.identity.signing_in import Doors


async def test_a_device_is_a_new_guest_with_a_session_of_its_name(closed_doors: Doors) -> None:
    """Nobody was asked who it is; the list of sessions says which device it was."""
    guest, told = closed_doors.let_in(await closed_doors.town.nobody.post("/v1/sign-in/guest", {"device": "Tablet"}))
    assert (told["is_new"], told["is_guest"], told["token_type"], told["expires_in"]) == (True, True, "Bearer", 600)
    assert await _devices(guest) == ["Tablet"]
    assert [each["id"] for each in (await guest.get("/v1/me/sessions")).json()["items"]] == [told["session_id"]]


async def test_somebody_new_is_called_what_they_said(closed_doors: Doors, runtime: Runtime) -> None:
    """The profile, the session and the access token say it, also after refreshing; the next sign-in renames nobody."""
    town, phone = closed_doors.town, "+447911000002"
    mei, told = closed_doors.let_in(await _by_code(town, phone, device="Phone", display_name="Mei"))
    assert ((await mei.get("/v1/me")).json()["display_name"], await _devices(mei)) == ("Mei", ["Phone"])
    refreshed = await town.nobody.post("/v1/sign-in/refresh", {"refresh_token": told["refresh_token"]})
    again, _ = closed_doors.let_in(await _by_code(town, phone, display_name="Somebody else"))
    tokens = (mei.token, refreshed.json()["access_token"], again.token)
    assert [runtime.tokens.verify(str(token)).name for token in tokens] == ["Mei"] * 3
    assert (refreshed.json()["session_id"], refreshed.json()["is_new"]) == (told["session_id"], False)


async def test_a_token_is_of_the_databases_time(town: Town, runtime: Runtime) -> None:
    """A process whose clock is behind lets people in all the same whose tokens of before were ended a moment ago."""
    runtime.sign_in._signing = TokenIssuer(runtime.settings, runtime.sign_in._keys, lambda: time.time() - 30)
    mei = await signed_in(town)
    assert (await mei.delete("/v1/me/sessions")).status_code == 204
    back = await signed_in(town, mei.phone)
    assert (await back.get("/v1/me")).status_code == 200


async def test_no_cache_keeps_tokens(closed_doors: Doors) -> None:
    """Whoever reads a proxy's disk finds no way in (RFC 6749, 5.1)."""
    town = closed_doors.town
    answers = [await town.nobody.post("/v1/sign-in/guest"), await _by_code(town, "+447911000003")]
    refresh_token = answers[0].json()["refresh_token"]
    answers.append(await town.nobody.post("/v1/sign-in/refresh", {"refresh_token": refresh_token}))
    assert [(each.is_success, each.headers["cache-control"]) for each in answers] == [(True, "no-store")] * 3


async def test_a_right_code_lets_one_in_of_all_who_sent_it(town: Town, runtime: Runtime) -> None:
    """Both were right before either had signed in: the second has no session, and who they were stays as it is."""
    recipient = phone_recipient("+447911000004")
    assert (await town.nobody.post("/v1/sign-in/codes", {"phone": recipient.address})).status_code == 202
    code = (await town.nobody.get("/dev/inbox")).json()["items"][0]["code"]
    first, second = [await runtime.sign_in.by_code(recipient, code) for _ in range(2)]
    assert first is not None
    assert second is not None
    tokens = await runtime.sign_in.sign_in(second, Arriving())
    assert tokens is not None
    guest = await signed_in_as_guest(town)
    assert await runtime.sign_in.sign_in(first, Arriving(guest.subject)) is None
    assert (await guest.get("/v1/me")).json()["is_guest"] is True
    assert len(await _devices(Person(town.client, tokens.account.id, tokens.access_token))) == 1


async def _by_code(town: Town, phone: str, **named: str) -> httpx.Response:
    assert (await town.nobody.post("/v1/sign-in/codes", {"phone": phone})).status_code == 202
    code = (await town.nobody.get("/dev/inbox")).json()["items"][0]["code"]
    return await town.nobody.post("/v1/sign-in/code", {"phone": phone, "code": code, **named})


async def _devices(who: Person) -> list[str | None]:
    return [each["device"] for each in (await who.get("/v1/me/sessions")).json()["items"]]
