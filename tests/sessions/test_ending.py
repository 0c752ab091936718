"""The end of sessions: what is over is over at once, in every process, and what is not goes on."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity import revocations
from infra.identity.administrators import remove_administrator
from infra.identity.revocations import KEPT_S, Revocations, revoke
from infra.ids import new_id
from infra.runtime import Runtime
from infra.settings import Settings
from infra.tokens import LIFETIME_MAX_S, Claims, TokenVerifier
from infra.unavailable import DatabaseUnavailable
from tests.api.people import Town
from tests.sessions.devices import change, new_device, one_more, value
from tests.waiting import eventually

LISTENING = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
LISTENERS = f"SELECT count(*) {LISTENING}"
CUT_OFF = f"SELECT count(pg_terminate_backend(pid)) {LISTENING}"
KEPT_FOR_S = "SELECT max(extract(epoch FROM expires_at - clock_timestamp()))::float8 FROM revocations"


async def test_signing_out_ends_this_session_and_no_other(town: Town, elsewhere: Town, engine: AsyncEngine) -> None:
    """The token it was asked with, and those of before, in each process; other devices stay signed in."""
    phone = await new_device(town)
    tablet = await one_more(town, engine, phone)
    later = await phone.refreshed()
    assert (await later.post("/v1/sign-out")).status_code == 204
    for device in (phone, later):
        assert not await device.is_in()
        await device.at(elsewhere).until_out()
        assert not await device.can_refresh()
    assert (await later.post("/v1/sign-out")).status_code == 401
    assert [await tablet.is_in(), await tablet.at(elsewhere).is_in()] == [True, True]
    assert len((await tablet.get("/v1/me/sessions")).json()["items"]) == 1


async def test_ending_another_session_stops_its_access_tokens(town: Town, elsewhere: Town, engine: AsyncEngine) -> None:
    """A lost phone is signed out from the tablet, at once; a session of somebody else's is not found."""
    phone = await new_device(town)
    tablet, stranger = await one_more(town, engine, phone), await new_device(town)
    path = f"/v1/me/sessions/{phone.session_id}"
    assert (await stranger.ask("DELETE", path)).status_code == 404
    assert await phone.is_in()
    assert (await tablet.at(elsewhere).ask("DELETE", path)).status_code == 204
    assert not await phone.at(elsewhere).is_in()
    await phone.until_out()
    assert await tablet.is_in()
    assert (await tablet.ask("DELETE", path)).status_code == 404


async def test_signing_in_again_at_once_works(town: Town, elsewhere: Town, engine: AsyncEngine) -> None:
    """What is issued after signing out everywhere is good, in the same moment and in each process."""
    phone = await new_device(town)
    for _ in range(5):
        assert (await phone.ask("DELETE", "/v1/me/sessions")).status_code == 204
        assert not await phone.is_in()
        phone = await one_more(town, engine, phone)
        assert [await phone.is_in(), await phone.at(elsewhere).is_in()] == [True, True]


async def test_tokens_from_the_command_line_end_for_good(town: Town, elsewhere: Town, engine: AsyncEngine) -> None:
    """They live for long, so that they ended is kept for long; whatever clock they were issued by."""
    merchant = town.person("merchant", lifetime_s=24 * 3600)
    ahead = town.issuer.issue(merchant.subject, frozenset({"merchant"}), 600, now=datetime.now(UTC).timestamp() + 30)
    other = town.person("merchant", lifetime_s=24 * 3600)
    assert (await merchant.post("/v1/sign-out")).status_code == 204
    assert (await merchant.get("/v1/me/sessions")).status_code == 401
    assert LIFETIME_MAX_S < await value(engine, KEPT_FOR_S) < LIFETIME_MAX_S + 3600
    bearer = {"authorization": f"Bearer {ahead}"}
    for at in (town, elsewhere):
        assert (await at.client.get("/v1/me/sessions", headers=bearer)).status_code == 200
    assert (await town.client.post("/v1/sign-out", headers=bearer)).status_code == 204
    assert (await town.client.get("/v1/me/sessions", headers=bearer)).status_code == 401
    assert (await other.get("/v1/me/sessions")).status_code == 200


@pytest.mark.parametrize("way", ["deleted", "administrator no more", "signed out everywhere"])
async def test_long_lived_tokens_do_not_come_back_to_life(
    town: Town, settings: Settings, engine: AsyncEngine, way: str
) -> None:
    """What is final is so for tokens from the command line too: also when a session's token would long be over."""
    phone = await new_device(town)
    claims = TokenVerifier(settings).verify(town.issuer.issue(phone.subject, frozenset({"shopper"}), 24 * 3600))
    if way == "deleted":
        assert (await phone.ask("DELETE", "/v1/me")).status_code == 204
    elif way == "signed out everywhere":
        assert (await phone.ask("DELETE", "/v1/me/sessions")).status_code == 204
    else:
        await change(engine, "UPDATE accounts SET status = 'full', is_admin = true")
        assert await remove_administrator(engine, phone.subject) == (phone.subject, True)
    await change(engine, "UPDATE revocations SET expires_at = expires_at - interval '23 hours'")
    known = Revocations(engine)
    await known.look()
    assert known.is_revoked(claims)
    assert await value(engine, KEPT_FOR_S) > LIFETIME_MAX_S - 24 * 3600


async def test_what_tokens_say_wrongly_is_kept_for_minutes(town: Town, engine: AsyncEngine) -> None:
    """A new name ends the tokens with the old one, and takes room in memory for no longer than they would live."""
    phone = await new_device(town)
    assert (await phone.ask("PATCH", "/v1/me", {"display_name": "Mei"})).status_code == 200
    assert not await phone.is_in()
    assert KEPT_S - 60 < await value(engine, KEPT_FOR_S) <= KEPT_S


