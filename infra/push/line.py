"""Asking a push service over HTTP: bounded in time and size, never redirected, and silent about tokens.

A connection that breaks, or that the other side has closed while nothing was said, costs a second try: the same push
sent twice is shown once. One of HTTP/2 that an answer was not read to the end on is given up: for httpcore 1.0 its
stream is over then, but to h2, which counts streams, it stays open for ever.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

import httpx
from h2.exceptions import H2Error

ANSWER_BYTES_MAX: Final = 64 * 1024
ANSWER_TIMEOUT_S: Final = 8.0
SILENCE_SHARE: Final = 0.6
"""After so much of that without a byte a connection is taken for dead: a box in between may have forgotten it. Whoever
waited for room on it has time for another."""
CONNECTIONS_MAX: Final = 64
"""Of HTTP/1 each carries one push at a time."""
KEPT_OPEN_S: Final = 300.0
ATTEMPTS: Final = 2
RETRY_AFTER_S_MAX: Final = 3_600.0

_BROKEN: Final = (httpx.ProtocolError, httpx.ReadError, httpx.WriteError, H2Error)
"""What a connection that breaks raises; httpcore hands on what h2 says while a body is read."""
_LOST: Final = (httpx.HTTPError, H2Error, OSError, RuntimeError)
"""The same and whatever else keeps an answer from us; RuntimeError is of a client that is closed meanwhile."""
_TELLTALES: Final = ("httpx", "httpcore", "hpack")
"""Their logs hold addresses and headers, which have tokens in them."""


class Answer(NamedTuple):
    """What was said; of a body without end the beginning."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def retry_after_s(self) -> float | None:
        """How long to wait (RFC 9110, 10.2.3), within reason."""
        said = self.headers.get("retry-after", "").strip()
        try:
            wait_s = float(said) if said.isdecimal() else _seconds_until(said)
        except (ValueError, OverflowError):
            return None
        return min(max(wait_s, 0.0), RETRY_AFTER_S_MAX)


class NoAnswer(Exception):  # noqa: N818 - named after what happened
    """Nobody there, too slow, or nothing that is HTTP; `str()` of it is for the log."""


class Line:
    """Connections to one origin; with `is_http2` one connection serves many at once."""

    def __init__(
        self,
        origin: str,
        *,
        is_http2: bool = False,
        trust: ssl.SSLContext | None = None,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._origin = httpx.URL(origin)
        self._is_http2 = is_http2
        self._timeout_s = timeout_s
        self._verify = trust or (httpx.create_ssl_context() if self._origin.scheme == "https" else False)
        for name in _TELLTALES:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = self._opened()
        self._given_up: dict[httpx.AsyncClient, asyncio.Task[None]] = {}

    async def post(self, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer, whatever its status; raises `NoAnswer`."""
        host = self._origin.host
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(self._origin.join(path), content, headers)
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer(f"{host} took too long") from None
        except _LOST as error:
            raise NoAnswer(f"{host} cannot be reached: {type(error).__name__}") from None

    async def close(self) -> None:
        closing = dict(self._given_up)
        for task in closing.values():
            task.cancel()
        for client in (*closing, self._client):
            await client.aclose()

    async def _post(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> Answer:
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._post_once(url, content, headers)
            except _BROKEN:
                continue
        return await self._post_once(url, content, headers)

    async def _post_once(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> Answer:
        client, is_whole = self._client, False
        try:
            async with client.stream("POST", url, content=content, headers=headers) as answer:
                body = bytearray()
                async for piece in answer.aiter_raw():  # nothing is unpacked: it was not asked for
                    body += piece
                    if len(body) > ANSWER_BYTES_MAX:
                        break
                else:
                    is_whole = True
                return Answer(answer.status_code, answer.headers, bytes(body))
        finally:
            if not is_whole:
                self._give_up(client)

    def _opened(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._verify,
            http1=not self._is_http2,
            http2=self._is_http2,
            timeout=self._timeout_s * SILENCE_SHARE,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=KEPT_OPEN_S),
            trust_env=False,
            headers={"accept": "application/json", "accept-encoding": "identity"},
        )

    def _give_up(self, client: httpx.AsyncClient) -> None:
        """Let nothing begin on these connections any more; what is under way on them may end."""
        if self._is_http2 and client is self._client:
            self._client = self._opened()
            self._given_up[client] = asyncio.create_task(self._close_by_and_by(client))

    async def _close_by_and_by(self, client: httpx.AsyncClient) -> None:
        try:
            await asyncio.sleep(self._timeout_s)
            await client.aclose()
        finally:
            self._given_up.pop(client, None)


def _seconds_until(moment: str) -> float:
    return (parsedate_to_datetime(moment).astimezone(UTC) - datetime.now(UTC)).total_seconds()
