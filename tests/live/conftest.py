"""A server's own process in the test: its app, its runtime, and a shop whose groups are watched."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from infra.ids import new_id
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import app_with, running
from tests.reading.shop import Shop


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Litestar]:
    made = app_with(settings)
    async with running(made):
        yield made


@pytest.fixture
def runtime(app: Litestar) -> Runtime:
    found: Runtime = app.state.runtime
    return found


@pytest.fixture
def shop(runtime: Runtime) -> Shop:
    return Shop(runtime.engine, runtime.batcher, new_id())
