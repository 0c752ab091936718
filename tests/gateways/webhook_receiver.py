"""A merchant's address for webhooks, on loopback: it takes what comes and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.gateways.contract import Sent
from tests.gateways.loopback import read_request


@dataclass
class Receiver:
    """What came, and the statuses of the next answers; after those 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[Sent] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await read_request(reader)) is not None:
                self.received.append(Sent(asked.raw.partition(b"\r\n\r\n")[2], asked.headers))
                status = self.statuses.pop(0) if self.statuses else 200
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens; whoever sends must have hung up before the end."""
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/webhooks/sandbox"
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
