"""A server that answers whatever a test wants, for the clients of the commands."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cli.api_client import Address, ApiClient

HANG_UP = b""


class Answering:
    """A server that gives these answers in turn, over all connections; the last one for ever.

    It hangs up instead of an empty answer, and after each one where it answers only `once` a connection.
    """

    def __init__(self, answers: Sequence[bytes], piece_bytes: int, *, once: bool) -> None:
        self._remaining = list(answers)
        self._piece_bytes = piece_bytes
        self._once = once
        self.handlers: list[asyncio.Task[None]] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.handlers.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                answer = self._remaining.pop(0) if len(self._remaining) > 1 else self._remaining[0]
                for start in range(0, len(answer), self._piece_bytes):
                    writer.write(answer[start : start + self._piece_bytes])
                    await writer.drain()
                if self._once or answer == HANG_UP:
                    break
        writer.close()


@asynccontextmanager
async def answering(
    answers: Sequence[bytes], piece_bytes: int = 4096, *, once: bool = False
) -> AsyncIterator[tuple[ApiClient, Answering]]:
    """A client and the server it asks, both gone at the end."""
    host = Answering(answers, piece_bytes, once=once)
    server = await asyncio.start_server(host.accept, "127.0.0.1", 0)
    client = ApiClient(Address.read(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    async with server:
        try:
            yield client, host
        finally:
            await client.close()
            if host.handlers:
                await asyncio.wait(host.handlers, timeout=10)
