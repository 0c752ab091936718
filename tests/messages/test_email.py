"""Letters: handed over encrypted or not at all, whole, and to one recipient."""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Any

import pytest

from infra.identity.recipients import email_recipient
from infra.messages.email import EmailMessages, SmtpServer
from infra.messages.port import Message, MessageNotSent
from tests.gateways.loopback import listening
from tests.house.running import free_port
from tests.messages.certificates import loopback_certificate
from tests.messages.smtp_server import MailServer, mail_server

SENDER = "codes@tuan.example"
CODE = Message(email_recipient("Mei@Example.com"), "123456 is your Tuan code.", subject="Your Tuan code", code="123456")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    return loopback_certificate(tmp_path)


def gateway(server: MailServer | int, timeout_s: float = 5, **more: Any) -> EmailMessages:
    port = server if isinstance(server, int) else server.port
    return EmailMessages(SmtpServer("127.0.0.1", port, **more), SENDER, timeout_s=timeout_s)


async def test_a_letter_is_plain_text_for_one_recipient() -> None:
    """Envelope and headers name the same two; it says that a program wrote it, and when."""
    async with mail_server() as server:
        await gateway(server).send(CODE)
    (letter,) = server.letters
    assert (letter.sender, letter.recipients) == (SENDER, ["mei@example.com"])
    read = letter.read
    assert (read["From"], read["To"], read["Subject"]) == (SENDER, "mei@example.com", "Your Tuan code")
    assert (read["Auto-Submitted"], read.get_content_type()) == ("auto-generated", "text/plain")
    assert read.get_content().strip() == CODE.text
    assert read["Date"]
    assert read["Message-ID"].endswith("@tuan.example>")


async def test_letters_have_ids_of_their_own() -> None:
    """Two letters are never taken for one."""
    async with mail_server() as server:
        await asyncio.gather(*(gateway(server).send(CODE) for _ in range(3)))
    assert len({letter.read["Message-ID"] for letter in server.letters}) == 3


@pytest.mark.parametrize(
    "subject", ["Hello\r\nBcc: evil@example.com", "Hello\nBcc: evil@example.com\n\nbuy", "团 购\r"]
)
async def test_no_text_becomes_a_header(subject: str) -> None:
    """A line end in a subject begins no other header, and no other recipient gets the letter."""
    async with mail_server() as server:
        await gateway(server).send(CODE._replace(subject=subject))
    (letter,) = server.letters
    assert letter.recipients == ["mei@example.com"]
    assert letter.read["Bcc"] is None
    assert letter.read["Subject"] == " ".join(subject.split())
    assert letter.read.get_content().strip() == CODE.text


async def test_the_text_arrives_as_it_is() -> None:
    """Lines that begin with a full stop end no letter, and signs of all languages come through."""
    text = ".\n..two\n.\r\nQUIT\nGrüße, 团购 " + "x" * 2_000
    async with mail_server() as server:
        await gateway(server).send(CODE._replace(text=text))
    (letter,) = server.letters
    assert letter.read.get_content().split() == text.split()


@pytest.mark.parametrize("is_tls_first", [True, False])
async def test_a_server_that_is_trusted_is_spoken_to_in_secret(
    certificate: tuple[Path, ssl.SSLContext], *, is_tls_first: bool
) -> None:
    """With TLS at once and with STARTTLS neither the password nor the letter goes in plain words."""
    file, tls = certificate
    trust = ssl.create_default_context(cafile=file)
    async with mail_server(tls=tls, is_tls_first=is_tls_first, password="pass word") as server:
        sender = gateway(server, tls=trust, is_tls_first=is_tls_first, user="me@example.com", password="pass word")
        await sender.send(CODE)
    (letter,) = server.letters
    assert (letter.was_encrypted, letter.user) == (True, "me@example.com")
    assert server.verbs.index("AUTH") > (-1 if is_tls_first else server.verbs.index("STARTTLS"))


@pytest.mark.parametrize("is_tls_first", [True, False])
async def test_a_server_that_nobody_vouches_for_gets_nothing(
    certificate: tuple[Path, ssl.SSLContext], *, is_tls_first: bool
) -> None:
    """A certificate of nobody's is no TLS: no password and no letter."""
    async with mail_server(tls=certificate[1], is_tls_first=is_tls_first, password="secret") as server:
        trust = ssl.create_default_context()
        sender = gateway(server, tls=trust, is_tls_first=is_tls_first, user="me", password="secret")
        with pytest.raises(MessageNotSent):
            await sender.send(CODE)
    assert not {"AUTH", "MAIL", "DATA"} & set(server.verbs)


async def test_where_tls_is_asked_for_there_is_no_way_without() -> None:
    """A server, or somebody on the way, that offers no STARTTLS gets neither password nor letter."""
    async with mail_server(password="secret") as server:
        sender = gateway(server, tls=ssl.create_default_context(), user="me", password="secret")
        with pytest.raises(MessageNotSent):
            await sender.send(CODE)
    assert not {"AUTH", "MAIL", "DATA"} & set(server.verbs)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"CONNECT": "554 go away"}, "554"),
        ({"MAIL": "550 not you"}, "550"),
        ({"RCPT": "550 no such mailbox mei@example.com"}, "SMTPRecipientsRefused"),
        ({"RCPT": "451 greylisted"}, "SMTPRecipientsRefused"),
        ({"DATA": "554 no"}, "554"),
        ({"EHLO": "nonsense"}, "SMTP"),
        ({"AUTH": "535 who"}, "535"),
    ],
)
async def test_a_refusal_is_told_without_the_message(
    says: dict[str, str], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever step says no, the letter is not sent, and neither error nor log holds the code or the recipient."""
    caplog.set_level(logging.DEBUG)
    async with mail_server(says=says, password="secret") as server:
        with pytest.raises(MessageNotSent, match=why) as refused:
            await gateway(server, user="me", password="secret").send(CODE)
    assert not server.letters
    assert "mei@" not in str(refused.value) + caplog.text
    assert "123456" not in str(refused.value) + caplog.text


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "DATA"])
async def test_silence_ends_in_time(verb: str) -> None:
    """A server that takes the connection and says nothing more holds nobody up for longer than set."""
    async with mail_server(says={verb: None}) as server, asyncio.timeout(5):
        with pytest.raises(MessageNotSent):
            await gateway(server, timeout_s=0.3).send(CODE)


async def test_nobody_listens() -> None:
    """A refused connection is a message that was not sent."""
    with pytest.raises(MessageNotSent):
        await gateway(free_port()).send(CODE)


async def test_an_answer_without_end_is_none() -> None:
    """The time is for the whole letter, not for each line of an answer."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.readuntil(b"\r\n")
        while not writer.is_closing():
            writer.write(b"250-and\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)  # never silent for as long as a line may take

    async with listening(trickle) as address, asyncio.timeout(5):
        with pytest.raises(MessageNotSent, match="TimeoutError"):
            await gateway(int(address.rpartition(":")[2]), timeout_s=0.3).send(CODE)
