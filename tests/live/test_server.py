"""Streams through the real server, process and sockets included."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity.accounts import open_account
from infra.ids import new_id
from infra.runtime import started
from infra.settings import Settings
from infra.tokens import TokenIssuer
from tests.reading.shop import Shop
from tests.system.programs import Api

READERS = 20
STOP_LIMIT_S = 5  # it would be killed after 10
THE_END = b"0\r\n\r\n"
"""Of a chunked answer (RFC 9112, 7.1)."""


@pytest.fixture
def api(settings: Settings, tmp_path: Path) -> Iterator[Api]:
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "TUAN_DATA_DIR": str(settings.data_dir),
        "TUAN_LOCK_TIMEOUT_MS": "300",
    }
    program = Api(tmp_path / "api.log", environment)
    program.start_answering()
    yield program
    program.stop()


async def test_open_streams_do_not_hold_up_a_stop_and_what_breaks_off_has_no_end(
    api: Api, settings: Settings, engine: AsyncEngine
) -> None:
    """A server that is told to stop ends its streams properly and goes, long before it would be killed.

    An export whose rest cannot be read is cut off instead: nobody takes it for a whole one.
    """
    assert not (await _export_that_breaks_off(api, settings, engine)).endswith(THE_END)
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
    assert all(rest.endswith(THE_END) for rest in rests), "every stream has its proper end"


async def _export_that_breaks_off(api: Api, settings: Settings, engine: AsyncEngine) -> bytes:
    async with engine.begin() as holding:
        account_id = await open_account(holding, "full")
    token = TokenIssuer(settings).issue(account_id, frozenset({"shopper"}), 60)
    async with engine.begin() as holding:
        await holding.execute(text("LOCK TABLE devices IN ACCESS EXCLUSIVE MODE"))
        received = await asyncio.to_thread(lambda: _rest(_connected(api.port, "/v1/me/export", token)))
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert str(account_id).encode() in body
    return body


def _connected(port: int, path: str, token: str = "") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    who = f"Authorization: Bearer {token}\r\n" if token else ""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: tuan.test\r\n{who}\r\n".encode())
    return connection


def _rest(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65_536):
        received += part
    connection.close()
    return received
