"""Watching live streams with next to no work of one's own: versions are read off the bytes as they come."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Self, cast

_VERSION = re.compile(rb"^id: ?(\d+)\r?$", re.MULTILINE)
_CLOSED = b"event: closed"
# The longest part of an event that matters here; what came before is not looked at again.
_KEPT_BYTES = 64


def _ignore(_version: int) -> None:
    """For those who only wait for the end."""


class Stream(asyncio.Protocol):
    """One watcher; `on_version` gets every version it is told, `closed` when (Unix time) it was told the end."""

    def __init__(self, request: bytes, on_version: Callable[[int], None] = _ignore) -> None:
        self._request = request
        self._on_version = on_version
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self.closed: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    @classmethod
    async def opened(cls, port: int, path: str, on_version: Callable[[int], None] = _ignore) -> Self:
        """Connected and asked; events come from now on."""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(lambda: cls(request, on_version), "127.0.0.1", port)
        return stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        text = self._rest + data
        position = 0
        for found in _VERSION.finditer(text):
            if found.end() < len(text):  # else its last digits may still be on their way
                self._on_version(int(found[1]))
                position = found.end()
        if _CLOSED in text and not self.closed.done():
            self.closed.set_result(time.time())
        self._rest = text[max(position, len(text) - _KEPT_BYTES) :]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_exception(exc or ConnectionResetError("a live stream ended before its group was closed"))
            self.closed.exception()  # whoever only counts versions does not wait for it

    def close(self) -> None:
        """Hang up."""
        if not self.closed.done():
            self.closed.cancel()
        if self._transport is not None:
            self._transport.close()
