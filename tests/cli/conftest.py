"""A running API for the commands that speak to one: `tuan serve` as a process, closing due groups itself."""

import http.client
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.runtime import Runtime, started
from infra.settings import Settings, read_settings
from tests.conftest import Servers
from tests.house.running import free_port, surroundings
from tests.waiting import until

START_LIMIT_S = 60
STOP_LIMIT_S = 20


@dataclass(frozen=True)
class Serving:
    """Where it answers, and the environment in which commands find it."""

    url: str
    environment: dict[str, str]

    @property
    def settings(self) -> Settings:
        names = ("TUAN_", "DATABASE_URL", "REDIS_URL")
        return read_settings({name: value for name, value in self.environment.items() if name.startswith(names)})


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with started(settings) as made:
        yield made


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """Where the command finds this test's servers."""
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "TUAN_DATA_DIR": str(settings.data_dir),
    }


@pytest.fixture(scope="module")
def api(servers: Servers, module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One for all tests of a module: each makes deals and people of its own."""
    environment = surroundings(
        DATABASE_URL=module_database_url,
        REDIS_URL=servers.place.redis_url,
        TUAN_DATA_DIR=str(tmp_path_factory.mktemp("data")),
        TUAN_LOG_LEVEL="warning",
    )
    with serving(environment, tmp_path_factory.mktemp("log")) as made:
        yield made


@contextmanager
def serving(environment: dict[str, str], log_dir: Path) -> Iterator[Serving]:
    """An API with these settings, on a port of its own, ready."""
    port, log = free_port(), log_dir / "serve.log"
    environment = environment | {"TUAN_PORT": str(port)}
    with _running(environment, log) as process:
        until(lambda: _is_ready(process, port, log), "the API ready", START_LIMIT_S)
        yield Serving(f"http://127.0.0.1:{port}", environment)


@contextmanager
def _running(environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        command = [sys.executable, "-m", "cli.main", "serve"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(STOP_LIMIT_S)


def _is_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
