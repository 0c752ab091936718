"""One keep-alive connection to the API for measurements that must not be disturbed by their own client."""

import asyncio
from typing import Self

from benchmarks.cannot_measure import CannotMeasure
from cli.http_reply import Reply
from cli.http_wire import Wire


class Caller:
    """Asks one request at a time."""

    def __init__(self, wire: Wire, port: int) -> None:
        self._wire = wire
        self._port = port

    @classmethod
    async def connected(cls, port: int) -> Self:
        """A new connection."""
        _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", port)
        return cls(wire, port)

    def request(self, method: str, path: str, token: str | None = None, body: bytes = b"") -> bytes:
        """A request ready to be sent."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
        if token is not None:
            head += f"Authorization: Bearer {token}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    async def ask(self, request: bytes, status: int) -> Reply:
        """Send and await the answer; raises CannotMeasure for any other status."""
        reply = await self._wire.ask(request)
        if reply.status != status:
            raise CannotMeasure(f"{reply.status} instead of {status}: {reply.body[:200].decode(errors='replace')}")
        return reply

    def close(self) -> None:
        self._wire.close()
