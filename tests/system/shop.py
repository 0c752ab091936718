"""A merchant's deals and the shoppers who come for them, spoken for through HTTP."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID, uuid4

from infra.settings import Settings
from infra.tokens import TokenIssuer
from tests.api.people import deal_body
from tests.system.phones import Answer, Phone

TOKEN_LIFETIME_S = 3600
AWAITED = 202
ASKS_AGAIN_AFTER_S = 0.1
ENDLESS = 100_000
"""Places of a group that is not to be filled, and units that are not to run out."""


@dataclass(frozen=True, slots=True)
class Shopper:
    """Somebody with a token."""

    subject: UUID
    token: str

    async def join(self, phone: Phone, group_id: str, **body: object) -> Answer:
        return await phone.post(f"/v1/groups/{group_id}/participants", self.token, body or None)

    async def join_and_pay(self, phone: Phone, group_id: str, **body: object) -> Answer:
        """As `join`, asked again as long as the payment is under way: another request of the same shopper makes it."""
        answer = await self.join(phone, group_id, **body)
        while answer.status == AWAITED:
            await asyncio.sleep(ASKS_AGAIN_AFTER_S)
            answer = await self.join(phone, group_id, **body)
        return answer

    async def open(self, phone: Phone, deal_id: str, key: str | None = None, **body: object) -> Answer:
        return await phone.post(f"/v1/deals/{deal_id}/groups", self.token, body or None, key)

    async def look(self, phone: Phone, group_id: str) -> dict[str, Any]:
        """The group as this shopper sees it."""
        return _body(await phone.get(f"/v1/groups/{group_id}", self.token), 200)


class Shop:
    """A merchant, and a street full of shoppers; deals are made through the first phone."""

    def __init__(self, issuer: TokenIssuer, phones: Sequence[Phone]) -> None:
        self.phones = phones
        self.deal_ids: list[str] = []
        self._issuer = issuer
        self._merchant = self._token(uuid4(), "merchant")

    @classmethod
    def of(cls, settings: Settings, phones: Sequence[Phone]) -> Self:
        return cls(TokenIssuer(settings), phones)

    def shopper(self) -> Shopper:
        subject = uuid4()
        return Shopper(subject, self._token(subject, "shopper"))

    def shoppers(self, count: int) -> list[Shopper]:
        return [self.shopper() for _ in range(count)]

    async def draft(self, phone: Phone, changes: Mapping[str, object], key: str | None = None) -> Answer:
        """The answer to creating a deal."""
        return await phone.post("/v1/deals", self._merchant, deal_body(**{"stock": ENDLESS, **changes}), key)

    async def deal(self, **changes: object) -> str:
        """The id of a live deal."""
        phone = self.phones[0]
        deal_id = str(_body(await self.draft(phone, changes), 201)["id"])
        _body(await phone.post(f"/v1/deals/{deal_id}/publish", self._merchant), 200)
        self.deal_ids.append(deal_id)
        return deal_id

    async def group(self, deal_id: str | None = None, leader: Shopper | None = None, **changes: object) -> str:
        """The id of a group that its leader opened, of this deal or of a new one."""
        deal_id = deal_id or await self.deal(**changes)
        return str(_body(await (leader or self.shopper()).open(self.phones[0], deal_id), 201)["id"])

    async def crowd(self, **changes: object) -> str:
        """The id of the one group of a new crowd deal: nobody is in it."""
        deal_id = await self.deal(grouping="crowd", **changes)
        return str(_body(await self.phones[0].get(f"/v1/deals/{deal_id}"), 200)["crowd_group_id"])

    def _token(self, subject: UUID, role: str) -> str:
        return self._issuer.issue(subject, frozenset({role}), TOKEN_LIFETIME_S)


def _body(answer: Answer, status: int) -> dict[str, Any]:
    assert answer.status == status, answer
    body: dict[str, Any] = answer.body
    return body
