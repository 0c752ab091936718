"""People who have signed in with a code, as an app does it."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from tests.api.people import Person, Town

_numbers = count(100_000)


@dataclass
class Member(Person):
    """Somebody with an account; `told` is what signing in was answered with."""

    phone: str = ""
    refresh_token: str = ""

    async def refreshed(self) -> "Member":
        """The same with the tokens that follow."""
        answer = await self.client.post("/v1/sign-in/refresh", json={"refresh_token": self.refresh_token})
        assert answer.status_code == 200, answer.text
        return _member(self.client, answer.json(), self.phone)

    async def patch(self, path: str, body: object, **more: Any) -> Any:
        return await self.ask("PATCH", path, body, **more)

    async def delete(self, path: str) -> Any:
        return await self.ask("DELETE", path)


async def signed_in(town: Town, phone: str | None = None, guest: Person | None = None) -> Member:
    """Somebody, new where no phone is given, signed in by the code that was sent."""
    phone = phone or f"+447911{next(_numbers)}"
    assert (await town.nobody.post("/v1/sign-in/codes", {"phone": phone})).status_code == 202
    inbox = (await town.nobody.get("/dev/inbox")).json()["items"]
    code = next(message["code"] for message in inbox if message["to"] == phone)
    answer = await (guest or town.nobody).post("/v1/sign-in/code", {"phone": phone, "code": code})
    assert answer.status_code == 200, answer.text
    return _member(town.client, answer.json(), phone)


async def signed_in_as_guest(town: Town) -> Member:
    """A device nobody knows the owner of."""
    answer = await town.nobody.post("/v1/sign-in/guest")
    assert answer.status_code == 201, answer.text
    return _member(town.client, answer.json(), "")


def _member(client: Any, told: dict[str, Any], phone: str) -> Member:
    return Member(
        client, UUID(told["account_id"]), told["access_token"], phone=phone, refresh_token=told["refresh_token"]
    )
