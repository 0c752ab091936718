"""Everybody locks in one order: whatever happens at once, nobody waits for somebody who waits for them."""

import asyncio

import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.permissions import StaffRole
from infra.identity.accounts import hold_account
from tests.api.people import Town, problem
from tests.identity.administering import decided, promoted
from tests.identity.houses import applied, approved
from tests.identity.members import signed_in
from tests.identity.settled import is_waiting, rows
from tests.waiting import eventually


@pytest.mark.parametrize("is_linking", [False, True])
async def test_using_a_code_and_deleting_at_once_lock_in_one_order(
    town: Town, engine: AsyncEngine, *, is_linking: bool
) -> None:
    """Both want the account and the code: the deletion comes first, and the code is gone with the account."""
    mei = await signed_in(town)
    await town.nobody.post("/v1/sign-in/codes", {"phone": mei.phone})
    code = (await town.nobody.get("/dev/inbox")).json()["items"][0]["code"]
    async with engine.begin() as holding:
        await hold_account(holding, mei.subject)
        deleting = asyncio.create_task(mei.delete("/v1/me"))
        await eventually(lambda: is_waiting(engine), "the deletion waits")
        body = {"phone": mei.phone, "code": code}
        asked = mei.post("/v1/me/identities", body | {"provider": "phone"}) if is_linking else None
        using = asyncio.create_task(asked or town.nobody.post("/v1/sign-in/code", body))
        await eventually(lambda: is_waiting(engine, 2), "the code waits to be used")
    assert (await deleting).status_code == 204
    problem(await using, *((404, "account-not-found") if is_linking else (403, "wrong-code")))
    assert await rows(engine, "SELECT status FROM accounts") == [("deleted",)]


async def test_signing_in_and_deleting_at_once_is_never_put_off(town: Town) -> None:
    """Many times, by two phones: each is answered for good."""
    for _ in range(15):
        mei = await signed_in(town)
        await town.nobody.post("/v1/sign-in/codes", {"phone": mei.phone})
        code = (await town.nobody.get("/dev/inbox")).json()["items"][0]["code"]
        deleted, came = await asyncio.gather(
            mei.delete("/v1/me"), town.nobody.post("/v1/sign-in/code", {"phone": mei.phone, "code": code})
        )
        assert (deleted.status_code, came.status_code) in {(204, 200), (204, 403)}, (deleted.text, came.text)


async def test_deciding_and_leaving_at_once_lock_people_in_one_order(
    app: Litestar, town: Town, engine: AsyncEngine
) -> None:
    """An administrator goes, with an application somebody works for, while they decide about another of hers."""
    mei = await signed_in(town)
    suspended = await approved(app, town, mei)
    owner = await promoted(engine, await signed_in(town))
    assert mei.subject < owner.subject
    mine = await applied(app, town, owner)
    await mine.hired(StaffRole.EDITOR, await suspended.owner.refreshed())
    async with engine.begin() as holding:
        await hold_account(holding, mei.subject)
        deciding = asyncio.create_task(decided(mine.owner, suspended, "suspend"))
        await eventually(lambda: is_waiting(engine), "the decision waits")
        deleting = asyncio.create_task(mine.owner.delete("/v1/me"))
        await eventually(lambda: is_waiting(engine, 2), "the deletion waits")
    assert [(await deciding).status_code, (await deleting).status_code] == [200, 204]
