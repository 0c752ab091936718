"""One keep-alive connection to a server, with one request on its way at a time."""

import asyncio
from typing import cast

from cli.http_reply import BrokenReply, Reply, take_reply


class ConnectionLost(Exception):  # noqa: N818  what happened
    """The connection ended before the answer was whole."""


class Wire(asyncio.Protocol):
    """Sends a request and completes a future with its answer; no tasks, no streams, so it costs little."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[Reply] | None = None

    @property
    def is_open(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes) -> "asyncio.Future[Reply]":
        """Send; the future raises ConnectionLost or BrokenReply when no answer can come."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(ConnectionLost("the server closed the connection"))
            return answer
        self._answer = answer
        self._transport.write(request)
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            reply = take_reply(self._received)
        except BrokenReply as error:
            self._finish(error)
            self.close()
            return
        if reply is not None:
            self._finish(reply)
            if not reply.keeps_alive:
                self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._finish(ConnectionLost(f"the connection ended: {exc}" if exc else "the server closed the connection"))

    def _finish(self, outcome: Reply | Exception) -> None:
        answer, self._answer = self._answer, None
        if answer is None or answer.done():
            return
        if isinstance(outcome, Reply):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)
