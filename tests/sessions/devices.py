"""A phone's session, as its app keeps it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity.accounts import read_account
from infra.identity.revocations import LOOK_WHILE_LISTENING_EVERY_S
from infra.identity.sessions import open_session
from tests.api.people import Person, Town, problem
from tests.waiting import eventually


@dataclass
class Device(Person):
    """Somebody's phone with its tokens."""

    session_id: str = ""
    refresh_token: str = ""

    async def refresh(self, at: Town | None = None) -> Any:
        """Ask for the next tokens, here or at another process."""
        client = self.client if at is None else at.client
        return await client.post("/v1/sign-in/refresh", json={"refresh_token": self.refresh_token})

    async def refreshed(self) -> "Device":
        """The same with the tokens that follow."""
        answer = await self.refresh()
        assert answer.status_code == 200, answer.text
        return device_of(self.client, answer.json())

    def at(self, town: Town) -> "Device":
        """The same phone, speaking to another process."""
        return Device(town.client, self.subject, self.token, self.session_id, self.refresh_token)

    async def is_in(self) -> bool:
        """Whether its access token counts; what does not must be told as RFC 6750 says."""
        answer = await self.get("/v1/me/groups")
        if answer.status_code == 401:
            assert "invalid_token" in answer.headers["www-authenticate"]
            problem(answer, 401, "not-authenticated")
        else:
            assert answer.status_code == 200, answer.text
        return bool(answer.status_code == 200)

    async def until_out(self) -> None:
        """Wait for the end of its access token: for longer than it takes to be told, not until somebody looks."""

        async def is_out() -> bool:
            return not await self.is_in()

        await eventually(is_out, "the end of an access token", 0.75 * LOOK_WHILE_LISTENING_EVERY_S)

    async def can_refresh(self) -> bool:
        """Whether its refresh token is of use; asking spends it."""
        answer = await self.refresh()
        if answer.status_code != 200:
            problem(answer, 403, "refresh-token-refused")
        return bool(answer.status_code == 200)


def device_of(client: Any, told: dict[str, Any]) -> Device:
    """What the answer to a sign-in gave to it."""
    account_id, access_token = UUID(told["account_id"]), told["access_token"]
    return Device(client, account_id, access_token, told["session_id"], told["refresh_token"])


async def new_device(town: Town) -> Device:
    """A device signed in as a guest."""
    answer = await town.nobody.post("/v1/sign-in/guest")
    assert answer.status_code == 201, answer.text
    return device_of(town.client, answer.json())


async def one_more(town: Town, engine: AsyncEngine, of: Device) -> Device:
    """Another session of the same account, with the tokens of its first refresh."""
    async with engine.begin() as connection:
        session = await open_session(connection, await read_account(connection, of.subject), "another")
    begun = Device(town.client, of.subject, None, str(session.id), session.refresh_token)
    return await begun.refreshed()


async def move_back(engine: AsyncEngine, seconds: float) -> None:
    """Let so much time pass for every refresh token that was spent."""
    async with engine.begin() as connection:
        moving = "UPDATE refresh_tokens SET spent_at = spent_at - make_interval(secs => :seconds)"
        await connection.execute(text(moving), {"seconds": seconds})


async def value(engine: AsyncEngine, question: str, **parameters: object) -> Any:
    """The one value that answers a question."""
    async with engine.connect() as connection:
        return (await connection.execute(text(question), parameters)).scalar_one()


async def change(engine: AsyncEngine, statement: str, **parameters: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), parameters)
