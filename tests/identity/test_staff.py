"""A merchant's staff: given roles, removed; and never without an owner, whatever comes at once."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.permissions import StaffRole, Standing
from tests.api.people import deal_body, fields, problem
from tests.identity.houses import House


async def test_another_role_counts_at_once(house: House) -> None:
    """The token from before is refused, the next one may what the new role may."""
    mei = await house.hired(StaffRole.EDITOR)
    path = f"{house.path}/staff/{mei.subject}"
    assert (await house.owner.ask("PATCH", path, {"role": "analyst"})).json()["role"] == "analyst"
    problem(await mei.post("/v1/deals", deal_body()), 401, "not-authenticated")
    mei = await mei.refreshed()
    problem(await mei.post("/v1/deals", deal_body()), 403, "permission-missing")
    assert (await house.owner.ask("PATCH", path, {"role": "analyst"})).status_code == 200
    assert (await mei.get("/v1/me")).status_code == 200, "the same again ends no token"
    problem(await house.owner.ask("PATCH", f"{house.path}/staff/{house.id}", {"role": "owner"}), 404, "staff-not-found")
    assert fields(await house.owner.ask("PATCH", path, {"role": "king"})) == {"role"}


async def test_who_is_removed_or_leaves_is_out_at_once(house: House) -> None:
    """Neither the token they have nor any that follows reaches the merchant."""
    removed, leaves = await house.hired(StaffRole.FULFILMENT), await house.hired(StaffRole.ANALYST)
    assert (await house.owner.ask("DELETE", f"{house.path}/staff/{removed.subject}")).status_code == 204
    assert (await leaves.ask("DELETE", f"{house.path}/staff/me")).status_code == 204
    for person in (removed, leaves):
        problem(await person.get("/v1/orders"), 401, "not-authenticated")
        problem(await (await person.refreshed()).get("/v1/orders"), 403, "role-missing")
    problem(await house.owner.ask("DELETE", f"{house.path}/staff/{removed.subject}"), 404, "staff-not-found")


async def test_a_merchant_is_never_without_an_owner(house: House) -> None:
    """The last one can neither leave, nor be removed, nor become anything else; then there is another."""
    own = f"{house.path}/staff/{house.owner.subject}"
    problem(await house.owner.ask("DELETE", f"{house.path}/staff/me"), 409, "last-owner")
    problem(await house.owner.ask("DELETE", own), 409, "last-owner")
    problem(await house.owner.ask("PATCH", own, {"role": "editor"}), 409, "last-owner")
    assert (await house.owner.get(house.path)).status_code == 200
    await house.hired(StaffRole.OWNER)
    assert (await house.owner.ask("PATCH", own, {"role": "editor"})).status_code == 200


async def test_owners_who_remove_each_other_at_once_leave_one(house: House, engine: AsyncEngine) -> None:
    """Three owners, each removing the others, leaving and stepping down in the same moment."""
    owners = [house.owner, await house.hired(StaffRole.OWNER), await house.hired(StaffRole.OWNER)]
    asked = [
        one.ask("DELETE", f"{house.path}/staff/{other.subject}") for one in owners for other in owners if one != other
    ]
    asked += [one.ask("DELETE", f"{house.path}/staff/me") for one in owners]
    asked += [one.ask("PATCH", f"{house.path}/staff/{one.subject}", {"role": "analyst"}) for one in owners]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} <= {200, 204, 401, 404, 409}
    async with engine.connect() as connection:
        left = text("SELECT count(*) FROM staff WHERE role = 'owner'")
        assert (await connection.execute(left)).scalar_one() == 1


async def test_people_come_and_go_at_once_and_nobody_waits_for_ever(house: House) -> None:
    """Accepting, removing and deciding lock in one order: no two of them wait for each other."""
    for _ in range(10):
        mei = await house.hired(StaffRole.ANALYST)
        made = await house.invited("editor", phone=mei.phone)
        answers = await asyncio.gather(
            mei.post(f"/v1/staff-invites/{made['id']}/accept"),
            house.owner.ask("DELETE", f"{house.path}/staff/{mei.subject}"),
            mei.post("/v1/merchants", {"name": "Mine", "contact": "me@example.com"}),
        )
        assert {answer.status_code for answer in answers} <= {200, 201, 204, 401}


async def test_an_account_is_deleted_while_its_employment_changes(house: House) -> None:
    """Whoever goes is gone from the staff, and no two of them wait for each other."""
    for _ in range(10):
        mei = await house.hired(StaffRole.ANALYST)
        answers = await asyncio.gather(
            house.owner.ask("PATCH", f"{house.path}/staff/{mei.subject}", {"role": "editor"}),
            mei.ask("DELETE", "/v1/me"),
            house.owner.ask("PATCH", f"{house.path}/staff/{mei.subject}", {"role": "fulfilment"}),
        )
        assert {answer.status_code for answer in answers} <= {200, 204, 401, 404}


async def test_standing_and_staff_are_told_apart(house: House) -> None:
    """Staff of a suspended merchant still come and go: its people have orders to send."""
    await house.stands(Standing.SUSPENDED)
    assert (await (await house.hired(StaffRole.FULFILMENT)).get("/v1/orders")).status_code == 200
