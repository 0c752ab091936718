"""Pushes to Android: as Google's reference has them, with one access token for all, and every answer understood."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from infra.push.google_tokens import ASKED_EVERY_S
from infra.push.line import RETRY_AFTER_S_MAX
from infra.push.port import PAYLOAD_BYTES_MAX, Gone, Later, Outcome, Push, Refused, Sent
from tests.gateways.loopback import listening
from tests.house.running import free_port
from tests.push.google import Google, Say, fcm, google, problem
from tests.push.samples import ANDROID, push

TO_ANDROID = push(token=ANDROID)


async def sent(server: Google, one: Push = TO_ANDROID, timeout_s: float = 5) -> Outcome:
    async with fcm(server, timeout_s) as gateway:
        return await gateway.send(one)


async def test_a_push_is_posted_as_the_reference_has_it() -> None:
    """Google, which checks our assertion and its own token, finds text, data and how to show it."""
    async with google() as server:
        assert await sent(server) == Sent()
    (message,) = server.pushed
    tag = TO_ANDROID.collapse_id
    assert message == {
        "token": ANDROID,
        "notification": {"title": TO_ANDROID.title, "body": TO_ANDROID.body},
        "data": dict(TO_ANDROID.data),
        "android": {
            "collapse_key": tag,
            "priority": "NORMAL",
            "ttl": "3600s",
            "notification": {"tag": tag, "notification_count": 2},
        },
    }


async def test_what_cannot_wait_says_so() -> None:
    """A phone that sleeps is woken for it, and only for it."""
    async with google() as server:
        await sent(server, TO_ANDROID._replace(is_urgent=True))
    assert server.pushed[0]["android"]["priority"] == "HIGH"


async def test_however_many_are_sent_one_asks_for_a_token() -> None:
    """Fifty at once, and fifty later, go with the same one."""
    async with google() as server, fcm(server) as gateway:
        for _ in range(2):
            assert set(await asyncio.gather(*(gateway.send(TO_ANDROID) for _ in range(50)))) == {Sent()}
    assert (server.tokens_asked, len(server.pushed)) == (1, 100)


async def test_a_token_is_renewed_before_it_is_over() -> None:
    """Five minutes before, so that none expires on the way."""
    now = 0.0
    async with google() as server, fcm(server, clock=lambda: now) as gateway:
        for now, asked in ((0.0, 1), (3_298.0, 1), (3_300.0, 2), (6_598.0, 2)):  # noqa: B007 - the clock reads it
            assert await gateway.send(TO_ANDROID) == Sent()
            assert server.tokens_asked == asked


async def test_a_token_that_is_not_taken_is_renewed_once() -> None:
    """Withdrawn tokens cost one more question, however many pushes find out at once; what is new is not renewed."""
    now = 0.0
    async with google() as server, fcm(server, clock=lambda: now) as gateway:
        await gateway.send(TO_ANDROID)
        server.good_tokens.clear()
        now = ASKED_EVERY_S
        assert set(await asyncio.gather(*(gateway.send(TO_ANDROID) for _ in range(20)))) == {Sent()}
        server.says.append(problem(401, "THIRD_PARTY_AUTH_ERROR"))
        assert await gateway.send(TO_ANDROID) == Later("Google says 401 THIRD_PARTY_AUTH_ERROR")
    assert server.tokens_asked == 2


async def test_a_token_that_cannot_be_renewed_serves_while_it_holds() -> None:
    """Google's tokens may be away for minutes, and no push waits for that."""
    now = 0.0
    async with google() as server, fcm(server, clock=lambda: now) as gateway:
        await gateway.send(TO_ANDROID)
        server.token_says.extend([Say(503)] * 2)
        for now, outcome in (  # noqa: B007 - the clock reads it
            (3_300.0, Sent()),
            (3_599.0, Later("Google gives no access token: 503")),
        ):
            assert await gateway.send(TO_ANDROID) == outcome


