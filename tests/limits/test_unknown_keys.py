"""API keys that somebody makes up: they reach PostgreSQL so often, and hold up nobody whose key is good."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import event

from api.app import create_app
from domain.identity.limits import UNKNOWN_KEYS
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Person, Town, problem
from tests.identity.houses import approved
from tests.limits.addresses import from_address

FLOODER = from_address("203.0.113.66")
PATH = "/v1/deals"
FAST_S = 3.0
"""Of the five that a look-up is waited for, on a machine with much else to do."""


@pytest.fixture
def app(limited: Settings) -> Litestar:
    return create_app(replace(limited, message_gateway="console"))


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(app) as made:
        yield made


@pytest.fixture
async def key(app: Litestar, town: Town) -> str:
    """A merchant's key that this process does not know yet."""
    house = await approved(app, town)
    told: str = (await house.key("orders:read"))["key"]
    return told


@pytest.fixture
def looked_up(app: Litestar, client: httpx.AsyncClient) -> Iterator[list[str]]:  # noqa: ARG001 - the app runs with it
    """The statements that look for keys, as they are run."""
    runtime: Runtime = app.state.runtime
    engine, seen = runtime.engine.sync_engine, list[str]()

    def see(*told: Any) -> None:
        if "WHERE prefix" in told[2]:
            seen.append(told[2])

    event.listen(engine, "before_cursor_execute", see)
    yield seen
    event.remove(engine, "before_cursor_execute", see)


async def test_made_up_keys_of_one_address_end_in_429(town: Town, looked_up: list[str]) -> None:
    """Each another one: so many look-ups, then none; other addresses are heard."""
    asked = [await _made_up(town, number).get(PATH, headers=FLOODER) for number in range(UNKNOWN_KEYS.quota + 20)]
    assert [answer.status_code for answer in asked] == [401] * UNKNOWN_KEYS.quota + [429] * 20
    assert "keys-address" in problem(asked[-1], 429, "rate-limited")["detail"]
    assert len(looked_up) == UNKNOWN_KEYS.quota
    elsewhere = await _made_up(town, 1_000_000).get(PATH, headers=from_address("203.0.113.67"))
    problem(elsewhere, 401, "not-authenticated")


async def test_a_good_key_is_heard_while_others_are_made_up(town: Town, key: str) -> None:
    """From elsewhere at once, in the middle of a flood; once known, also from the very address of the flood."""
    merchant = Person(town.client, token=key)
    flood = [
        asyncio.create_task(_made_up(town, number).get(PATH, headers=FLOODER))
        for number in range(UNKNOWN_KEYS.quota + 50)
    ]
    await asyncio.sleep(0)  # one turn of the loop: they are on their way
    async with asyncio.timeout(FAST_S):
        assert (await merchant.get(PATH, headers=from_address("203.0.113.67"))).status_code == 200
    statuses = [answer.status_code for answer in await asyncio.gather(*flood)]
    assert (statuses.count(401), statuses.count(429)) == (UNKNOWN_KEYS.quota, 50)
    for _ in range(5):
        assert (await merchant.get(PATH, headers=FLOODER)).status_code == 200


async def test_where_nobody_looks_at_keys_none_is_counted(town: Town) -> None:
    """A probe that sends one is a probe."""
    asked = [await _made_up(town, 1).get("/healthz", headers=FLOODER) for _ in range(UNKNOWN_KEYS.quota + 1)]
    assert {answer.status_code for answer in asked} == {200}


def _made_up(town: Town, number: int) -> Person:
    return Person(town.client, token=f"tuan_sk_{number:012x}_{'A' * 43}")
