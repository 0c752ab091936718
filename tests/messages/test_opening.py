"""Which way messages go, as settings describe it, and what an operator is told where something is missing."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from domain.errors import InvalidInput
from infra.cannot_start import WrongSetting
from infra.identity.recipients import email_recipient, phone_recipient
from infra.messages.console import ConsoleMessages
from infra.messages.console_rules import has_inbox
from infra.messages.email import EmailMessages, SmtpServer
from infra.messages.gateways import Messages, open_messages
from infra.messages.port import Message, MessageNotSent
from infra.settings import read_settings
from tests.gateways.loopback import Answer, stand_in
from tests.house.running import free_port
from tests.messages.smtp_server import mail_server

TEXT = "123456 is your Tuan code."
TO_A_PHONE = Message(phone_recipient("+447911123456"), TEXT, code="123456")
TO_AN_ADDRESS = Message(email_recipient("mei@example.com"), TEXT, code="123456")
SMS = {"TUAN_SMS_URL": "https://sms.example/send"}
SMTP = {"TUAN_SMTP_URL": "smtps://mail.example", "TUAN_MAIL_FROM": "codes@tuan.example"}
EVERYWHERE = {"TUAN_HOST": "0.0.0.0"}
CHOSEN = {"TUAN_MESSAGE_GATEWAY": "console"}
NONE = {"TUAN_MESSAGE_GATEWAY": "none"}


@pytest.fixture
def key(tmp_path: Path) -> dict[str, str]:
    """The setting that names the key of the SMS gateway."""
    file = tmp_path / "sms.key"
    file.write_text("0123456789abcdef0123456789abcdef\n")
    return {"TUAN_SMS_KEY_FILE": str(file)}


def opened(environment: Mapping[str, str], redis: Redis) -> Messages:
    return open_messages(read_settings(environment), redis)


@pytest.mark.parametrize(
    ("environment", "is_console", "is_inbox"),
    [
        ({}, True, True),
        ({"TUAN_HOST": "::1"}, True, True),
        ({"TUAN_HOST": "localhost"}, True, True),
        (EVERYWHERE, True, False),
        ({"TUAN_HOST": "tuan.example"}, True, False),
        ({"TUAN_TRUSTED_PROXIES": "127.0.0.1"}, True, False),
        (CHOSEN, True, True),
        (CHOSEN | EVERYWHERE, True, True),
        (NONE, False, False),
        (SMS, False, False),
        (SMTP, False, False),
        (SMS | CHOSEN, True, True),
        (SMS | SMTP | CHOSEN, False, False),
    ],
)
async def test_the_console_is_for_trying_out(
    environment: dict[str, str], *, is_console: bool, is_inbox: bool, key: dict[str, str], redis_client: Redis
) -> None:
    """By itself it takes messages where nothing is set up, and lists them at home only; else it must be asked for."""
    messages = opened(environment | key, redis_client)
    assert (messages.console is not None) == is_console
    assert has_inbox(read_settings(environment)) == is_inbox
    assert messages.console is None or messages.console.has_inbox == is_inbox
    await messages.close()


async def test_each_kind_goes_its_way(key: dict[str, str], redis_client: Redis) -> None:
    """Phones by the SMS gateway, addresses by the mail server, both as settings name them."""
    async with stand_in() as other, mail_server() as mail:
        other.answers.append(Answer())
        server = {"TUAN_SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "TUAN_MAIL_FROM": "codes@tuan.example"}
        messages = opened({"TUAN_SMS_URL": other.address} | key | server, redis_client)
        await messages.send(TO_A_PHONE)
        await messages.send(TO_AN_ADDRESS)
        await messages.close()
    assert len(other.asked) == 1
    assert [letter.recipients for letter in mail.letters] == [["mei@example.com"]]


async def test_what_has_no_way_out_is_a_wrong_field(key: dict[str, str], redis_client: Redis) -> None:
    """With text messages only, an address is refused as such: trying again is of no use."""
    messages = opened(SMS | key, redis_client)
    with pytest.raises(InvalidInput) as refused:
        await messages.send(TO_AN_ADDRESS)
    assert [problem.field for problem in refused.value.problems] == ["email"]
    await messages.close()


async def test_a_gateway_that_stays_away_is_one_line(key: dict[str, str], redis_client: Redis) -> None:
    """The log says once that messages are not sent, to nobody's number; each caller is told."""
    messages = opened({"TUAN_SMS_URL": f"http://127.0.0.1:{free_port()}"} | key, redis_client)
    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(MessageNotSent):
                await messages.send(TO_A_PHONE)
    assert [line["event"] for line in lines] == ["message_not_sent"]
    assert "7911123456" not in str(lines)
    await messages.close()