async def test_a_token_that_is_soon_over_is_used_all_the_same() -> None:
    """Nobody asks for one with every push, however short they live."""
    async with google(token_lifetime_s=60) as server, fcm(server, clock=lambda: 0.0) as gateway:
        for _ in range(3):
            assert await gateway.send(TO_ANDROID) == Sent()
    assert server.tokens_asked == 1


@pytest.mark.parametrize(
    ("say", "outcome"),
    [
        (problem(404, "UNREGISTERED"), Gone()),
        (problem(400, "INVALID_ARGUMENT"), Refused("Google says 400 INVALID_ARGUMENT")),
        (problem(400), Refused("Google says 400 INVALID_ARGUMENT")),
        (problem(400, "INVALID_ARGUMENT", field="message.data"), Refused("Google says 400 INVALID_ARGUMENT")),
        (problem(400, "INVALID_ARGUMENT", field="message.token"), Gone()),
        (problem(403, "SENDER_ID_MISMATCH"), Refused("Google says 403 SENDER_ID_MISMATCH")),
        (problem(429, "QUOTA_EXCEEDED"), Later("Google says 429 QUOTA_EXCEEDED", 60.0)),
        (problem(429, "QUOTA_EXCEEDED", "Retry-After: 7\r\n"), Later("Google says 429 QUOTA_EXCEEDED", 7.0)),
        (problem(429), Later("Google says 429 RESOURCE_EXHAUSTED", 60.0)),
        (problem(503, "UNAVAILABLE"), Later("Google says 503 UNAVAILABLE")),
        (problem(503, "UNAVAILABLE", "Retry-After: 30\r\n"), Later("Google says 503 UNAVAILABLE", 30.0)),
        (problem(500, "INTERNAL"), Later("Google says 500 INTERNAL")),
        (problem(403), Later("Google says 403 PERMISSION_DENIED")),
        (problem(404), Later("Google says 404 NOT_FOUND")),
        (problem(500, "evil\ncode"), Later("Google says 500")),
        (Say(502, b"<!DOCTYPE html><title>Error 502"), Later("Google says 502")),
        (Say(302, b"", "Location: https://evil.example/\r\n"), Later("Google says 302")),
        (Say(400, b"x" * 2_000_000), Refused("Google says 400")),
        (Say(200, b"nonsense"), Sent()),
    ],
)
async def test_every_answer_is_understood(say: Say, outcome: Outcome) -> None:
    """A dead token is one only if Google says so in so many words; where we may not send, pushes wait for us."""
    async with google() as server:
        server.says.append(say)
        assert await sent(server) == outcome
    assert len(server.posts) == 1


@pytest.mark.parametrize(
    ("said", "rest_s"),
    [("0", 0.0), ("99999999999999", RETRY_AFTER_S_MAX), ("-5", None), ("soon", None), ("1e9", None), ("", None)],
)
async def test_how_long_to_wait_is_within_reason(said: str, rest_s: float | None) -> None:
    """Whatever is asked for, nobody is forgotten for longer than an hour."""
    async with google() as server:
        server.says.append(problem(503, "UNAVAILABLE", f"Retry-After: {said}\r\n"))
        assert await sent(server) == Later("Google says 503 UNAVAILABLE", rest_s)


async def test_how_long_to_wait_may_be_a_moment() -> None:
    """The other form that RFC 9110 has."""
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    async with google() as server:
        server.says.append(problem(503, "UNAVAILABLE", f"Retry-After: {at}\r\n"))
        outcome = await sent(server)
    assert isinstance(outcome, Later)
    assert 90 < (outcome.rest_s or 0) <= 100


async def test_who_gives_no_token_is_not_pestered() -> None:
    """One question in ten seconds, whoever wants to send; then it goes on."""
    now = 0.0
    async with google() as server, fcm(server, clock=lambda: now) as gateway:
        server.token_says.append(Say(400, b'{"error":"invalid_grant","error_description":"secret"}'))
        why = Later("Google gives no access token: 400 invalid_grant")
        for _ in range(5):
            assert await gateway.send(TO_ANDROID) == why
        assert (server.tokens_asked, server.posts) == (1, [])
        now = ASKED_EVERY_S
        assert await gateway.send(TO_ANDROID) == Sent()


