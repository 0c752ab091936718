"""Applications whose owner has deleted their account: withdrawn for good, whatever was under way."""

import asyncio
from typing import Any

import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.errors import StandingNotPossible
from domain.identity.permissions import StaffRole, Standing
from infra.identity.audit import Actor, ActorKind, Deed
from infra.identity.leaving_work import leave_work, lock_employers
from tests.api.people import Person, Town, problem
from tests.identity.houses import applied, decide
from tests.identity.settled import is_waiting, rows, run
from tests.waiting import eventually

INVITE = {"phone": "+447911123456", "role": "owner"}
LEAVING = Deed(Actor(ActorKind.STAFF), "staff.leave")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"name": "Leaf again", "contact": "me@leaf.example"}),
        ("POST", "/api-keys", {"name": "shop", "scopes": ["orders:read"]}),
        ("POST", "/staff-invites", INVITE),
    ],
)
async def test_whatever_comes_too_late_for_an_application_changes_nothing(  # noqa: PLR0917 - fixtures
    app: Litestar, town: Town, engine: AsyncEngine, method: str, path: str, body: dict[str, Any]
) -> None:
    """Let through before it was withdrawn, and waiting for it: nobody is there any more, nor does anybody come back."""
    house = await applied(app, town)
    async with engine.begin() as withdrawing:
        assert await lock_employers(withdrawing, house.owner.subject) == [house.id]
        asking = asyncio.create_task(house.owner.ask(method, house.path + path, body))
        await eventually(lambda: is_waiting(engine), "the request waits")
        await leave_work(withdrawing, [house.owner.subject], [house.id], LEAVING)
    problem(await asking, 404, "merchant-not-found")
    assert await rows(engine, "SELECT 1 FROM api_keys UNION ALL SELECT 1 FROM staff_invites") == []
    assert await rows(engine, "SELECT name, contact FROM merchants") == [("", "")]


async def test_a_withdrawn_application_stays_so_whatever_is_written(
    app: Litestar, town: Town, engine: AsyncEngine
) -> None:
    """Without an owner it is approved by nobody, and changed by nobody, not even with an operator's token."""
    house = await applied(app, town)
    assert (await house.owner.delete("/v1/me")).status_code == 204
    await run(engine, "UPDATE merchants SET contact = 'me@leaf.example', name = 'Leaf'")
    token = town.issuer.issue(house.id, frozenset({"merchant"}), 60)
    change = await Person(town.client, house.id, token).ask("PATCH", house.path, {"about": "Tea."})
    problem(change, 404, "merchant-not-found")
    with pytest.raises(StandingNotPossible):
        await decide(app, house.id, Standing.APPROVED)


async def test_nobody_works_for_a_withdrawn_application(app: Litestar, town: Town, engine: AsyncEngine) -> None:
    """Whoever was invited to it is out with its owner, at once, and the log says so."""
    house = await applied(app, town)
    editor = await house.hired(StaffRole.EDITOR)
    assert (await house.owner.delete("/v1/me")).status_code == 204
    assert await rows(engine, "SELECT 1 FROM staff") == []
    problem(await editor.get(f"{house.path}/staff"), 401, "not-authenticated")
    assert (await (await editor.refreshed()).get("/v1/me")).json()["merchants"] == []
    told = "SELECT action, thing_id FROM audit WHERE action IN ('staff.leave', 'staff.remove') ORDER BY action"
    assert await rows(engine, told) == [("staff.leave", house.owner.subject), ("staff.remove", editor.subject)]
