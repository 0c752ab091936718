"""Two processes' worth of Tuan on one database: they share nothing but PostgreSQL, Valkey and the gateway's books."""

from collections.abc import AsyncIterator

import pytest

from infra.settings import Settings
from tests.races.house import House, two_houses


@pytest.fixture
async def houses(settings: Settings) -> AsyncIterator[tuple[House, House]]:
    """One merchant's shop as two processes see it."""
    async with two_houses(settings) as made:
        yield made
