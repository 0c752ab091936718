"""Merchants' houses: an owner who applied, the platform's word on it, and people who were invited and came."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Litestar

from domain.identity.permissions import StaffRole, Standing
from infra.identity.merchants import set_standing
from infra.runtime import Runtime
from tests.api.people import Town
from tests.identity.members import Member, signed_in

SAID = {"name": "Leaf & Co", "contact": "sales@leaf.example", "country": "GB", "about": "Tea since 1901."}


@dataclass
class House:
    """A merchant, and its owner with an access token that says so."""

    app: Litestar
    town: Town
    id: UUID
    owner: Member

    @property
    def path(self) -> str:
        return f"/v1/merchants/{self.id}"

    async def stands(self, standing: Standing, reason: str | None = None) -> None:
        """The platform decides; the owner's app fetches a token that says so."""
        await decide(self.app, self.id, standing, reason)
        self.owner = await self.owner.refreshed()

    async def invited(self, role: str, **to: str) -> dict[str, Any]:
        """An invite by the owner."""
        answer = await self.owner.post(f"{self.path}/staff-invites", {**to, "role": role})
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def hired(self, role: StaffRole, member: Member | None = None) -> Member:
        """Somebody who was invited and accepted."""
        member = member or await signed_in(self.town)
        made = await self.invited(role, phone=member.phone)
        accepted = await member.post(f"/v1/staff-invites/{made['id']}/accept")
        assert accepted.status_code == 200, accepted.text
        return await member.refreshed()

    async def key(self, *scopes: str, **more: object) -> dict[str, Any]:
        """A new API key."""
        answer = await self.owner.post(f"{self.path}/api-keys", {"name": "shop", "scopes": scopes, **more})
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told


async def applied(app: Litestar, town: Town, owner: Member | None = None, **said: str) -> House:
    """A merchant who may not sell yet."""
    owner = owner or await signed_in(town)
    answer = await owner.post("/v1/merchants", SAID | said)
    assert answer.status_code == 201, answer.text
    return House(app, town, UUID(answer.json()["id"]), await owner.refreshed())


async def approved(app: Litestar, town: Town, owner: Member | None = None) -> House:
    """A merchant who may sell."""
    house = await applied(app, town, owner)
    await house.stands(Standing.APPROVED)
    return house


async def decide(app: Litestar, merchant_id: UUID, standing: Standing, reason: str | None = None) -> None:
    """What an administrator's decision does, in the process that serves."""
    runtime: Runtime = app.state.runtime
    async with runtime.engine.begin() as connection:
        change = await set_standing(connection, merchant_id, standing, reason)
    runtime.revocations.learn(change.revoked)
