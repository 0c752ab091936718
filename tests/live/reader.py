"""A client of a live stream that speaks ASGI: what it does not take waits at the door, as with a full socket."""

import asyncio
from typing import Any

from litestar import Litestar

from tests.waiting import eventually

END_LIMIT_S = 10


class Reader:
    """Reads from the moment it is made; `taking` can be cleared to read no further."""

    def __init__(self, app: Litestar, path: str, *headers: tuple[bytes, bytes], method: str = "GET") -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.is_whole = False
        self.taking = asyncio.Event()
        self.taking.set()
        self._asked = False
        self._gone = asyncio.Event()
        self.task = asyncio.create_task(app(_scope(path, list(headers), method), self._receive, self._send))

    async def until(self, part: str) -> None:
        """Read until `part` has come."""
        await eventually(lambda: self._has(part), f"{part!r}")

    async def end(self) -> None:
        """Wait for the server to end the stream."""
        async with asyncio.timeout(END_LIMIT_S):
            await self.task

    async def hang_up(self) -> None:
        """Close the connection without a word."""
        self._gone.set()
        await self.end()

    def events(self) -> list[dict[str, str]]:
        """The events so far, each with its fields."""
        blocks = (block for block in self.text.split("\n\n") if "event: " in block)
        return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]

    def versions(self) -> list[int]:
        return [int(event["id"]) for event in self.events() if event["event"] == "group"]

    async def _has(self, part: str) -> bool:
        assert not self.task.done() or part in self.text, self.text
        return part in self.text

    async def _receive(self) -> Any:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message["body"].decode()
            self.is_whole = not message["more_body"]
            await self.taking.wait()


def _scope(path: str, headers: list[tuple[bytes, bytes]], method: str) -> Any:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 50_000),
        "extensions": {},
        "state": {},
    }
