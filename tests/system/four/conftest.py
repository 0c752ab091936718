"""Four API processes for each module, which rushes at all their doors and kills none."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from tests.conftest import Servers
from tests.system.phones import Phone, phones
from tests.system.programs import Api, answering

PROCESSES = 4


@pytest.fixture(scope="module")
def apis(servers: Servers, module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Api]]:
    """On one database and one folder of keys; without the limiter, which would refuse most at the door."""
    environment = {
        "DATABASE_URL": module_database_url,
        "REDIS_URL": servers.place.redis_url,
        "TUAN_DATA_DIR": str(tmp_path_factory.mktemp("four")),
        "TUAN_RATE_LIMITS": "off",
    }
    with answering(PROCESSES, tmp_path_factory.mktemp("logs"), environment) as made:
        yield made


@pytest.fixture
async def doors(apis: list[Api]) -> AsyncIterator[list[Phone]]:
    """A phone for each process."""
    async with phones(*(api.port for api in apis)) as opened:
        yield opened


@pytest.fixture
async def database(module_database_url: str) -> AsyncIterator["asyncpg.Connection"]:
    connection = await asyncpg.connect(module_database_url)
    yield connection
    await connection.close()
