"""A whole Tuan of a test's own: PostgreSQL, Valkey, two API processes and a worker, each of which may be killed."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from infra import migrate
from infra.embedded.place import Place
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.throwaway import throwaway_place, throwaway_servers
from infra.embedded.valkey import EmbeddedValkey
from infra.redis_client import make_redis
from infra.settings import Settings, read_settings
from tests.system.programs import Api, Program, kill_family, stop_together

API_PROCESSES = 2


class System:
    """The parts; whatever a test killed is started again before the next one."""

    def __init__(self, place: Place, postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> None:
        self.environment = {
            "DATABASE_URL": place.database_url,
            "REDIS_URL": place.redis_url,
            "TUAN_DATA_DIR": str(place.data_dir),
            "TUAN_RATE_LIMITS": "off",
        }
        self.settings: Settings = read_settings(self.environment)
        self.postgres = postgres
        self.valkey = valkey
        self._logs = place.data_dir
        self.apis = [Api(self.log_of(f"api{number}"), self.environment) for number in range(API_PROCESSES)]
        hears = {"TUAN_SANDBOX_WEBHOOK_URL": f"http://127.0.0.1:{self.apis[0].port}/v1/webhooks/sandbox"}
        self.worker = Program("worker", self.log_of("worker"), self.environment | hears)

    def log_of(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(api.port for api in self.apis)

    def restore(self) -> None:
        """Start what does not run; returns when every API process answers."""
        for server in (self.postgres, self.valkey):
            if not server.is_alive():
                server.start()
        for program in (*self.apis, self.worker):
            if not program.is_alive:
                program.start()
        for api in self.apis:
            api.until_answering()

    def stop(self) -> None:
        stop_together((*self.apis, self.worker))

    def kill_postgres(self) -> None:
        """The whole server at once, as when its machine loses power; what it had been told to write stays written."""
        _kill_server(self.postgres.process_id)

    def kill_valkey(self) -> None:
        _kill_server(self.valkey.process_id)

    @contextmanager
    def frozen_valkey(self) -> Iterator[None]:
        """Valkey takes connections and requests, and does nothing with them before the block's end."""
        assert self.valkey.process_id is not None
        os.kill(self.valkey.process_id, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.valkey.process_id, signal.SIGCONT)

    async def flush_valkey(self) -> None:
        async with make_redis(self.settings) as client:
            await client.flushall()


@contextmanager
def whole_system() -> Iterator[System]:
    """Everything, on new servers with a migrated database."""
    with throwaway_place() as place, throwaway_servers(place) as (postgres, valkey), ExitStack() as stopping:
        migrate.upgrade(place.database_url)
        system = System(place, postgres, valkey)
        stopping.callback(system.stop)
        system.restore()
        yield system


def _kill_server(process_id: int | None) -> None:
    assert process_id is not None
    kill_family(psutil.Process(process_id))