async def test_the_console_shows_what_it_takes(redis_client: Redis) -> None:
    """One line and, at home, the inbox; elsewhere the line only, and nothing is kept."""
    for environment, kept in (({}, [TEXT]), (EVERYWHERE, [])):
        await redis_client.flushall()
        console = opened(environment, redis_client).console
        assert isinstance(console, ConsoleMessages)
        with capture_logs() as lines:
            await console.send(TO_A_PHONE)
        assert [(line["event"], line["text"]) for line in lines] == [("message", TEXT)]
        assert [each.text for each in await console.inbox()] == kept


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        (SMS, "TUAN_SMS_KEY_FILE is not set"),
        (SMS | {"TUAN_SMS_KEY_FILE": "/nowhere/key"}, "TUAN_SMS_KEY_FILE.*cannot be read"),
        (SMS | {"TUAN_SMS_KEY_FILE": "/dev/null"}, "TUAN_SMS_KEY_FILE.*32 characters"),
        ({"TUAN_SMTP_URL": "smtps://mail.example"}, "TUAN_MAIL_FROM is not set"),
        ({"TUAN_MAIL_FROM": "codes@tuan.example"}, "TUAN_SMTP_URL is not; name"),
        (SMTP | {"TUAN_SMTP_URL": "smtps://me@mail.example"}, "TUAN_SMTP_PASSWORD_FILE is not set"),
        (SMTP | {"TUAN_SMTP_URL": "smtps://me:secret@mail.example"}, "TUAN_SMTP_URL must be"),
        (SMTP | {"TUAN_SMTP_URL": "smtps://mail.example/?tls=no"}, "TUAN_SMTP_URL must be"),
        ({"TUAN_SMTP_URL": "mail.example:25"}, "TUAN_SMTP_URL is"),
        ({"TUAN_SMTP_URL": "smtp://:25"}, "TUAN_SMTP_URL is"),
        ({"TUAN_SMTP_URL": "smtp://mail.example:99999"}, "TUAN_SMTP_URL is"),
        ({"TUAN_SMS_URL": "https://"}, "TUAN_SMS_URL is"),
        ({"TUAN_MAIL_FROM": "Tuan <codes@tuan.example>"}, "TUAN_MAIL_FROM is"),
        ({"TUAN_MAIL_FROM": "codes@tuan.example\r\nBcc: x@example.com"}, "TUAN_MAIL_FROM is"),
        ({"TUAN_MESSAGE_GATEWAY": "pigeon"}, "TUAN_MESSAGE_GATEWAY is"),
    ],
)
def test_what_is_missing_is_one_line(environment: dict[str, str], names: str, redis_client: Redis) -> None:
    """An operator reads which setting it is and what belongs there; a password is not repeated."""
    with pytest.raises(WrongSetting, match=names) as refused:
        opened(environment, redis_client)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://mail.example", ("mail.example", 465, None, True, True)),
        ("smtp://mail.example", ("mail.example", 587, None, True, False)),
        ("smtp://me%40tuan.example@mail.example:2525", ("mail.example", 2525, "me@tuan.example", True, False)),
        ("smtp://localhost", ("localhost", 25, None, False, False)),
        ("smtp://127.0.0.1:1025", ("127.0.0.1", 1025, None, False, False)),
        ("smtp://[::1]:1025", ("::1", 1025, None, False, False)),
        ("smtps://127.0.0.1", ("127.0.0.1", 465, None, True, True)),
    ],
)
def test_only_a_server_at_home_is_spoken_to_in_plain_words(
    url: str, expected: tuple[object, ...], tmp_path: Path, redis_client: Redis
) -> None:
    """`smtps` is TLS at once, `smtp` is STARTTLS, and the certificate's name is checked."""
    (tmp_path / "password").write_text("open sesame".replace(" ", "-"))
    named = {"TUAN_SMTP_URL": url, "TUAN_SMTP_PASSWORD_FILE": str(tmp_path / "password")}
    gateway = opened(SMTP | named, redis_client)._by_channel[TO_AN_ADDRESS.recipient.channel]
    assert isinstance(gateway, EmailMessages)
    server: SmtpServer = gateway._server
    assert (server.host, server.port, server.user, server.tls is not None, server.is_tls_first) == expected
    assert server.tls is None or server.tls.check_hostname
    assert server.password == ("open-sesame" if server.user else None)
