"""Text messages by HTTP: signed, bounded in time, said twice at most, and with one id."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.identity.recipients import phone_recipient
from infra.messages.port import Message, MessageNotSent
from infra.messages.sms import SmsMessages
from tests.gateways.loopback import Answer, Asked, StandIn, listening, stand_in
from tests.house.running import free_port
from tests.messages.certificates import loopback_certificate

KEY = "0123456789abcdef0123456789abcdef"
CODE = Message(phone_recipient("+44 7911 123456"), "123456 is your Tuan code.", code="123456")
PAGE = (Path(__file__).parents[2] / "docs/messages.md").read_text()


async def sent(*answers: Answer, message: Message = CODE, timeout_s: float = 2) -> tuple[str, list[Asked]]:
    """Send to a gateway that answers so; why it was not sent, and what was asked."""
    async with stand_in() as other:
        other.answers.extend(answers)
        messages = SmsMessages(f"{other.address}/send", KEY.encode(), attempt_timeout_s=timeout_s)
        try:
            await messages.send(message)
        except MessageNotSent as error:
            return str(error), other.asked
        finally:
            await messages.close()
        return "", other.asked


def body_of(asked: Asked) -> bytes:
    return asked.raw.partition(b"\r\n\r\n")[2]


def recipe() -> Callable[[str, str, bytes], bool]:
    """`is_from_tuan` as docs/messages.md has it."""
    (code,) = re.findall("```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[[str, str, bytes], bool] = names["is_from_tuan"]
    return found


async def test_a_message_is_posted_and_signed_as_the_page_says() -> None:
    """The page's recipe takes what was sent, and nothing else."""
    why, (asked,) = await sent(Answer(202, b""))
    assert not why
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", "/send", "application/json")
    told = json.loads(body_of(asked))
    assert (set(told), told["to"], told["text"]) == ({"id", "to", "text"}, "+447911123456", CODE.text)
    header, is_from_tuan = asked.headers["tuan-signature"], recipe()
    assert is_from_tuan(KEY, header, body_of(asked))
    assert not is_from_tuan(KEY, header, body_of(asked).replace(b"123456", b"654321"))
    assert not is_from_tuan(KEY[::-1], header, body_of(asked))
    old = header.replace(header[2:12], str(int(time.time()) - 600))
    assert not is_from_tuan(KEY, old, body_of(asked))


def test_the_pages_example_is_signed_with_the_key_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes the other side can try it on the example."""
    header, body = re.findall(r"Tuan-Signature: (\S+)\n\n(\{.*\})\n", PAGE)[0]
    monkeypatch.setattr(time, "time", lambda: 1767225600)
    assert f"`{KEY}`" in PAGE
    assert recipe()(KEY, header, body.encode())


@pytest.mark.parametrize("first", [Answer(500), Answer(503), Answer(silent=True)])
async def test_what_went_wrong_over_there_is_said_once_more(first: Answer) -> None:
    """The second time is the same message with the same id; then it was sent."""
    why, asked = await sent(first, Answer(), timeout_s=0.3)
    assert not why
    assert len(asked) == 2
    assert body_of(asked[0]) == body_of(asked[1])


async def test_messages_have_ids_of_their_own() -> None:
    """Two messages with the same text are two."""
    _, first = await sent(Answer())
    _, second = await sent(Answer())
    assert body_of(first[0]) != body_of(second[0])


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([Answer(500), Answer(500)], "answered 500"),
        ([Answer(silent=True), Answer(silent=True)], "no answer"),
        ([Answer(503), Answer(silent=True)], "no answer"),
        ([Answer(400)], "answered 400"),
        ([Answer(401)], "answered 401"),
        ([Answer(429)], "answered 429"),
        ([Answer(302)], "answered 302"),
        ([Answer(500), Answer(404)], "answered 404"),
    ],
)
async def test_twice_is_enough_and_a_refusal_is_final(
    answers: list[Answer], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told why, without the message: neither error nor log holds the code or the number."""
    caplog.set_level(logging.DEBUG)
    told, asked = await sent(*answers, timeout_s=0.3)
    assert why in told
    assert len(asked) == len(answers)
    assert "7911123456" not in told + caplog.text
    assert CODE.text not in told + caplog.text


async def test_nobody_listens() -> None:
    """A refused connection is a message that was not sent."""
    messages = SmsMessages(f"http://127.0.0.1:{free_port()}/", KEY.encode())
    with pytest.raises(MessageNotSent, match="ConnectError"):
        await messages.send(CODE)
    await messages.close()


async def test_an_answer_that_trickles_in_is_none() -> None:
    """The time is for the whole attempt, not for each byte; and nobody waits for a body."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 1_000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)  # slower than the attempt may take, and never silent

    async with listening(trickle) as address:
        messages = SmsMessages(address, KEY.encode(), attempt_timeout_s=0.3)
        async with asyncio.timeout(5):
            with pytest.raises(MessageNotSent, match="TimeoutError"):
                await messages.send(CODE)
        await messages.close()


async def test_a_body_without_end_is_not_waited_for() -> None:
    """The status says it all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nand so on")
        await reader.read()

    async with listening(answer) as address:
        messages = SmsMessages(address, KEY.encode())
        async with asyncio.timeout(5):
            await messages.send(CODE)
        await messages.close()


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_a_gateway_that_nobody_vouches_for_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_trusted: bool
) -> None:
    """Over https the certificate counts: of an authority, or of those the operator names in SSL_CERT_FILE."""
    file, tls = loopback_certificate(tmp_path)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    other = StandIn("")
    other.answers.append(Answer())
    async with listening(other.serve, tls) as address:
        messages = SmsMessages(address, KEY.encode())
        if is_trusted:
            await messages.send(CODE)
        else:
            with pytest.raises(MessageNotSent):
                await messages.send(CODE)
        await messages.close()
    assert len(other.asked) == is_trusted
