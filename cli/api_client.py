"""A lean client of the API: keep-alive connections, one request at a time on each, some 25 us of work a request.

Every request it sends may be repeated without a second effect (opening and creating carry an Idempotency-Key), so an
overloaded or restarting server only costs time: what got no answer, 503 or 429 is asked again until `RETRY_LIMIT_S`.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import msgspec

from cli.http_reply import BrokenReply, Reply
from cli.http_wire import ConnectionLost, Wire
from infra.cannot_start import CannotStart, ServerMissing, WrongSetting

CONNECT_LIMIT_S = 10
ANSWER_LIMIT_S = 30
RETRY_LIMIT_S = 60
RETRY_FIRST_S = 0.1
RETRY_AFTER_MAX_S = 5.0
SERVICE_UNAVAILABLE = 503
_ASK_LATER = {429: "it limits how often it is asked", SERVICE_UNAVAILABLE: "it is overloaded"}
_NO_ANSWER = (OSError, ConnectionLost, TimeoutError, BrokenReply)


class ApiGone(CannotStart):
    """The API stopped answering in the middle of the work."""


class ApiRefused(Exception):  # noqa: N818  a refusal, named as DESIGN names refusals
    """The API answered, and said no: `type` is the last part of the problem's type."""

    def __init__(self, status: int, problem: "Problem") -> None:
        self.status = status
        self.type = problem.type.rpartition("/")[2]
        super().__init__(f"{status} {self.type}: {problem.detail or problem.title}")

    @property
    def hint(self) -> str:
        """What to do about it, as the end of a sentence; empty where the refusal says it all."""
        return "; run this with the settings of that API, whose key signs the tokens" if self.status == 401 else ""


class Problem(msgspec.Struct):
    """RFC 9457, as far as a caller acts on it."""

    type: str = "about:blank"
    title: str = ""
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where an API is; `prefix` is what comes before `/v1`."""

    host: str
    port: int
    tls: bool
    prefix: str
    text: str

    @classmethod
    def read(cls, url: str) -> Self:
        """Raises WrongSetting for what is no http(s) address."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise WrongSetting(f"--url is {url!a}; expected an address such as http://127.0.0.1:8000.")
        return cls(parts.hostname, port, parts.scheme == "https", parts.path.rstrip("/"), url.rstrip("/"))

    @property
    def host_header(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _ignore(_kind: str, _seconds: float) -> None:
    """For callers that keep no figures."""


class ApiClient:
    """Asks one API; as many connections as callers ask at the same time.

    `on_answer` gets the kind of each answered request and how long the answer took, in seconds.
    """

    def __init__(self, address: Address, on_answer: Callable[[str, float], None] = _ignore) -> None:
        self.address = address
        self.retries = 0
        self._on_answer = on_answer
        self._idle: list[Wire] = []
        self._tls = ssl.create_default_context() if address.tls else None

    async def reach(self) -> None:
        """Raises ServerMissing, at once, unless an API of ours answers there."""
        try:
            reply = await self._once(self._request("GET", "/healthz"))
        except _NO_ANSWER as error:
            raise ServerMissing(
                f"No API answers at {self.address.text}: start one with `make run`, or say where with --url."
            ) from error
        if reply.status >= 400 and reply.status != SERVICE_UNAVAILABLE:
            raise ServerMissing(f"What answers at {self.address.text} is not Tuan's API; say where it is with --url.")

    async def ask(  # noqa: PLR0913  the parts of a request
        self,
        kind: str,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        idempotency_key: str | None = None,
    ) -> bytes:
        """The answer's body; raises ApiRefused for every status but 2xx, ApiGone when nothing answers any more."""
        request = self._request(method, path, token, body, idempotency_key)
        give_up_at, wait_s = time.monotonic() + RETRY_LIMIT_S, RETRY_FIRST_S
        while True:
            begun_at = time.perf_counter()
            try:
                reply = await self._once(request)
            except _NO_ANSWER as error:
                pause_s, why = wait_s, str(error) or "no answer in time"
            else:
                if reply.status not in _ASK_LATER:
                    self._on_answer(kind, time.perf_counter() - begun_at)
                    return _body(reply)
                pause_s, why = min(reply.retry_after_s, RETRY_AFTER_MAX_S), _ASK_LATER[reply.status]
            if time.monotonic() + pause_s > give_up_at:
                raise ApiGone(f"The API at {self.address.text} did not answer for {RETRY_LIMIT_S} s: {why}.")
            self.retries += 1
            await asyncio.sleep(pause_s)
            wait_s = min(wait_s * 2, RETRY_AFTER_MAX_S)

    async def close(self) -> None:
        """Close the connections, and let the loop take note of it."""
        for wire in self._idle:
            wire.close()
        self._idle.clear()
        await asyncio.sleep(0)

    async def _once(self, request: bytes) -> Reply:
        wire = self._open_wire() or await self._connect()
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reply = await wire.ask(request)
        except BaseException:
            wire.close()  # what may still arrive would be taken for the answer to another request
            raise
        if wire.is_open:
            self._idle.append(wire)
        return reply

    def _open_wire(self) -> Wire | None:
        while self._idle:
            wire = self._idle.pop()
            if wire.is_open:
                return wire
        return None

    async def _connect(self) -> Wire:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_LIMIT_S):
            _, wire = await loop.create_connection(Wire, self.address.host, self.address.port, ssl=self._tls)
        return wire

    def _request(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: object = None,
        idempotency_key: str | None = None,
    ) -> bytes:
        head = f"{method} {self.address.prefix}{path} HTTP/1.1\r\nHost: {self.address.host_header}\r\n"
        if token is not None:
            head += f"Authorization: Bearer {token}\r\n"
        if idempotency_key is not None:
            head += f"Idempotency-Key: {idempotency_key}\r\n"
        if body is None:
            length = "Content-Length: 0\r\n" if method == "POST" else ""
            return f"{head}{length}\r\n".encode()
        content = msgspec.json.encode(body)
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def _body(reply: Reply) -> bytes:
    if 200 <= reply.status < 300:
        return reply.body
    try:
        problem = msgspec.json.decode(reply.body, type=Problem)
    except msgspec.DecodeError:
        problem = Problem(title=reply.body[:200].decode(errors="replace"))
    raise ApiRefused(reply.status, problem)
