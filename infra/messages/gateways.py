"""Which message leaves by which gateway, as the settings say."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx
import structlog
from redis.asyncio import Redis

from domain.errors import FieldProblem, InvalidInput
from infra.cannot_start import WrongSetting
from infra.identity.codes import Channel, Recipient
from infra.messages.console import ConsoleMessages
from infra.messages.console_rules import has_inbox, is_console_used, is_this_machine
from infra.messages.email import EmailMessages, SmtpServer
from infra.messages.port import Message, MessageGateway, MessageNotSent
from infra.messages.sms import SmsMessages
from infra.secret_files import read_secret
from infra.settings import Settings

SMS_KEY_CHARACTERS_MIN: Final = 32
SMTPS_PORT: Final = 465
SUBMISSION_PORT: Final = 587
LOCAL_SMTP_PORT: Final = 25

_log = structlog.get_logger(__name__)


class Messages:
    """All ways out. `console` is there while it takes some of the messages."""

    def __init__(self, by_channel: Mapping[Channel, MessageGateway], console: ConsoleMessages | None) -> None:
        self._by_channel = by_channel
        self._said = ""
        self.console = console

    async def send(self, message: Message) -> None:
        """Hand a message over; raises `MessageNotSent`, and `InvalidInput` where nothing carries messages there."""
        self.check(message.recipient)
        try:
            await self._by_channel[message.recipient.channel].send(message)
        except MessageNotSent as error:
            self._say_once(str(error))
            raise
        self._said = ""

    def check(self, recipient: Recipient) -> None:
        """Raises `InvalidInput` where nothing carries messages there."""
        channel = recipient.channel
        if channel not in self._by_channel:
            raise InvalidInput([FieldProblem(channel, "no message can be sent there from here; give another address")])

    async def close(self) -> None:
        for gateway in self._by_channel.values():
            await gateway.close()

    def _say_once(self, why: str) -> None:
        """That it is still away is no news."""
        if why != self._said:
            self._said = why
            _log.warning("message_not_sent", why=why)


def open_messages(settings: Settings, redis: Redis) -> Messages:
    """Raises `WrongSetting` for a gateway that lacks what it needs to work."""
    by_channel: dict[Channel, MessageGateway] = {}
    if settings.sms_url:
        by_channel[Channel.PHONE] = _sms(settings)
    if settings.mail_from and not settings.smtp_url:
        raise WrongSetting("TUAN_MAIL_FROM is set and TUAN_SMTP_URL is not; name the server that letters go through.")
    if settings.smtp_url:
        by_channel[Channel.EMAIL] = EmailMessages(_smtp_server(settings), _sender(settings))
    console = ConsoleMessages(redis, has_inbox=has_inbox(settings)) if is_console_used(settings) else None
    return Messages((dict.fromkeys(Channel, console) if console else {}) | by_channel, console)


def _sms(settings: Settings) -> SmsMessages:
    what = f"the key shared with the SMS gateway ({SMS_KEY_CHARACTERS_MIN} characters or more)"
    key = read_secret("TUAN_SMS_KEY_FILE", settings.sms_key_file, what, characters_min=SMS_KEY_CHARACTERS_MIN)
    return SmsMessages(settings.sms_url, key.encode())


def _sender(settings: Settings) -> str:
    if not settings.mail_from:
        raise WrongSetting("TUAN_MAIL_FROM is not set; name the address that letters come from.")
    return settings.mail_from


def _smtp_server(settings: Settings) -> SmtpServer:
    """`smtps://` is TLS at once, `smtp://` STARTTLS and nothing without it, but for a server on this machine."""
    given = urlsplit(settings.smtp_url)
    if not given.hostname or given.password is not None or given.path.strip("/") or given.query:
        raise WrongSetting(
            "TUAN_SMTP_URL must be smtps://user@host:port; the password goes to TUAN_SMTP_PASSWORD_FILE."
        )
    is_tls_first = given.scheme == "smtps"
    is_encrypted = is_tls_first or not is_this_machine(given.hostname)
    standard_port = SMTPS_PORT if is_tls_first else SUBMISSION_PORT if is_encrypted else LOCAL_SMTP_PORT
    user, password = None, None
    if given.username:
        user = unquote(given.username)
        password = read_secret("TUAN_SMTP_PASSWORD_FILE", settings.smtp_password_file, "the mail server's password")
    tls = httpx.create_ssl_context() if is_encrypted else None
    return SmtpServer(given.hostname, given.port or standard_port, user, password, tls, is_tls_first)
