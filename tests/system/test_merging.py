"""One guest and two sign-ins through two API processes in the same moment: one account gets all the guest had."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from tests.system.phones import Answer, Phone
from tests.system.rushing import at_once, said
from tests.system.shop import Shop, Shopper
from tests.waiting import eventually

NUMBERS = ("+447911200001", "+447911200002")
ROUNDS = 4
GONE = (401, "not-authenticated")
ADDRESS = {"name": "Mei", "line1": "1 High Street", "city": "London", "country": "GB"}


async def test_a_guest_signed_in_to_two_accounts_at_once_is_one_of_them(
    shop: Shop, doors: list[Phone], database: asyncpg.Connection
) -> None:
    """Promise 6: with both already past the door, both are signed in, and one has the guest's place and address."""
    for phone, number in zip(doors, NUMBERS, strict=True):
        await phone.post("/v1/sign-in/code", body={"phone": number, "code": await code_for(phone, number)})
    for round_ in range(ROUNDS):
        group_id = await shop.group()
        guest = await guest_in(doors[0])
        assert (await guest.join_and_pay(doors[0], group_id)).status == 201
        book: dict[str, object] = {"address": ADDRESS, "label": str(round_)}
        await eventually(partial(writes, doors[1], guest.token, book), "an entry in the book")
        answers = await sign_in_at_once(doors, database, guest)
        assert said(answers) == {(200, ""): 2}
        owner_id = await database.fetchval("SELECT merged_into FROM accounts WHERE id = $1", guest.subject)
        owners = [answer for answer in answers if answer.body["account_id"] == str(owner_id)]
        (other,) = (answer for answer in answers if answer not in owners)
        assert len(owners) == 1
        owner = owners[0].body["access_token"]
        for phone in doors:
            assert (await place(phone, group_id, owner))["status"] == "joined"
            assert await place(phone, group_id, other.body["access_token"]) is None
        labels = [entry["label"] for entry in (await doors[0].get("/v1/me/addresses", owner)).body["items"]]
        assert str(round_) in labels
        await gone_everywhere(doors, guest.token)
        assert await database.fetchval("SELECT count(*) FROM participants WHERE group_id = $1", UUID(group_id)) == 2
        assert await database.fetchval("SELECT count(*) FROM addresses") == round_ + 1


async def writes(phone: Phone, token: str, book: dict[str, object]) -> bool:
    """Whether the address is in the book; a phone asks again where the server could not."""
    return (await phone.post("/v1/me/addresses", token, book)).status == 201


async def guest_in(phone: Phone) -> Shopper:
    """Somebody whose phone is all we know."""
    told = (await phone.post("/v1/sign-in/guest")).body
    return Shopper(UUID(told["account_id"]), told["access_token"])


async def sign_in_at_once(doors: list[Phone], database: asyncpg.Connection, guest: Shopper) -> list[Answer]:
    """The guest signed in to an account at each process; neither goes on before both are about to take the guest."""
    codes = [await code_for(phone, number) for phone, number in zip(doors, NUMBERS, strict=True)]
    async with held(database, guest):
        under_way = asyncio.gather(
            *(
                phone.post("/v1/sign-in/code", guest.token, {"phone": number, "code": code})
                for phone, number, code in zip(doors, NUMBERS, codes, strict=True)
            )
        )

        async def all_wait() -> bool:
            waiting = await database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(waiting >= len(doors))

        await eventually(all_wait, "every sign-in at the guest's row")
    return await under_way


@asynccontextmanager
async def held(database: asyncpg.Connection, guest: Shopper) -> AsyncIterator[None]:
    """Nobody gets past the guest's row before the block ends."""
    async with database.transaction():
        await database.execute("SELECT FROM accounts WHERE id = $1 FOR UPDATE", guest.subject)
        yield


async def code_for(phone: Phone, number: str) -> str:
    assert (await phone.post("/v1/sign-in/codes", body={"phone": number})).status == 202
    items = (await phone.get("/dev/inbox")).body["items"]
    return str(next(item["code"] for item in items if item["to"] == number))


async def place(phone: Phone, group_id: str, token: str) -> Any:
    return (await phone.get(f"/v1/groups/{group_id}", token)).body["you"]


async def gone_everywhere(doors: list[Phone], token: str) -> None:
    async def is_gone() -> bool:
        return said(await at_once([phone.get("/v1/me", token) for phone in doors])).keys() == {GONE}

    await eventually(is_gone, "the end of the guest's token everywhere")
