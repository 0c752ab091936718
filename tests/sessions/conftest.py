"""Two API processes on one database, so that what one of them ends is asked of the other."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from api.app import create_app
from infra.settings import Settings
from tests.api.conftest import app, client, connected, town
from tests.api.people import Town

__all__ = ["app", "client", "town"]


@pytest.fixture
def other_app(settings: Settings) -> Litestar:
    return create_app(settings)


@pytest.fixture
async def elsewhere(other_app: Litestar, settings: Settings) -> AsyncIterator[Town]:
    """The same town behind another process."""
    async with connected(other_app) as client:
        yield Town(client, settings)