async def test_who_hears_nothing_looks(app: Litestar, town: Town, engine: AsyncEngine) -> None:
    """Cut off from what PostgreSQL tells, a process finds out by itself, and soon listens again."""
    await eventually(lambda: _listeners(engine), "a process that listens")
    phone = await new_device(town)
    assert await value(engine, CUT_OFF) == 1
    async with engine.begin() as connection:
        await revoke(connection, [phone.subject])

    async def is_out() -> bool:
        return not await phone.is_in()

    await eventually(is_out, "the end of the access token", 10 * revocations.LOOK_EVERY_S)
    await eventually(lambda: _listeners(engine), "a process that listens again")
    phone = await new_device(town)
    await eventually(lambda: _listens(app), "word of it")
    async with engine.begin() as connection:
        await revoke(connection, [phone.subject])
    await phone.until_out()


async def test_a_process_looks_before_it_answers(town: Town, engine: AsyncEngine, app: Litestar) -> None:
    """One that starts knows what was ended before; until it has been able to look, nobody with a token is let in."""
    phone = await new_device(town)
    async with engine.begin() as connection:
        await revoke(connection, [phone.subject])
    runtime: Runtime = app.state.runtime
    fresh = Revocations(engine)
    claims = runtime.tokens.verify(phone.token or "")
    with pytest.raises(DatabaseUnavailable):
        fresh.is_revoked(claims)
    await fresh.begin()
    assert fresh.is_revoked(claims)


async def test_a_look_sees_what_came_since_the_last_one(engine: AsyncEngine) -> None:
    """However long ago that was, as for a process that stood still; what it knew by then is not read again."""
    known, was_known, came, then = Revocations(engine), new_id(), new_id(), "at = at - interval '10 minutes'"
    async with engine.begin() as connection:
        before = (await revoke(connection, [was_known], is_final=True))[was_known]
    await change(engine, f"UPDATE revocations SET {then}")
    await known.look()
    async with engine.begin() as connection:
        ended = await revoke(connection, [came])
    await change(engine, f"UPDATE revocations SET {then}, issued_before = issued_before + interval '1 minute'")
    known._looked_at -= 600
    await known.look_for_new()
    assert known.is_revoked(_claims(came, ended[came] + 59))
    assert not known.is_revoked(_claims(was_known, before))
    assert known.is_revoked(_claims(was_known, before - 1e-3))


async def test_what_is_over_is_forgotten(town: Town, engine: AsyncEngine, app: Litestar) -> None:
    """A revocation is kept for an access token's life and a minute; then the process forgets it."""
    phone = await new_device(town)
    assert (await phone.post("/v1/sign-out")).status_code == 204
    assert KEPT_S - 60 < await value(engine, KEPT_FOR_S) <= KEPT_S
    await change(engine, "UPDATE revocations SET expires_at = clock_timestamp()")
    runtime: Runtime = app.state.runtime
    await runtime.revocations.look()
    assert not runtime.revocations.is_revoked(runtime.tokens.verify(phone.token or ""))


async def test_however_many_end_memory_is_bounded(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest are kept as one moment: whoever was to be refused is, and newer tokens are good."""
    monkeypatch.setattr(revocations, "REVOKED_MAX", 10)
    known = Revocations(engine)
    await known.begin()
    ended = [new_id() for _ in range(25)]
    for number, account_id in enumerate(ended):
        known.learn({account_id: 1_000.0 + number})
    assert len(known._issued_before) <= 10
    for number, account_id in enumerate(ended):
        assert known.is_revoked(_claims(account_id, 999.9 + number))
        assert not known.is_revoked(_claims(account_id, 1_030.0))
    assert not known.is_revoked(_claims(new_id(), 1_025.0))


async def test_final_ones_beyond_the_bound_are_refused_all_the_same(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than fit in memory: each is refused, and whoever signed in since is let in."""
    monkeypatch.setattr(revocations, "REVOKED_MAX", 10)
    ended: dict[UUID, float] = {}
    for account_id in (new_id() for _ in range(25)):
        async with engine.begin() as connection:
            ended |= await revoke(connection, [account_id], is_final=True)
    known = Revocations(engine)
    await known.look()
    assert len(known._issued_before) <= 10
    assert all(known.is_revoked(_claims(account_id, before - 1e-3)) for account_id, before in ended.items())
    assert not known.is_revoked(_claims(new_id(), max(ended.values())))


async def test_a_revocation_says_the_time_of_the_database(engine: AsyncEngine) -> None:
    """Not that of the process; a second one never counts from earlier, and word of it that is late changes nothing."""
    account_id = new_id()
    async with engine.begin() as connection:
        before = await value(engine, "SELECT extract(epoch FROM clock_timestamp())::float8")
        first = await revoke(connection, [account_id, account_id])
        second = await revoke(connection, [account_id])
        after = await value(engine, "SELECT extract(epoch FROM clock_timestamp())::float8")
    assert before <= first[account_id] < second[account_id] <= after
    known = Revocations(engine)
    await known.begin()
    known.learn(first)
    assert known.is_revoked(_claims(account_id, second[account_id] - 1e-6))
    assert not known.is_revoked(_claims(account_id, second[account_id]))


def _claims(account_id: UUID, issued_at: float) -> Claims:
    return Claims(account_id, frozenset(), None, issued_at + 600, issued_at)


async def _listeners(engine: AsyncEngine) -> int:
    found: int = await value(engine, LISTENERS)
    return found


async def _listens(app: Litestar) -> bool:
    runtime: Runtime = app.state.runtime
    return runtime.revocations.listens