@pytest.mark.parametrize(
    "say",
    [
        Say(silent=True),
        Say(hang_up=True),
        Say(500),
        Say(200, b"x" * 2_000_000),
        Say(200, b'{"access_token":"a\\r\\nb","expires_in":9}'),
    ],
)
async def test_a_broken_token_is_none(say: Say) -> None:
    """Nothing is sent with half an answer, and nobody waits for a whole one for ever."""
    async with google() as server:
        server.token_says.extend([say, say])
        async with asyncio.timeout(5):
            assert isinstance(await sent(server, timeout_s=0.3), Later)
    assert not server.posts


async def test_an_assertion_of_anothers_key_brings_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in looks at the signature: what these tests show of tokens is worth something."""
    monkeypatch.setattr("infra.push.google_tokens.SCOPE", "https://www.googleapis.com/auth/cloud-platform")
    async with google() as server:
        assert await sent(server) == Later("Google gives no access token: 400 invalid_grant")


async def test_silence_ends_in_time_and_holds_up_no_other() -> None:
    """A push that is not answered is for later; those beside it go through meanwhile."""
    async with google() as server, fcm(server, 0.5) as gateway, asyncio.timeout(5):
        server.says.append(Say(silent=True))
        outcomes = await asyncio.gather(*(gateway.send(TO_ANDROID) for _ in range(10)))
    assert outcomes.count(Later("127.0.0.1 took too long")) == 1
    assert outcomes.count(Sent()) == 9


async def test_a_connection_that_breaks_costs_a_second_try() -> None:
    """Once; a server that always hangs up is away."""
    async with google() as server:
        server.says.append(Say(hang_up=True))
        assert await sent(server) == Sent()
        server.says.extend([Say(hang_up=True)] * 2)
        assert await sent(server) == Later("127.0.0.1 cannot be reached: RemoteProtocolError")


async def test_nobody_listens() -> None:
    """A refused connection is for later."""
    async with fcm(f"http://127.0.0.1:{free_port()}") as gateway:
        assert await gateway.send(TO_ANDROID) == Later("127.0.0.1 cannot be reached: ConnectError")


async def test_an_answer_that_trickles_in_is_none() -> None:
    """The time is for the whole answer, not for each byte."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 1_000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)  # slower than an answer may take, and never silent

    async with listening(trickle) as address, fcm(address, 0.3) as gateway, asyncio.timeout(5):
        assert await gateway.send(TO_ANDROID) == Later("127.0.0.1 took too long")


async def test_long_texts_are_shortened_and_the_rest_fits() -> None:
    """A push is never larger than Google takes, whatever a title holds; no sign is cut in two."""
    async with google() as server:
        assert await sent(server, TO_ANDROID._replace(title='团"\\' * 500, body="团购" * 5_000)) == Sent()
    shown = server.pushed[0]["notification"]
    assert shown["title"].startswith('团"\\团"\\')
    assert set(shown["body"]) == {"团", "购", "…"}
    assert len(server.posts[0].raw.partition(b"\r\n\r\n")[2]) < PAYLOAD_BYTES_MAX


async def test_what_cannot_fit_is_refused_unasked() -> None:
    """It would be refused there."""
    async with google() as server:
        outcome = await sent(server, TO_ANDROID._replace(data={"link": "x" * 4_000}))
    assert outcome == Refused("the push is too large")
    assert not server.posts


async def test_nothing_of_whom_and_what_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither tokens of phones nor ours nor texts are in a log or an answer, at whatever level."""
    caplog.set_level(logging.DEBUG)
    async with google() as server, fcm(server, 0.3) as gateway:
        server.says.extend([problem(500, "INTERNAL"), Say(silent=True)])
        told = [str(await gateway.send(TO_ANDROID)) for _ in range(3)]
    for secret in (ANDROID, "ya29", TO_ANDROID.title, "eyJ"):
        assert secret not in caplog.text + str(told)
