"""What administrators do, and reading the lists they and merchants see to the end."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity.accounts import Proof, Provider
from infra.identity.administrators import make_administrator
from tests.api.people import Person, deal_body
from tests.identity.houses import House
from tests.identity.members import Member

REASON = {"reason": "Counterfeit goods."}
TEAM = {"tiers": [{"participants": 3, "unit_price": 900}], "group_size_max": 5}


async def promoted(engine: AsyncEngine, member: Member) -> Member:
    await make_administrator(engine, Proof(Provider.PHONE, member.phone))
    return await member.refreshed()


async def decided(admin: Member, house: House, decision: str) -> Any:
    """An administrator's decision about a merchant, with a reason where one is asked for."""
    body = REASON if decision in {"refuse", "suspend"} else None
    return await admin.post(f"/v1/admin/merchants/{house.id}/{decision}", body)


async def live_deal(owner: Member) -> UUID:
    """A published deal of a merchant's."""
    deal = (await owner.post("/v1/deals", deal_body(**TEAM))).json()["id"]
    assert (await owner.post(f"/v1/deals/{deal}/publish")).status_code == 200
    return UUID(deal)


async def read(who: Person, path: str, **query: str) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    while True:
        address = str(who.client.base_url.join(path).copy_merge_params(query))
        answer = await who.get(address)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


async def ids(who: Person, path: str, **query: str) -> list[Any]:
    return [item["id"] for item in await read(who, path, **query)]
