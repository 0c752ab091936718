"""The API with a town of people who open links."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import app_with, connected
from tests.api.people import Town


@pytest.fixture
def app(settings: Settings) -> Litestar:
    return app_with(settings)


@pytest.fixture
async def town(app: Litestar, settings: Settings) -> AsyncIterator[Town]:
    async with connected(app) as client:
        yield Town(client, settings)


@pytest.fixture
def runtime(app: Litestar, town: Town) -> Runtime:  # noqa: ARG001 - the town's API runs
    made: Runtime = app.state.runtime
    return made
