"""What shoppers' phones do: send requests to one API process, and take note of what came back or did not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from cli.http_reply import BrokenReply, Reply, header
from cli.http_wire import ConnectionLost, Wire

ANSWER_LIMIT_S = 20
UNAVAILABLE = 503


class NoAnswer(Exception):  # noqa: N818  what happened
    """The connection was refused, or ended before the answer was whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `took_s` is from the first byte sent to the last received, connecting included."""

    status: int
    body: Any
    retry_after_s: int | None
    took_s: float

    @property
    def problem(self) -> str:
        """The last part of a problem's type; empty for what is no problem."""
        is_problem = self.status >= 400 and isinstance(self.body, dict)
        return str(self.body["type"]).rpartition("/")[2] if is_problem else ""

    @property
    def said(self) -> tuple[int, str]:
        """Status and problem: what tests count."""
        return self.status, self.problem


class Phone:
    """Speaks with one port; as many kept connections as requests at the same time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._idle: list[Wire] = []

    async def get(self, path: str, token: str | None = None) -> Answer:
        return await self.ask("GET", path, token)

    async def post(self, path: str, token: str | None = None, body: object = None, key: str | None = None) -> Answer:
        return await self.ask("POST", path, token, body, key)

    async def ask(
        self, method: str, path: str, token: str | None = None, body: object = None, key: str | None = None
    ) -> Answer:
        """One request, sent once; raises NoAnswer."""
        begun_at = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                wire = self._open_wire() or await self._connect()
                reply = await _ask(wire, _request(method, path, token, body, key))
        except (OSError, ConnectionLost, BrokenReply) as error:
            raise NoAnswer(f"{method} {path}: {error}") from error
        if wire.is_open:
            self._idle.append(wire)
        return _answer(reply, time.perf_counter() - begun_at)

    def close(self) -> None:
        for wire in self._idle:
            wire.close()
        self._idle.clear()

    def _open_wire(self) -> Wire | None:
        while self._idle:
            wire = self._idle.pop()
            if wire.is_open:
                return wire
        return None

    async def _connect(self) -> Wire:
        _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", self.port)
        return wire


@asynccontextmanager
async def phones(*ports: int) -> AsyncIterator[list[Phone]]:
    """A phone for each port; their connections end with the block."""
    made = [Phone(port) for port in ports]
    try:
        yield made
    finally:
        for phone in made:
            phone.close()
        await asyncio.sleep(0)  # one turn of the loop lets the transports close


async def _ask(wire: Wire, request: bytes) -> Reply:
    try:
        return await wire.ask(request)
    except BaseException:
        wire.close()  # what may still arrive would be taken for the answer to another request
        raise


def _request(method: str, path: str, token: str | None, body: object, key: str | None) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if token is not None:
        head += f"Authorization: Bearer {token}\r\n"
    if key is not None:
        head += f"Idempotency-Key: {key}\r\n"
    content = b"" if body is None else msgspec.json.encode(body)
    if content:
        head += "Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def _answer(reply: Reply, took_s: float) -> Answer:
    retry_after = header(reply.head, b"retry-after")
    return Answer(
        status=reply.status,
        body=msgspec.json.decode(reply.body) if reply.body else None,
        retry_after_s=int(retry_after) if retry_after is not None else None,
        took_s=took_s,
    )
