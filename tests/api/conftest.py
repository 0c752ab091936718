"""The API on real servers, spoken to in the same process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from api.app import create_app
from infra.runtime import Runtime
from infra.settings import Settings, read_settings
from tests.api.people import Town
from tests.money_shop import MoneyShop


@pytest.fixture
def app(settings: Settings) -> Litestar:
    return app_with(settings)


def app_with(settings: Settings) -> Litestar:
    """The app, put together once for tests of the same headers and limits: everything else comes when it starts."""
    made = _app_of(settings.rate_limits, settings.hsts_s, settings.cors_origins)
    made.state = State({"settings": settings})
    return made


@cache
def _app_of(rate_limits: bool, hsts_s: int, cors_origins: tuple[str, ...]) -> Litestar:  # noqa: FBT001 - named by its only caller
    return create_app(replace(read_settings({}), rate_limits=rate_limits, hsts_s=hsts_s, cors_origins=cors_origins))


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(app) as made:
        yield made


@pytest.fixture
async def town(client: httpx.AsyncClient, settings: Settings) -> Town:
    return Town(client, settings)


@pytest.fixture
def runtime(app: Litestar, town: Town) -> Runtime:  # noqa: ARG001 - the app runs as long as its town is there
    """What the app works with."""
    made: Runtime = app.state.runtime
    return made


@pytest.fixture
def shop(town: Town, runtime: Runtime) -> MoneyShop:
    """The town's merchant at work behind the API, with the gateway's side of every payment in hand."""
    return MoneyShop(runtime.engine, runtime.batcher, town.merchant.subject)


@asynccontextmanager
async def connected(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running app; a fault of ours comes back as 500, not as an exception."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # its scope is typed more narrowly
    async with running(app), httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The app between start and stop, both in one task as servers do it: a fixture's two halves run in two."""
    begun, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            begun.set()
            await over.wait()

    life = asyncio.create_task(live())
    started = asyncio.create_task(begun.wait())
    await asyncio.wait({life, started}, return_when=asyncio.FIRST_COMPLETED)
    started.cancel()
    try:
        if begun.is_set():
            yield
    finally:
        over.set()
        await life
