"""Following a server-sent event stream (WHATWG HTML, 9.2): the data of each event, whole or not at all."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from cli.api_client import CONNECT_LIMIT_S, Address, ApiRefused, Problem
from cli.http_reply import BrokenReply, chunk_size, header, status_of

SILENCE_LIMIT_S = 45  # the server sends a comment every 15 s
EVENT_BYTES_MAX = 1024 * 1024
OK = 200


async def follow(address: Address, path: str) -> AsyncGenerator[bytes, None]:
    """Each event's data as it comes, until the server ends the stream.

    Raises ApiRefused when there is no such stream; OSError, TimeoutError or BrokenReply when the connection fails.
    """
    async with _connected(address) as (reader, writer):
        request = (
            f"GET {address.prefix}{path} HTTP/1.1\r\nHost: {address.host_header}\r\nAccept: text/event-stream\r\n\r\n"
        )
        writer.write(request.encode())
        chunked = await _read_head(reader)
        received = bytearray()
        while True:
            async with asyncio.timeout(SILENCE_LIMIT_S):
                part = await (_read_chunk(reader) if chunked else reader.read(4096))
            if not part:
                return
            received += part.replace(b"\r", b"")  # our server ends lines with LF or CRLF, never with CR alone
            if len(received) > EVENT_BYTES_MAX:
                raise BrokenReply("an event of the stream does not end")
            while (end := received.find(b"\n\n")) >= 0:
                event = bytes(received[:end])
                del received[: end + 2]
                if data := _data(event):
                    yield data


@asynccontextmanager
async def _connected(address: Address) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    tls = ssl.create_default_context() if address.tls else None
    async with asyncio.timeout(CONNECT_LIMIT_S):
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _read_head(reader: asyncio.StreamReader) -> bool:
    """Whether the stream comes in chunks."""
    async with asyncio.timeout(SILENCE_LIMIT_S):
        try:
            head = (await reader.readuntil(b"\r\n\r\n"))[:-2].lower()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise BrokenReply("the stream does not begin") from error
    if status_of(head) != OK:
        raise ApiRefused(status_of(head), Problem(title="there is no live stream"))
    return header(head, b"transfer-encoding") == b"chunked"


async def _read_chunk(reader: asyncio.StreamReader) -> bytes:
    """The next chunk; empty at the end."""
    try:
        size = chunk_size(await reader.readline())
        return (await reader.readexactly(size + 2))[:-2]
    except asyncio.IncompleteReadError as error:
        raise BrokenReply("the stream broke off") from error


def _data(event: bytes) -> bytes:
    lines = (line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:"))
    return b"\n".join(lines)
