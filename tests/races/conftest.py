"""Two processes' worth of Tuan on one database: they share nothing but PostgreSQL, Valkey and the gateway's books."""

from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from infra.settings import Settings
from tests.races.house import House, two_houses


@pytest.fixture
async def houses(settings: Settings) -> AsyncIterator[tuple[House, House]]:
    """One merchant's shop as two processes see it."""
    async with two_houses(settings) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_of_ours_fails() -> Iterator[None]:
    """What a worker cannot explain it logs as an error, and goes on: here that is none."""
    with capture_logs() as entries:
        yield
    assert [entry for entry in entries if entry["log_level"] == "error"] == []
