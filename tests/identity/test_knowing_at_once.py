"""Whoever lets tokens count no more knows it before it answers, also where PostgreSQL's word of it never comes."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from domain.identity.permissions import StaffRole
from infra.identity import sessions
from infra.identity.accounts import Proof, Provider
from infra.identity.evidence import Evidence
from infra.identity.revocations import Revocations
from infra.identity.sign_in import Arriving
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Person, Town, problem
from tests.identity.administering import decided, promoted
from tests.identity.houses import applied, approved
from tests.identity.members import Member, signed_in, signed_in_as_guest

_LATER = text("""
  INSERT INTO revocations (subject, issued_before, expires_at)
  VALUES (:id, clock_timestamp() + interval '5 seconds', clock_timestamp() + interval '1 hour')
  RETURNING extract(epoch FROM issued_before)::float8""")


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    """An API that looks for revocations once, at its start, and hears of none."""

    async def hear_nothing(_: Revocations) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Revocations, "run", hear_nothing)
    return create_app(settings)


@pytest.fixture
async def town(app: Litestar, settings: Settings) -> AsyncIterator[Town]:
    async with connected(app) as client:
        yield Town(client, settings)


async def test_a_merging_ends_the_tokens_of_both(town: Town) -> None:
    """Of the guest, who is nobody any more, and of the account, which has another id now; the new token says so."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    merged = await signed_in(town, mei.phone, guest)
    for old in (mei, guest):
        problem(await old.get("/v1/me"), 401, "not-authenticated")
    assert (await merged.get("/v1/me")).status_code == 200


async def test_a_merging_tells_all_that_it_ended(town: Town, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guest, the account, and the session for which there was no room."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    crowded_out = runtime.tokens.verify(mei.token or "").session_id
    monkeypatch.setattr(sessions, "LIVE_MAX", 1)
    evidence = Evidence((Proof(Provider.PHONE, mei.phone),), _once)
    tokens = await runtime.sign_in.sign_in(evidence, Arriving(guest.subject))
    assert tokens is not None
    assert set(tokens.revoked) == {guest.subject, mei.subject, crowded_out}


async def test_the_token_of_a_merging_is_the_first_that_counts(
    town: Town, runtime: Runtime, engine: AsyncEngine
) -> None:
    """However late the moment before which tokens count no more: it is of the same millisecond, and good at once."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    async with engine.begin() as connection:
        least: float = (await connection.execute(_LATER, {"id": mei.subject})).scalar_one()
    merged = await signed_in(town, mei.phone, guest)
    assert (await merged.get("/v1/me")).status_code == 200
    issued_at = runtime.tokens.verify(merged.token or "").issued_at
    assert least <= issued_at < least + 0.001


async def test_a_stolen_refresh_token_ends_the_session(town: Town, engine: AsyncEngine) -> None:
    """The access token that the thief, or the owner, still has is refused."""
    mei = await signed_in(town)
    await mei.refreshed()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE refresh_tokens SET spent_at = spent_at - interval '1 minute'"))
    refused = await town.nobody.post("/v1/sign-in/refresh", {"refresh_token": mei.refresh_token})
    problem(refused, 403, "refresh-token-refused")
    problem(await mei.get("/v1/me"), 401, "not-authenticated")


@pytest.mark.parametrize("path", ["/v1/me/sessions", "/v1/me/sessions/{session_id}", "/v1/me"])
async def test_whoever_goes_is_gone(town: Town, runtime: Runtime, path: str) -> None:
    """Signed out, everywhere or here, and deleted."""
    mei = await signed_in(town)
    named = path.format(session_id=runtime.tokens.verify(mei.token or "").session_id)
    assert (await mei.delete(named)).status_code == 204
    problem(await mei.get("/v1/me"), 401, "not-authenticated")


async def test_another_number_ends_the_other_sessions(town: Town) -> None:
    """Whoever has the old phone is out; who replaced it goes on."""
    here = await signed_in(town)
    there = await signed_in(town, here.phone)
    asked = {"phone": "+447911000001"}
    assert (await town.nobody.post("/v1/sign-in/codes", asked)).status_code == 202
    code = (await town.nobody.get("/dev/inbox")).json()["items"][0]["code"]
    linked = await here.post("/v1/me/identities", {**asked, "provider": "phone", "code": code})
    assert linked.status_code == 200, linked.text
    problem(await there.get("/v1/me"), 401, "not-authenticated")
    assert (await here.get("/v1/me")).status_code == 200


async def test_another_name_needs_another_token(town: Town) -> None:
    """A token says what its owner is called."""
    mei = await signed_in(town)
    assert (await mei.patch("/v1/me", {"display_name": "Mei"})).status_code == 200
    problem(await mei.get("/v1/me"), 401, "not-authenticated")


async def test_staff_is_what_it_was_made(app: Litestar, town: Town) -> None:
    """Applied, joined, given another role, removed, left: every time the token of before is refused."""
    house = await approved(app, town, await _whose_token_ends(town))
    mei, ben = await signed_in(town), await signed_in(town)
    for one in (mei, ben):
        assert (await house.hired(StaffRole.EDITOR, one)).token
        problem(await one.get("/v1/me"), 401, "not-authenticated")
    mei, ben = await mei.refreshed(), await ben.refreshed()
    path = f"{house.path}/staff/{mei.subject}"
    assert (await house.owner.ask("PATCH", path, {"role": "analyst"})).status_code == 200
    problem(await mei.get("/v1/orders"), 401, "not-authenticated")
    mei = await mei.refreshed()
    assert (await house.owner.ask("DELETE", path)).status_code == 204
    assert (await ben.delete(f"{house.path}/staff/me")).status_code == 204
    for one in (mei, ben):
        problem(await one.get("/v1/orders"), 401, "not-authenticated")


async def test_keys_end_with_their_revocation_or_their_application(app: Litestar, town: Town) -> None:
    """Though each was found to be good a moment ago."""
    house = await applied(app, town)
    made = [await house.key("orders:read") for _ in range(2)]
    revoked, withdrawn = systems = [Person(town.client, UUID(each["id"]), each["key"]) for each in made]
    assert [(await each.get("/v1/orders")).status_code for each in systems] == [200, 200]
    assert (await house.owner.delete(f"{house.path}/api-keys/{revoked.subject}")).status_code == 204
    problem(await revoked.get("/v1/orders"), 401, "not-authenticated")
    assert (await house.owner.delete("/v1/me")).status_code == 204
    problem(await withdrawn.get("/v1/orders"), 401, "not-authenticated")


async def test_a_decision_reaches_the_merchants_people(app: Litestar, town: Town, engine: AsyncEngine) -> None:
    """Where a merchant stands is in the tokens of its staff."""
    admin, house = await promoted(engine, await signed_in(town)), await approved(app, town)
    assert (await decided(admin, house, "suspend")).status_code == 200
    problem(await house.owner.get("/v1/orders"), 401, "not-authenticated")


async def _whose_token_ends(town: Town) -> Member:
    """Somebody whose token of before they applied for something was refused."""
    mei = await signed_in(town)
    body = {"name": "Another", "contact": "mei@example.com"}
    assert (await mei.post("/v1/merchants", body)).status_code == 201
    problem(await mei.get("/v1/me"), 401, "not-authenticated")
    return await mei.refreshed()


async def _once(_: object) -> bool:
    return True
