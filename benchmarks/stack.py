"""What is measured: a private PostgreSQL with its default durability, Valkey, one API process and one worker."""

import http
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.cannot_measure import CannotMeasure
from benchmarks.shoppers import mint
from benchmarks.wrk import Wrk
from cli.probe import own_address
from infra import migrate
from infra.embedded.throwaway import throwaway_place, throwaway_servers
from infra.settings import Settings, read_settings

READY_LIMIT_S = 60
STOP_LIMIT_S = 30
# Several rounds of joins of one group, and the rounds between them, use them up.
TOKENS = 160_000


@dataclass(frozen=True, slots=True)
class Stack:
    """Servers and processes at work; `parts` are those whose processor time is worth telling, by name."""

    settings: Settings
    wrk: Wrk
    tokens: Path
    parts: Mapping[str, psutil.Process]

    @property
    def address(self) -> str:
        return own_address(self.settings)


@contextmanager
def started() -> Iterator[Stack]:
    """The whole stack, gone at the end."""
    with ExitStack() as leaving:
        place = leaving.enter_context(throwaway_place())
        postgres, valkey = leaving.enter_context(throwaway_servers(place, durable=True))
        migrate.upgrade(place.database_url)
        settings = settings_at(place.data_dir, place.database_url, place.redis_url)
        tokens = place.data_dir / "tokens"
        mint(settings, TOKENS, tokens)
        api = leaving.enter_context(running(settings, "benchmarks.serving"))
        worker = leaving.enter_context(running(settings, "cli.main", "worker"))
        parts = {
            "API": answering_process(settings, api),
            "PostgreSQL": psutil.Process(postgres.process_id),
            "Valkey": psutil.Process(valkey.process_id),
            "worker": worker,
        }
        yield Stack(settings, Wrk(own_address(settings), tokens), tokens, parts)


def settings_at(data_dir: Path, database_url: str, redis_url: str) -> Settings:
    """Settings as an operator would have them, on a free port."""
    return read_settings(environment_of(data_dir, database_url, redis_url, free_port()))


def environment_of(data_dir: Path, database_url: str, redis_url: str, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "TUAN_DATA_DIR": str(data_dir),
        "TUAN_PORT": str(port),
        "TUAN_LOG_LEVEL": "warning",
        "TUAN_RATE_LIMITS": "off",
    }


@contextmanager
def running(settings: Settings, module: str, *arguments: str) -> Iterator[psutil.Process]:
    """A Python module as a process of its own, with these settings in its environment."""
    environment = environment_of(settings.data_dir, settings.database_url, settings.redis_url, settings.port)
    # A pipe that closes when we are gone: the process ends with us, also when we are killed.
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments, "--lifeline", str(reading)],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        pass_fds=[reading],
        start_new_session=True,
    )
    os.close(reading)
    try:
        yield psutil.Process(process.pid)
    finally:
        os.close(writing)
        process.terminate()
        process.wait(STOP_LIMIT_S)


def answering_process(settings: Settings, main: psutil.Process) -> psutil.Process:
    """Wait until the API is ready; its one worker process is the one that answers."""
    deadline = time.monotonic() + READY_LIMIT_S
    while not _answers(settings):
        if not main.is_running() or main.status() == psutil.STATUS_ZOMBIE or time.monotonic() > deadline:
            raise CannotMeasure("The API did not become ready; its lines above say why.")
        time.sleep(0.05)
    return main.children()[0]


def _answers(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{own_address(settings)}/v1/deals?limit=1", timeout=READY_LIMIT_S) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
