"""The other side of a gateway's HTTP, on loopback: a stand-in that records and answers, and a way to lose answers."""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """A request as it came: header names in lower case, the parameters of the form or of the query."""

    method: str
    path: str
    headers: dict[str, str]
    parameters: dict[str, str]
    raw: bytes


@dataclass(frozen=True)
class Answer:
    """What the stand-in says; `silent` says nothing and keeps the line open."""

    status: int = 200
    body: bytes = b"{}"
    silent: bool = False


@dataclass
class StandIn:
    """Answers in the order given, and what was asked."""

    address: str
    answers: deque[Answer] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)

    def will_say(self, document: object, status: int = 200) -> None:
        self.answers.append(Answer(status, json.dumps(document).encode()))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (asked := await read_request(reader)) is not None:
            self.asked.append(asked)
            answer = self.answers.popleft()
            if answer.silent:
                await reader.read()  # until the other side gives up
                return
            head = f"HTTP/1.1 {answer.status} X\r\nContent-Type: application/json\r\nContent-Length: {len(answer.body)}"
            writer.write(f"{head}\r\n\r\n".encode() + answer.body)
            await writer.drain()


@asynccontextmanager
async def stand_in() -> AsyncIterator[StandIn]:
    """A stand-in that listens; every answer it was given must have been asked for."""
    made = StandIn("")
    async with listening(made.serve) as made.address:
        yield made
    assert not made.answers


@asynccontextmanager
async def answers_lost(address: str) -> AsyncIterator[str]:
    """An address that passes each request on, waits until it is answered there, and hangs up."""
    there = urlsplit(address)

    async def pass_on(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        asked = await read_request(reader)
        if asked is None:
            return
        answering, sending = await asyncio.open_connection(there.hostname, there.port)
        sending.write(asked.raw)
        assert await answering.readuntil(b"\r\n")
        sending.close()
        await sending.wait_closed()

    async with listening(pass_on) as here:
        yield here


async def read_request(reader: asyncio.StreamReader) -> Asked | None:
    """The next request of a connection; None when it is over."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None
    line, *fields = head.decode().split("\r\n")[:-2]
    headers = {name.lower(): value for name, value in (text.split(": ", 1) for text in fields)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, target, _ = line.split(" ")
    address = urlsplit(target)
    form: dict[str, list[str]] = parse_qs(body.decode() or address.query, keep_blank_values=True)
    return Asked(method, address.path, headers, {name: values[-1] for name, values in form.items()}, head + body)


@asynccontextmanager
async def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address at which each connection gets its handler; those that are open at the end are cut."""
    lines: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lines.add(task)
        try:
            with suppress(ssl.SSLError):  # the other side does not trust us
                await handler(reader, writer)
        finally:
            lines.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in lines:
            task.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
        await server.wait_closed()
