"""WeChat on loopback, as an official account's server sees it, with every bad habit it can have."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.identity.openid_provider import answer

APP_ID = "wx0123456789abcdef"
SECRET = "the-secret-of-our-account"
TOKEN = "/cgi-bin/stable_token"
TICKET = "/cgi-bin/ticket/getticket"
SILENCE = None

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class WeChatAccount:
    """Gives tokens, and a new ticket each time; `say` is what it says instead, by path, and with `SILENCE` nothing."""

    base: str = ""
    say: dict[str, Say | None] = field(default_factory=dict)
    lifetime_s: int = 7_200
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def tickets_given(self) -> int:
        return sum(path == TICKET for path, _ in self.asked)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request to a connection."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, address = head.decode().split(" ")[:2]
            parts = urlsplit(address)
            asked: dict[str, Any] = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if method == "POST":
                asked |= json.loads(await reader.readexactly(_length_of(head)))
            self.asked.append((parts.path, asked))
            say = self.say.get(parts.path, saying(json.dumps(self._told(method, parts.path, asked)).encode()))
            await (reader.read() if say is None else say(writer))  # which ends when whoever asked has gone
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _told(self, method: str, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        match method, path:
            case "POST", "/cgi-bin/stable_token":
                if asked != {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}:
                    return {"errcode": 40125, "errmsg": "invalid appsecret rid: 1"}
                return {"access_token": "77_TOKEN", "expires_in": self.lifetime_s}
            case "GET", "/cgi-bin/ticket/getticket":
                if asked != {"access_token": "77_TOKEN", "type": "jsapi"}:
                    return {"errcode": 40001, "errmsg": "invalid credential"}
                ticket = f"ticket-{self.tickets_given}"
                return {"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": self.lifetime_s}
        return {"errcode": 40066, "errmsg": "invalid url"}


def saying(body: bytes, status: str = "200 OK") -> Say:
    """Always this answer."""
    return lambda writer: answer(writer, body, status)


@asynccontextmanager
async def wechat_account() -> AsyncIterator[WeChatAccount]:
    """One that listens."""
    account = WeChatAccount()
    server = await asyncio.start_server(account.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    account.base = f"http://{host}:{port}"
    try:
        yield account
    finally:
        server.close()


def _length_of(head: bytes) -> int:
    lines = head.decode().lower().split("\r\n")
    return int(next(line.split(":")[1] for line in lines if line.startswith("content-length:")))
