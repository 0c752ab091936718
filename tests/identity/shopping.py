"""What shoppers do who were guests before: groups joined, lists turned, places counted."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.people import Person
from tests.identity.members import Member, signed_in
from tests.identity.signing_in import Doors

_PLACES = text("""
  SELECT group_id, count(*) FROM participants WHERE shopper_id = ANY(CAST(:ids AS uuid[])) GROUP BY group_id""")


async def known(doors: Doors) -> Member:
    """Somebody with an account and a phone number."""
    return await signed_in(doors.town)


async def join(who: Person, group: dict[str, Any], **body: object) -> dict[str, Any]:
    """A place taken, or found; the answer."""
    answer = await who.post(f"/v1/groups/{group['id']}/participants", body or None)
    assert answer.status_code in {200, 201, 202}, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def listed(who: Person, path: str, key: str = "id") -> list[str]:
    """The ids of a list, turned page by page."""
    page = (await who.get(f"{path}?limit=1")).json()
    found = [item[key] for item in page["items"]]
    while page["next_cursor"]:
        page = (await who.get(f"{path}?limit=1&cursor={page['next_cursor']}")).json()
        found += [item[key] for item in page["items"]]
    return found


async def places(engine: AsyncEngine, *people: Person) -> dict[UUID, int]:
    """How many places each group has of these ids together."""
    async with engine.connect() as connection:
        rows = await connection.execute(_PLACES, {"ids": [person.subject for person in people]})
        return {row[0]: row[1] for row in rows}


async def code_for(doors: Doors, phone: str) -> str:
    """A code that was sent to this number."""
    assert (await doors.town.nobody.post("/v1/sign-in/codes", {"phone": phone})).status_code == 202
    inbox = (await doors.town.nobody.get("/dev/inbox")).json()["items"]
    code: str = next(message["code"] for message in inbox if message["to"] == phone)
    return code
