"""Real servers for every test: one private PostgreSQL and Valkey per run, a fresh database and an empty Valkey each."""

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from infra import migrate
from infra.database import make_engine
from infra.embedded.place import Place
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.throwaway import throwaway_place, throwaway_servers
from infra.embedded.valkey import EmbeddedValkey
from infra.redis_client import make_redis
from infra.settings import Settings, read_settings
from tests.browser.chromium import CHROMIUM, IS_REQUIRED, MISSING

TEMPLATE = "tuan_template"
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 4 << 30
_numbers = count(1)

gc.set_threshold(50_000, 20, 50)  # as in API processes: looking for cycles took a tenth of the run


def pytest_collection_finish() -> None:
    """What has been imported and collected stays to the end."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Servers:
    """The servers of this test run."""

    place: Place
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey


def pytest_configure() -> None:
    """Files are kept in memory where there is room: a new database is 500 of them, and no test outlives a power cut."""
    if IS_REQUIRED and CHROMIUM is None:
        raise pytest.UsageError(MISSING)
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Whoever has no browser is told what was not tested; only where it would have been."""
    folder = Path(__file__).parent / "browser"
    asked_for = [Path(one.partition("::")[0]).absolute() for one in config.args]
    if CHROMIUM is None and any(folder.is_relative_to(path) or path.is_relative_to(folder) for path in asked_for):
        terminalreporter.write_line(MISSING, yellow=True)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """The caller's settings do not reach the tests."""
    for name in list(os.environ):
        if name.startswith("TUAN_") or name in {"DATABASE_URL", "REDIS_URL"}:
            del os.environ[name]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with throwaway_place() as place, throwaway_servers(place) as (postgres, valkey):
        yield Servers(place, postgres, valkey)


@pytest.fixture(scope="session")
def template_database(servers: Servers) -> str:
    """The name of a migrated, empty database to copy."""
    run_apart(_execute(servers.place.database_url, f"CREATE DATABASE {TEMPLATE}"))
    run_apart(asyncio.to_thread(migrate.upgrade, servers.place.database_url_of(TEMPLATE)))
    return TEMPLATE


@pytest.fixture
def database_url(servers: Servers, template_database: str) -> Iterator[str]:
    """A migrated database of this test alone."""
    with fresh_database(servers, template_database) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(servers: Servers, template_database: str) -> Iterator[str]:
    """A migrated database that the tests of a module share."""
    with fresh_database(servers, template_database) as url:
        yield url


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """An empty Valkey; tests run one after another, so it is this test's alone."""
    run_apart(_flush(read_settings({"REDIS_URL": servers.place.redis_url})))
    return servers.place.redis_url


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings that point at this test's servers and a data directory of its own."""
    return read_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "TUAN_DATA_DIR": str(tmp_path / "data"),
            "TUAN_RATE_LIMITS": "off",  # tests of limits turn them on
        }
    )


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = make_engine(settings, "tuan tests")
    yield made
    await made.dispose()


@pytest.fixture
async def redis_client(settings: Settings) -> AsyncIterator[Redis]:
    client = make_redis(settings)
    yield client
    await client.aclose()


@pytest.fixture
def own_place() -> Iterator[Place]:
    with throwaway_place() as place:
        yield place


@pytest.fixture
def own_valkey(own_place: Place) -> Iterator[EmbeddedValkey]:
    """A Valkey of this test alone, to stop and start."""
    valkey = EmbeddedValkey(own_place)
    valkey.start()
    yield valkey
    valkey.stop()


@contextmanager
def fresh_database(servers: Servers, template: str) -> Iterator[str]:
    """The address of a copy of the template that is dropped at the end, whoever is still connected."""
    name = f"tuan_test_{next(_numbers)}"
    run_apart(_execute(servers.place.database_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    try:
        yield servers.place.database_url_of(name)
    finally:
        run_apart(_execute(servers.place.database_url, f"DROP DATABASE {name} WITH (FORCE)"))


def run_apart(work: Coroutine[Any, Any, Any]) -> None:
    """Run to the end in a loop of its own thread, whether or not a loop runs here."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result(timeout=60)


async def _execute(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _flush(settings: Settings) -> None:
    client = make_redis(settings)
    await client.flushall()
    await client.aclose()
