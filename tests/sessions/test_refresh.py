"""Refresh tokens: one successor each, a theft ends the session, and a phone that heard no answer is no thief."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity.refresh_tokens import GRACE_S
from infra.identity.sessions import LIFETIME_MAX_S, LIFETIME_S, LIVE_MAX
from tests.api.people import Town
from tests.sessions.devices import change, move_back, new_device, one_more, value

ENDED_BECAUSE = "SELECT ended_because FROM sessions WHERE id = CAST(:id AS uuid)"
EXPIRES_IN_S = "SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 FROM sessions"


async def test_a_phone_that_heard_no_answer_gets_it_again(town: Town, elsewhere: Town, engine: AsyncEngine) -> None:
    """Until the grace is over, at whichever process; every access token it was given counts."""
    phone = await new_device(town)
    first = (await phone.refresh()).json()
    await move_back(engine, GRACE_S - 2)
    again = (await phone.refresh(elsewhere)).json()
    assert again["refresh_token"] == first["refresh_token"]
    for told in (first, again):
        assert (await town.client.get("/v1/me", headers=_bearer(told))).status_code == 200


async def test_a_token_stolen_and_used_ends_the_session_at_once(
    town: Town, elsewhere: Town, engine: AsyncEngine
) -> None:
    """After the grace a spent token is a theft: the family ends, and with it each access token, in each process."""
    phone = await new_device(town)
    other = await one_more(town, engine, phone)
    kept = await phone.refreshed()
    await move_back(engine, GRACE_S + 1)
    assert not await phone.can_refresh()
    assert not await kept.is_in()
    assert not await phone.is_in()
    await kept.at(elsewhere).until_out()
    assert not await kept.can_refresh()
    assert await value(engine, ENDED_BECAUSE, id=phone.session_id) == "token_reused"
    assert await other.is_in()
    assert await other.can_refresh()


async def test_a_late_copy_of_an_answered_request_gets_nothing_and_ends_nothing(town: Town) -> None:
    """Within the grace, when the successor has been used: the phone had its answer, so nobody is told it again."""
    phone = await new_device(town)
    kept = await (await phone.refreshed()).refreshed()
    assert not await phone.can_refresh()
    assert await kept.is_in()
    assert await kept.can_refresh()


@pytest.mark.parametrize("token", ["", "made up", "\0", "é", "a" * 100])
async def test_a_made_up_token_is_refused(town: Town, token: str) -> None:
    """Nothing that we never gave out is worth anything."""
    answer = await town.client.post("/v1/sign-in/refresh", json={"refresh_token": token})
    assert answer.status_code in {403, 422}, answer.text


async def test_an_access_token_does_not_refresh(town: Town) -> None:
    """It is of another kind."""
    phone = await new_device(town)
    answer = await town.client.post("/v1/sign-in/refresh", json={"refresh_token": phone.token})
    assert answer.status_code in {403, 422}


async def test_refreshes_at_once_have_one_successor(town: Town, elsewhere: Town, engine: AsyncEngine) -> None:
    """However many come in the same moment, all are told the same, and one row is written."""
    phone = await new_device(town)
    answers = await asyncio.gather(*(phone.refresh(at) for at in (town, elsewhere) * 8))
    assert [answer.status_code for answer in answers] == [200] * 16
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert await value(engine, "SELECT count(*) FROM refresh_tokens") == 2


async def test_refresh_against_sign_out(town: Town, elsewhere: Town) -> None:
    """Whichever comes first, once signing out is answered nothing of the session is good, in either process."""
    for _ in range(20):
        phone = await new_device(town)
        refreshing, leaving = phone.refresh(elsewhere), phone.post("/v1/sign-out")
        refreshed, left = await asyncio.gather(refreshing, leaving)
        assert left.status_code == 204
        assert refreshed.status_code in {200, 403}, refreshed.text
        if refreshed.status_code == 200:
            told = refreshed.json()
            assert (await town.client.get("/v1/me", headers=_bearer(told))).status_code == 401
            phone.refresh_token = told["refresh_token"]
        assert not await phone.can_refresh()


async def test_refresh_against_signing_out_everywhere(town: Town, elsewhere: Town, engine: AsyncEngine) -> None:
    """All sessions refresh while all are ended: none of them, and nothing they were given, is good afterwards."""
    phone = await new_device(town)
    phones = [phone, *[await one_more(town, engine, phone) for _ in range(7)]]
    refreshing = [each.refresh(at) for each, at in zip(phones, (town, elsewhere) * 4, strict=True)]
    left, *answers = await asyncio.gather(phone.ask("DELETE", "/v1/me/sessions"), *refreshing)
    assert left.status_code == 204
    for each, answer in zip(phones, answers, strict=True):
        if answer.status_code == 200:
            assert (await town.client.get("/v1/me", headers=_bearer(answer.json()))).status_code == 401
            each.refresh_token = answer.json()["refresh_token"]
        assert not await each.can_refresh()


async def test_nobody_refreshes_for_a_deleted_account(town: Town, engine: AsyncEngine) -> None:
    """Whoever deleted it, and whether or not its sessions were ended."""
    phone = await new_device(town)
    await change(engine, "UPDATE accounts SET status = 'deleted', deleted_at = clock_timestamp()")
    assert not await phone.can_refresh()


async def test_a_session_ends_when_nobody_uses_it(town: Town, engine: AsyncEngine) -> None:
    """Each use gives it the same time again, and a year after the sign-in it is over, however much it is used."""
    phone = await new_device(town)
    await change(engine, "UPDATE sessions SET expires_at = clock_timestamp() + interval '1 min'")
    phone = await phone.refreshed()
    assert LIFETIME_S - 60 < await value(engine, EXPIRES_IN_S) <= LIFETIME_S
    year = f"make_interval(secs => {LIFETIME_MAX_S})"
    await change(engine, f"UPDATE sessions SET created_at = clock_timestamp() - {year} + interval '1 h'")
    phone = await phone.refreshed()
    assert 0 < await value(engine, EXPIRES_IN_S) <= 3600
    await change(engine, "UPDATE sessions SET expires_at = clock_timestamp()")
    assert not await phone.can_refresh()


async def test_the_session_used_longest_ago_makes_room(town: Town, engine: AsyncEngine) -> None:
    """So many are live for one account; the one beyond ends the oldest and its access token, and no other."""
    oldest = await new_device(town)
    second = await one_more(town, engine, oldest)
    newest = [await one_more(town, engine, oldest) for _ in range(LIVE_MAX - 2)][-1]
    assert len((await newest.get("/v1/me/sessions")).json()["items"]) == LIVE_MAX
    assert await oldest.is_in()
    newest = await one_more(town, engine, oldest)
    await oldest.until_out()
    assert not await oldest.can_refresh()
    assert await value(engine, ENDED_BECAUSE, id=oldest.session_id) == "crowded_out"
    assert len((await newest.get("/v1/me/sessions")).json()["items"]) == LIVE_MAX
    assert await second.is_in()


def _bearer(told: dict[str, str]) -> dict[str, str]:
    return {"authorization": f"Bearer {told['access_token']}"}
