"""Letters by SMTP: plain text, over TLS unless the server is this machine's own."""

import asyncio
import ssl
from datetime import UTC, datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Final, NamedTuple

import aiosmtplib

from infra.ids import new_id
from infra.messages.port import Message, MessageNotSent

SENDING_TIMEOUT_S: Final = 8.0
CONNECTIONS_MAX: Final = 8
FINAL_FROM: Final = 500
"""RFC 5321, 4.2.1: below that another try may do."""


class _Unfolded(UnstructuredHeader, BaseHeader):
    """A long address in one piece, as RFC 2369 has it; else it would be cut up as if it were text."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_headers = HeaderRegistry()
_headers.map_to_type("list-unsubscribe", _Unfolded)
_POLICY: Final = SMTP.clone(header_factory=_headers)


class SmtpServer(NamedTuple):
    """Where letters are handed over; without `tls` nothing is encrypted, `is_tls_first` is TLS before any word."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    is_tls_first: bool = False


class EmailMessages:
    """Hands letters to one server, each over a connection of its own; what it takes it delivers."""

    def __init__(self, server: SmtpServer, sender: str, *, timeout_s: float = SENDING_TIMEOUT_S) -> None:
        self._server = server
        self._sender = sender
        self._domain = sender.rpartition("@")[2]
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(CONNECTIONS_MAX)

    async def send(self, message: Message) -> None:
        letter = self._letter(message)
        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                await self._hand_over(letter, message.recipient.address)
        except aiosmtplib.SMTPResponseException as refused:
            raise MessageNotSent(
                f"The mail server {self._server.host}: {type(refused).__name__} {refused.code}.",
                is_final=isinstance(refused, aiosmtplib.SMTPDataError) and refused.code >= FINAL_FROM,
            ) from refused
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise MessageNotSent(
                f"The mail server {self._server.host}: {type(refused).__name__}.",
                is_final=all(each.code >= FINAL_FROM for each in refused.recipients),
                is_of_recipient=True,
            ) from refused
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MessageNotSent(f"The mail server {self._server.host}: {type(error).__name__}.") from error

    async def close(self) -> None:
        return

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage(policy=_POLICY)
        letter["From"] = self._sender
        letter["To"] = message.recipient.address
        letter["Subject"] = " ".join(message.subject.split())  # a line end would begin another header
        letter["Date"] = format_datetime(datetime.now(UTC))
        letter["Message-ID"] = f"<{message.id or new_id()}@{self._domain}>"
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note is to answer it
        if message.no_more_link:
            letter["List-Unsubscribe"] = f"<{message.no_more_link}>"
            letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058: mail programs have a button
        letter.set_content(message.text)
        return letter

    async def _hand_over(self, letter: EmailMessage, recipient: str) -> None:
        server = self._server
        await aiosmtplib.send(
            letter,
            sender=self._sender,
            recipients=[recipient],
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            local_hostname=self._domain,
            timeout=self._timeout_s,
            tls_context=server.tls,
            use_tls=server.is_tls_first,
            start_tls=server.tls is not None and not server.is_tls_first,
        )
