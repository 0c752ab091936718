"""Apple's push service on loopback: HTTP/2 over TLS, for whoever has a provider token that holds.

Formats: https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns and
handling-notification-responses-from-apns there. As over there, a connection may begin with one stream at a time.
"""

import asyncio
import json
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, PingAckReceived, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from infra.push.apns import ApnsPush
from infra.push.apple_tokens import AppleKey, ProviderTokens
from infra.push.line import Line
from tests.gateways.loopback import listening
from tests.messages.certificates import loopback_certificate

TEAM = "TEAM123456"
KEY_ID = "KEY1234567"
TOPIC = "example.tuan.app"
STREAMS_MAX: Final = 20
PIECE_BYTES: Final = 16_384
NONSENSE: Final = bytes(9)
"""Data of no stream."""


@dataclass(frozen=True)
class Say:
    """An answer; `then` is what else happens: silence, a GOAWAY, a reset of the stream, the end of the connection.

    Of an answer that ends in nonsense no more than the status is one.
    """

    status: int = 200
    reason: str = ""
    more: tuple[tuple[str, Any], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    then: str = ""

    @property
    def content(self) -> bytes:
        if self.body is not None:
            return self.body
        return json.dumps({"reason": self.reason, **dict(self.more)}).encode() if self.reason else b""


@dataclass(frozen=True)
class Pushed:
    """A push that came: where to, its headers, and what a phone would show."""

    path: str
    headers: dict[str, str]
    payload: dict[str, Any]


@dataclass
class Apple:
    """What it says in the place of the right answer, and what came."""

    tls: ssl.SSLContext | None = None
    says: deque[Say] = field(default_factory=deque)
    asked: list[Pushed] = field(default_factory=list)
    pushed: list[Pushed] = field(default_factory=list)
    connections: int = 0
    address: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        self.connections += 1
        await _Conversation(self, reader, writer).run()

    def answer(self, pushed: Pushed) -> Say:
        self.asked.append(pushed)
        if self.says:
            return self.says.popleft()
        reason = _what_is_wrong_with(pushed)
        if reason:
            return Say(403, reason)
        self.pushed.append(pushed)
        return Say(headers=(("apns-id", pushed.headers["apns-id"]),))


class _Conversation:
    def __init__(self, server: Apple, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._heads: dict[int, dict[str, str]] = {}
        self._bodies: dict[int, bytearray] = {}
        self._left: dict[int, bytes] = {}
        self._is_trusted = False
        self._is_over = False

    async def run(self) -> None:
        self._h2.local_settings = Settings(client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: 1})
        self._h2.initiate_connection()
        while not self._is_over:
            self._writer.write(self._h2.data_to_send())
            await self._writer.drain()
            try:
                data = await self._reader.read(65_536)
                events = self._h2.receive_data(data) if data else []
            except (ProtocolError, ConnectionError):
                return
            if not data:
                return
            for event in events:
                self._hear(event)
        self._writer.write(self._h2.data_to_send())
        await self._writer.drain()

    def _hear(self, event: object) -> None:
        match event:
            case RequestReceived(stream_id=int(stream), headers=list(headers)):
                self._heads[stream] = {str(name): str(value) for name, value in headers}
                self._bodies[stream] = bytearray()
            case DataReceived(stream_id=int(stream), data=bytes(data), flow_controlled_length=int(length)):
                self._bodies[stream] += data
                self._h2.acknowledge_received_data(length, stream)
            case StreamEnded(stream_id=int(stream)):
                self._answer(stream)
            case StreamReset(stream_id=int(stream)):
                self._left.pop(stream, None)
            case PingAckReceived():
                self._writer.write(NONSENSE)
            case WindowUpdated():
                for stream in list(self._left):
                    self._say_on(stream)

    def _answer(self, stream: int) -> None:
        head = self._heads[stream]
        assert head[":method"] == "POST"
        say = self._server.answer(Pushed(head[":path"], head, json.loads(self._bodies[stream])))
        match say.then:
            case "silence":
                return
            case "reset":
                self._h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
            case "hang up":
                self._is_over = True
            case "nonsense":
                self._h2.send_headers(stream, [(":status", str(say.status))])
                self._h2.ping(b"are you?")  # whoever answers has read the status
            case "goaway":
                self._h2.close_connection(last_stream_id=max(stream - 2, 0), additional_data=b'{"reason":"Shutdown"}')
                self._is_over = True
            case _:
                self._say(stream, say)
                self._is_over = say.then == "say and hang up"
                self._let_in(say)

    def _say(self, stream: int, say: Say) -> None:
        self._h2.send_headers(stream, [(":status", str(say.status)), *say.headers], end_stream=not say.content)
        if say.content:
            self._left[stream] = say.content
            self._say_on(stream)

    def _say_on(self, stream: int) -> None:
        """As much as the other side has room for."""
        while stream in self._left:
            room = min(self._h2.local_flow_control_window(stream), PIECE_BYTES)
            piece, rest = self._left[stream][:room], self._left[stream][room:]
            if not piece:
                return
            self._h2.send_data(stream, piece, end_stream=not rest)
            self._left[stream] = rest
            if not rest:
                del self._left[stream]

    def _let_in(self, say: Say) -> None:
        if say.status == 200 and not self._is_trusted:
            self._is_trusted = True
            self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS_MAX})


@asynccontextmanager
async def apple(folder: Path) -> AsyncIterator[tuple[Apple, ssl.SSLContext]]:
    """The server, and whom to trust to reach it."""
    file, tls = loopback_certificate(folder)
    tls.set_alpn_protocols(["h2"])
    server = Apple(tls)
    async with listening(server.serve, tls) as server.address:
        yield server, ssl.create_default_context(cafile=file)


@asynccontextmanager
async def apns(
    server: Apple, trust: ssl.SSLContext | None, timeout_s: float = 5, clock: Callable[[], float] = time.time
) -> AsyncIterator[ApnsPush]:
    """A gateway that sends there."""
    tokens = ProviderTokens(AppleKey(apple_key(), KEY_ID, TEAM), clock)
    made = ApnsPush(TOPIC, tokens, Line(server.address, is_http2=True, trust=trust, timeout_s=timeout_s))
    try:
        yield made
    finally:
        await made.close()


@cache
def apple_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def apple_key_file(folder: Path) -> Path:
    """A key as Apple gives it out."""
    file = folder / f"AuthKey_{KEY_ID}.p8"
    file.write_bytes(apple_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def _what_is_wrong_with(pushed: Pushed) -> str:
    """The reason to refuse a provider token, or nothing."""
    scheme, _, token = pushed.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return "MissingProviderToken"
    try:
        claims = jwt.decode(
            token,
            apple_key().public_key(),
            algorithms=["ES256"],
            options={"require": ["iss", "iat"], "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return "InvalidProviderToken"
    if claims["iss"] != TEAM or jwt.get_unverified_header(token)["kid"] != KEY_ID:
        return "InvalidProviderToken"
    return "" if abs(time.time() - claims["iat"]) < 3_600 else "ExpiredProviderToken"
