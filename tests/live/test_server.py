"""The live stream through the real server, process and sockets included."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.ids import new_id
from infra.runtime import started
from infra.settings import Settings
from tests.reading.shop import Shop
from tests.system.programs import Api

READERS = 20
STOP_LIMIT_S = 5  # it would be killed after 10


@pytest.fixture
def api(settings: Settings, tmp_path: Path) -> Iterator[Api]:
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "TUAN_DATA_DIR": str(settings.data_dir),
    }
    program = Api(tmp_path / "api.log", environment)
    program.start_answering()
    yield program
    program.stop()


async def test_open_streams_do_not_hold_up_a_stop(api: Api, settings: Settings) -> None:
    """A server that is told to stop ends its streams properly and goes, long before it would be killed."""
    async with started(settings) as runtime:
        shop = Shop(runtime.engine, runtime.batcher, new_id())
        group_id = await shop.opened(await shop.live())
    readers = [_connected(api.port, f"/v1/groups/{group_id}/live") for _ in range(READERS)]
    assert all(b"event: group" in reader.recv(4096) or reader.recv(4096) for reader in readers)
    told_at = time.monotonic()
    api.ask_to_stop()
    rests = [_rest(reader) for reader in readers]
    assert api.exit_status() == 0
    assert time.monotonic() - told_at < STOP_LIMIT_S
    assert all(rest.endswith(b"0\r\n\r\n") for rest in rests), "every stream has its proper end"


def _connected(port: int, path: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: tuan.test\r\n\r\n".encode())
    return connection


def _rest(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65_536):
        received += part
    connection.close()
    return received
