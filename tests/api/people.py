"""People who use the API: each has a token and speaks through one client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from infra.settings import Settings
from infra.tokens import TokenIssuer

LIFETIME_S = 600


@dataclass
class Person:
    """A caller; without a token an anonymous one."""

    client: httpx.AsyncClient
    subject: UUID = field(default_factory=uuid4)
    token: str | None = None

    async def ask(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        """Send a request, with a JSON body if given."""
        headers = dict(more.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("authorization", f"Bearer {self.token}")
        if body is not None:
            more["json"] = body
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: object = None, **more: Any) -> httpx.Response:
        return await self.ask("POST", path, body, **more)


class Town:
    """Everybody who may come along, and the deals they trade in."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self.client = client
        self.issuer = TokenIssuer(settings)
        self.nobody = Person(client)
        self.merchant = self.person("merchant")

    def person(self, *roles: str, name: str | None = None, lifetime_s: int = LIFETIME_S) -> Person:
        """Somebody new with these roles."""
        subject = uuid4()
        return Person(self.client, subject, self.issuer.issue(subject, frozenset(roles), lifetime_s, name))

    def shopper(self, name: str | None = None) -> Person:
        return self.person("shopper", name=name)

    async def draft(self, **changes: object) -> dict[str, Any]:
        """A draft of the merchant's."""
        return _body_of(await self.merchant.post("/v1/deals", deal_body(**changes)), 201)

    async def live_deal(self, **changes: object) -> dict[str, Any]:
        """A published deal of the merchant's."""
        deal = await self.draft(**changes)
        return _body_of(await self.merchant.post(f"/v1/deals/{deal['id']}/publish"), 200)

    async def open_group(self, leader: Person | None = None, **changes: object) -> dict[str, Any]:
        """A group of a new live deal, opened by somebody."""
        deal = await self.live_deal(**changes)
        leader = leader or self.shopper()
        return _body_of(await leader.post(f"/v1/deals/{deal['id']}/groups"), 201)


def deal_body(**changes: object) -> dict[str, Any]:
    """A deal nobody could object to, with changes; `...` leaves a field out."""
    body: dict[str, object] = {
        "title": "Jasmine tea, 250 g",
        "currency": "USD",
        "solo_price": 1_200,
        "tiers": [{"participants": 2, "unit_price": 900}, {"participants": 4, "unit_price": 700}],
        "stock": 100,
        "group_size_max": 5,
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def problem(response: httpx.Response, status: int, slug: str) -> Mapping[str, Any]:
    """The problem details of a refusal, which must be of this status and type."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    details: dict[str, Any] = response.json()
    assert details["type"] == f"/problems/{slug}", details
    assert details["status"] == status
    assert details["title"]
    assert details["detail"]
    return details


def fields(response: httpx.Response) -> set[str]:
    """The fields an invalid request names."""
    return {error["field"] for error in problem(response, 422, "invalid-request")["errors"]}


def _body_of(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    return body
