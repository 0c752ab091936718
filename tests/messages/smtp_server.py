"""A mail server on loopback that takes letters, or refuses them, as far as RFC 5321 goes for one client."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from tests.gateways.loopback import listening


@dataclass
class Letter:
    """What was handed over: the envelope, and the letter in it as it came."""

    sender: str
    recipients: list[str]
    raw: bytes
    was_encrypted: bool
    user: str | None

    @property
    def read(self) -> EmailMessage:
        message = message_from_bytes(self.raw, policy=SMTP)
        assert isinstance(message, EmailMessage)
        return message


@dataclass
class MailServer:
    """`says` replaces the answer to a verb, None is silence; with `tls` it offers STARTTLS, or begins with TLS."""

    says: dict[str, str | None] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    is_tls_first: bool = False
    password: str | None = None
    port: int = 0
    letters: list[Letter] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _Conversation(self, reader, writer).run()


class _Conversation:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._user: str | None = None
        self._sender = ""
        self._recipients: list[str] = []

    async def run(self) -> None:
        verb, line = "CONNECT", ""
        while verb != "QUIT":
            answer = self._server.says[verb] if verb in self._server.says else await self._answer(verb, line)
            if answer is None:
                await self._reader.read()  # until the other side gives up
                return
            self._writer.write(f"{answer}\r\n".encode())
            await self._writer.drain()
            if (verb, answer[:3]) == ("STARTTLS", "220"):
                await self._writer.start_tls(self._server.tls)  # type: ignore[arg-type]  # offered only where there is one
            line = (await self._reader.readuntil(b"\r\n")).decode().strip()
            verb = line.partition(" ")[0].upper()
            self._server.verbs.append(verb)

    async def _answer(self, verb: str, line: str) -> str:
        match verb:
            case "CONNECT":
                return "220 loopback ready"
            case "EHLO":
                return "\r\n".join(f"250-{word}" for word in self._offers()) + "\r\n250 HELP"
            case "AUTH":
                return self._log_in(line)
            case "MAIL":
                self._sender = line.partition("<")[2].partition(">")[0]
            case "RCPT":
                self._recipients.append(line.partition("<")[2].partition(">")[0])
            case "DATA":
                await self._take_letter()
            case "STARTTLS":
                return "220 go on"
        return "250 ok"

    def _offers(self) -> list[str]:
        yet_to_start = self._server.tls is not None and not self._is_encrypted
        return ["loopback", *(["STARTTLS"] if yet_to_start else []), *(["AUTH PLAIN"] if self._server.password else [])]

    def _log_in(self, line: str) -> str:
        _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
        if password != self._server.password:
            return "535 no"
        self._user = user
        return "235 yes"

    async def _take_letter(self) -> None:
        self._writer.write(b"354 go on\r\n")
        raw = (await self._reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        self._server.letters.append(Letter(self._sender, self._recipients, raw, self._is_encrypted, self._user))

    @property
    def _is_encrypted(self) -> bool:
        return self._writer.get_extra_info("ssl_object") is not None


@asynccontextmanager
async def mail_server(**made: Any) -> AsyncIterator[MailServer]:
    """A server that listens."""
    server = MailServer(**made)
    tls = server.tls if server.is_tls_first else None
    async with listening(server.serve, tls) as address:
        server.port = int(address.rpartition(":")[2])
        yield server
