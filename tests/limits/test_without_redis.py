"""Redis killed: what strangers could abuse is shut, what people came for goes on, and all by itself it is as before."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import psutil
import pytest

from api.app import create_app
from infra.embedded.place import Place
from infra.embedded.valkey import EmbeddedValkey
from infra.limits.limiter import ANSWER_WITHIN_S
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Town, problem
from tests.limits.addresses import from_address, phone
from tests.waiting import eventually

JOINS = 100
FROM = from_address("203.0.113.1")


@pytest.fixture
async def client(limited: Settings, own_place: Place, own_valkey: EmbeddedValkey) -> AsyncIterator[httpx.AsyncClient]:
    """The API on a Valkey that is gone by now."""
    async with connected(create_app(replace(limited, redis_url=own_place.redis_url))) as made:
        await made.get("/v1/deals", headers=FROM)
        own_valkey.stop()
        yield made


async def test_codes_and_sign_in_are_shut_and_come_back(town: Town, own_valkey: EmbeddedValkey) -> None:
    """503 that says when to try again; nobody sends messages or tries codes that nobody counts."""
    for path in ("codes", "code", "guest"):
        refused = await town.nobody.post(f"/v1/sign-in/{path}", phone(1), headers=FROM)
        problem(refused, 503, "limits-unavailable")
        assert int(refused.headers["retry-after"]) >= 1
    for path in ("codes", "code", "guest"):  # the machine itself has no address to count, but nobody counts the number
        problem(await town.nobody.post(f"/v1/sign-in/{path}", phone(1)), 503, "limits-unavailable")
    own_valkey.start()

    async def is_sent() -> bool:
        return (await town.nobody.post("/v1/sign-in/codes", phone(1), headers=FROM)).status_code == 202

    await eventually(is_sent, "codes are sent again")


async def test_whoever_is_signed_in_stays_so(town: Town) -> None:
    """Refreshing is looked at as ever: without it nobody could join ten minutes later."""
    refused = await town.nobody.post("/v1/sign-in/refresh", {"refresh_token": "made up"}, headers=FROM)
    problem(refused, 403, "refresh-token-refused")


async def test_a_redis_that_hangs_holds_up_few(limited: Settings, own_place: Place, own_valkey: EmbeddedValkey) -> None:
    """It is waited for once and then not for a while: two hundred reads take far less than two hundred waits."""
    assert own_valkey.process_id is not None
    async with connected(create_app(replace(limited, redis_url=own_place.redis_url))) as client:
        await client.get("/v1/deals", headers=FROM)
        server = psutil.Process(own_valkey.process_id)
        server.suspend()
        try:
            async with asyncio.timeout(200 * ANSWER_WITHIN_S / 3):
                answers = [await client.get("/v1/deals", headers=FROM) for _ in range(200)]
        finally:
            server.resume()
    assert {answer.status_code for answer in answers} == {200}


async def test_joins_and_reads_go_on_and_are_counted_here(town: Town) -> None:
    """Each process counts for itself: exactly the quota, then 429."""
    group = await town.open_group(group_size_max=1_000, stock=1_000)
    path = f"/v1/groups/{group['id']}"
    shopper = town.shopper()
    assert (await town.nobody.get(path, headers=FROM)).status_code == 200
    answers = [await shopper.post(f"{path}/participants", headers=FROM) for _ in range(JOINS + 1)]
    assert [answer.status_code for answer in answers] == [201] + [200] * (JOINS - 1) + [429]
    assert "ratelimit" in answers[0].headers
