"""One system for the folder; tests share it, each with deals of its own, and leave nothing dead behind."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from tests.system.laws import broken_laws
from tests.system.phones import Phone, phones
from tests.system.shop import Shop
from tests.system.system import System, whole_system


@pytest.fixture(scope="package")
def shared_system() -> Iterator[System]:
    with whole_system() as system:
        yield system


@pytest.fixture
def system(shared_system: System) -> System:
    """The system with every part at work."""
    shared_system.restore()
    return shared_system


@pytest.fixture
async def doors(system: System) -> AsyncIterator[list[Phone]]:
    """A phone for each API process."""
    async with phones(*system.ports) as opened:
        yield opened


@pytest.fixture
async def shop(system: System, doors: list[Phone]) -> AsyncIterator[Shop]:
    """A merchant of this test; at the end his deals obey every law of `tests.system.laws`."""
    opened = Shop.of(system.settings, doors)
    yield opened
    assert await broken_laws(system.settings.database_url, opened.deal_ids) == {}


@pytest.fixture
async def database(system: System) -> AsyncIterator["asyncpg.Connection"]:
    connection = await asyncpg.connect(system.settings.database_url)
    yield connection
    await connection.close()
