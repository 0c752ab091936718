"""Rights that are taken away while a request waits for its turn: it is answered as if it had come afterwards."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.who_may import WHO_MAY, Access
from domain.identity.permissions import Permission, StaffRole, Standing
from infra.identity.audit import Actor, ActorKind
from infra.identity.rights import permissions_of
from tests.api.people import Town, problem
from tests.identity.administering import REASON
from tests.identity.houses import House
from tests.identity.members import Member, signed_in
from tests.identity.settled import is_waiting, merchant_of, rows
from tests.waiting import eventually

_OF_STAFF: Final[dict[str, Any]] = {
    "PATCH /v1/merchants/{merchant_id}": {"about": "Tea."},
    "PATCH /v1/merchants/{merchant_id}/staff/{account_id}": {"role": "analyst"},
    "DELETE /v1/merchants/{merchant_id}/staff/{account_id}": None,
    "POST /v1/merchants/{merchant_id}/staff-invites": {"phone": "+447911123456", "role": "owner"},
    "DELETE /v1/merchants/{merchant_id}/staff-invites/{invite_id}": None,
    "POST /v1/merchants/{merchant_id}/api-keys": {"name": "shop", "scopes": ["orders:read"]},
    "DELETE /v1/merchants/{merchant_id}/api-keys/{key_id}": None,
}
_DECISIONS: Final = {
    "approve": Standing.APPLIED,
    "refuse": Standing.APPLIED,
    "suspend": Standing.APPROVED,
    "reinstate": Standing.SUSPENDED,
}
_REMOVAL = "UPDATE accounts SET is_admin = false WHERE id = :caller"
_STATE = """
  SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL),
    (SELECT count(*) FROM staff_invites WHERE ended_at IS NULL), about, array(
      SELECT role FROM staff WHERE account_id <> :caller ORDER BY role) FROM merchants"""


def test_every_deed_that_is_no_command_is_asked_about_here() -> None:
    """What is done to a merchant, its staff and its keys, and what administrators decide or look for."""
    writes = {Permission.MERCHANT_WRITE, Permission.STAFF_WRITE, Permission.KEYS_WRITE}
    of_staff = {name for name, who in WHO_MAY.items() if who in writes and not name.startswith("GET ")}
    assert of_staff == set(_OF_STAFF)
    of_administrators = {name for name, who in WHO_MAY.items() if who is Access.ADMIN}
    commands_and_the_log = {"POST /v1/admin/groups/{group_id}/cancel", "GET /v1/admin/audit"}
    decisions = {f"POST /v1/admin/merchants/{{merchant_id}}/{decision}" for decision in _DECISIONS}
    looks = {f"GET /v1/admin/{looked_for}" for looked_for in ("merchants", "groups", "orders")}
    assert of_administrators - commands_and_the_log == decisions | looks


@pytest.mark.parametrize("operation", _OF_STAFF)
@pytest.mark.parametrize(
    ("taken", "status", "slug"),
    [
        ("DELETE FROM staff WHERE account_id = :caller", 404, "merchant-not-found"),
        ("UPDATE staff SET role = 'editor' WHERE account_id = :caller", 403, "permission-missing"),
    ],
)
async def test_an_owner_who_is_one_no_more_when_it_is_their_turn_changes_nothing(  # noqa: PLR0917 - fixtures
    house: House, engine: AsyncEngine, operation: str, taken: str, status: int, slug: str
) -> None:
    """Removed, or given another role, while the request waited for the merchant."""
    caller, named = await house.hired(StaffRole.OWNER), await _named(house)
    method, path = operation.format(merchant_id=house.id, **named).split()
    before = await rows(engine, _STATE, caller=caller.subject)
    async with engine.begin() as taking:
        await taking.execute(text("SELECT FROM merchants FOR UPDATE"))
        asking = asyncio.create_task(caller.ask(method, path, _OF_STAFF[operation]))
        await eventually(lambda: is_waiting(engine), "the request waits")
        await taking.execute(text(taken), {"caller": caller.subject})
    problem(await asking, status, slug)
    assert await rows(engine, _STATE, caller=caller.subject) == before


async def test_of_two_owners_who_remove_each_other_one_stays(house: House, engine: AsyncEngine) -> None:
    """Who was removed first removes nobody, though their request was on its way already."""
    ann, ben = await house.hired(StaffRole.OWNER), await house.hired(StaffRole.OWNER)
    async with engine.begin() as holding:
        await holding.execute(text("SELECT FROM merchants FOR UPDATE"))
        first = asyncio.create_task(ann.delete(f"{house.path}/staff/{ben.subject}"))
        await eventually(lambda: is_waiting(engine), "one waits")
        second = asyncio.create_task(ben.delete(f"{house.path}/staff/{ann.subject}"))
        await eventually(lambda: is_waiting(engine, 2), "both wait")
    assert (await first).status_code == 204
    problem(await second, 404, "merchant-not-found")
    left = {row[0] for row in await rows(engine, "SELECT account_id FROM staff")}
    assert left == {house.owner.subject, ann.subject}


@pytest.mark.parametrize("held", ["SELECT FROM merchants FOR UPDATE", _REMOVAL])
@pytest.mark.parametrize(("operation", "standing"), _DECISIONS.items())
async def test_who_is_administrator_no_more_decides_nothing(  # noqa: PLR0917 - fixtures
    admin: Member, town: Town, engine: AsyncEngine, operation: str, standing: Standing, held: str
) -> None:
    """Removed while the decision waited for the merchant, or just then: it is refused."""
    merchant_id = await merchant_of(engine, await signed_in(town), status=standing)
    asked = f"/v1/admin/merchants/{merchant_id}/{operation}"
    await _refused(admin, engine, held, admin.post(asked, REASON if operation in {"refuse", "suspend"} else None))
    assert await rows(engine, "SELECT status FROM merchants") == [(standing,)]


@pytest.mark.parametrize("looked_for", ["merchants", "groups", "orders"])
async def test_who_is_administrator_no_more_sees_nothing(admin: Member, engine: AsyncEngine, looked_for: str) -> None:
    """Removed while the page was being made: it is not shown."""
    await _refused(admin, engine, _REMOVAL, admin.get(f"/v1/admin/{looked_for}"))


async def _refused(admin: Member, engine: AsyncEngine, held: str, asked: Coroutine[Any, Any, Any]) -> None:
    """The request waits for what is held, and meanwhile its sender becomes administrator no more."""
    deeds = await rows(engine, "SELECT count(*) FROM audit")
    async with engine.begin() as removing:
        await removing.execute(text(held), {"caller": admin.subject})
        asking = asyncio.create_task(asked)
        await eventually(lambda: is_waiting(engine), "the request waits")
        await removing.execute(text(_REMOVAL), {"caller": admin.subject})
    problem(await asking, 403, "role-missing")
    assert await rows(engine, "SELECT count(*) FROM audit") == deeds


async def test_a_key_may_what_its_row_says_at_its_own_merchant(house: House, engine: AsyncEngine) -> None:
    """Nothing once it was revoked or has expired, and nothing anywhere else."""
    made = await house.key("orders:read", expires_in_s=3600)
    key = Actor(ActorKind.API_KEY, UUID(made["id"]))
    async with engine.begin() as connection:
        assert await permissions_of(connection, key, house.id) == {Permission.ORDERS_READ}
        assert await permissions_of(connection, key, house.owner.subject) == set()
        for ended in ("revoked_at = clock_timestamp()", "revoked_at = NULL, expires_at = clock_timestamp()"):
            await connection.execute(text(f"UPDATE api_keys SET {ended}"))
            assert await permissions_of(connection, key, house.id) == set()


async def _named(house: House) -> dict[str, Any]:
    """Somebody, an invite and a key of a merchant's, as paths name them."""
    hired, invited = await house.hired(StaffRole.EDITOR), await house.invited("analyst", email="jo@example.com")
    return {"account_id": hired.subject, "invite_id": invited["id"], "key_id": (await house.key("orders:read"))["id"]}
