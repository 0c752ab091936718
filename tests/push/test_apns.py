"""Pushes to iPhones: over HTTP/2 with the headers Apple asks for, one provider token, and every reason understood."""

import asyncio
import json
import logging
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from infra.push.apns import ApnsPush
from infra.push.line import ATTEMPTS
from infra.push.port import PAYLOAD_BYTES_MAX, Gone, Later, Outcome, Refused, Sent
from tests.house.running import free_port
from tests.push.apple import STREAMS_MAX, TOPIC, Apple, Say, apns, apple
from tests.push.samples import IPHONE, PUSH, push

Server = tuple[Apple, ssl.SSLContext]


@pytest.fixture
async def reached(tmp_path: Path) -> AsyncIterator[Server]:
    async with apple(tmp_path) as made:
        yield made


@pytest.fixture
def server(reached: Server) -> Apple:
    return reached[0]


@pytest.fixture
async def gateway(reached: Server) -> AsyncIterator[ApnsPush]:
    async with apns(*reached) as made:
        yield made


async def test_a_push_is_posted_as_the_reference_has_it(server: Apple, gateway: ApnsPush) -> None:
    """Apple, which checks our token, finds whom it is for, what it replaces, until when it counts, and the text."""
    assert await gateway.send(PUSH) == Sent()
    (pushed,) = server.pushed
    assert pushed.path == f"/3/device/{IPHONE}"
    told = {name: value for name, value in pushed.headers.items() if name.startswith("apns-")}
    assert abs(int(told.pop("apns-expiration")) - time.time() - PUSH.good_for_s) < 5
    assert told == {
        "apns-id": str(PUSH.id),
        "apns-topic": TOPIC,
        "apns-push-type": "alert",
        "apns-priority": "5",
        "apns-collapse-id": PUSH.collapse_id,
    }
    alert = {"title": PUSH.title, "body": PUSH.body}
    assert pushed.payload == {"aps": {"alert": alert, "badge": 2, "sound": "default"}, **PUSH.data}


async def test_what_cannot_wait_says_so(server: Apple, gateway: ApnsPush) -> None:
    """A phone that sleeps is woken for it, and only for it."""
    await gateway.send(push(is_urgent=True))
    assert server.pushed[0].headers["apns-priority"] == "10"


async def test_many_share_a_connection_and_a_token(server: Apple, gateway: ApnsPush) -> None:
    """A hundred at once, though a connection begins with one stream at a time."""
    assert set(await asyncio.gather(*(gateway.send(PUSH) for _ in range(100)))) == {Sent()}
    assert server.connections == 1
    assert len({pushed.headers["authorization"] for pushed in server.pushed}) == 1


async def test_the_provider_token_lives_for_forty_minutes(reached: Server) -> None:
    """The same for all pushes until then: Apple takes none older than an hour, nor a new one every minute."""
    begun = now = time.time() - 2_500
    async with apns(*reached, clock=lambda: now) as gateway:
        for now in (begun, begun + 1_300, begun + 2_399, begun + 2_401, begun + 2_500):  # noqa: B007 - the clock reads it
            assert await gateway.send(PUSH) == Sent()
    tokens = [pushed.headers["authorization"].split()[1] for pushed in reached[0].pushed]
    assert [tokens.count(token) for token in dict.fromkeys(tokens)] == [3, 2]
    issued = [jwt.decode(token, options={"verify_signature": False})["iat"] for token in dict.fromkeys(tokens)]
    assert issued == [int(begun), int(begun + 2_401)]


async def test_a_token_said_to_be_old_is_renewed(reached: Server) -> None:
    """The push goes with a new one; that is followed by none for twenty minutes, and the push waits."""
    server, now = reached[0], time.time() - 1_300
    async with apns(*reached, clock=lambda: now) as gateway:
        assert await gateway.send(PUSH) == Sent()
        server.says.extend([Say(403, "ExpiredProviderToken"), Say(), Say(403, "ExpiredProviderToken")])
        now += 1_200
        assert await gateway.send(PUSH) == Sent()
        now += 1_199
        assert await gateway.send(PUSH) == Later("Apple says 403 ExpiredProviderToken")
    tokens = [asked.headers["authorization"] for asked in server.asked]
    assert tokens[0] == tokens[1] != tokens[2] == tokens[3]
    assert len(tokens) == 4


SINCE_MS = 1_767_225_600_123


@pytest.mark.parametrize(
    ("say", "outcome"),
    [
        (Say(400, "BadDeviceToken"), Gone()),
        (Say(410, "Unregistered", (("timestamp", SINCE_MS),)), Gone(datetime.fromtimestamp(SINCE_MS / 1_000, UTC))),
        (Say(410, "ExpiredToken", (("timestamp", SINCE_MS),)), Gone(datetime.fromtimestamp(SINCE_MS / 1_000, UTC))),
        (Say(410, "Unregistered", (("timestamp", 10**30),)), Gone()),
        (Say(410, body=b"nonsense"), Gone()),
        (Say(429, "TooManyRequests"), Later("Apple says 429 TooManyRequests", is_of_one=True)),
        (Say(503, "Shutdown", headers=(("retry-after", "9"),)), Later("Apple says 503 Shutdown", 9.0)),
        (Say(429, "TooManyProviderTokenUpdates"), Later("Apple says 429 TooManyProviderTokenUpdates")),
        (Say(500, "InternalServerError"), Later("Apple says 500 InternalServerError")),
        (Say(503, "ServiceUnavailable"), Later("Apple says 503 ServiceUnavailable")),
        (Say(503, "Shutdown"), Later("Apple says 503 Shutdown")),
        (Say(403, "InvalidProviderToken"), Later("Apple says 403 InvalidProviderToken")),
        (Say(403, "MissingProviderToken"), Later("Apple says 403 MissingProviderToken")),
        (Say(403, "BadCertificateEnvironment"), Later("Apple says 403 BadCertificateEnvironment")),
        (Say(403, "Forbidden"), Later("Apple says 403 Forbidden")),
        (Say(400, "BadTopic"), Later("Apple says 400 BadTopic")),
        (Say(400, "MissingTopic"), Later("Apple says 400 MissingTopic")),
        (Say(400, "TopicDisallowed"), Later("Apple says 400 TopicDisallowed")),
        (Say(400, "IdleTimeout"), Later("Apple says 400 IdleTimeout")),
        (Say(400, "DeviceTokenNotForTopic"), Refused("Apple says 400 DeviceTokenNotForTopic")),
        (Say(400, "BadCollapseId"), Refused("Apple says 400 BadCollapseId")),
        (Say(400, "PayloadEmpty"), Refused("Apple says 400 PayloadEmpty")),
        (Say(404, "BadPath"), Refused("Apple says 404 BadPath")),
        (Say(405, "MethodNotAllowed"), Refused("Apple says 405 MethodNotAllowed")),
        (Say(413, "PayloadTooLarge"), Refused("Apple says 413 PayloadTooLarge")),
        (Say(500, "evil\r\nreason"), Later("Apple says 500")),
        (Say(502, body=b"<html>"), Later("Apple says 502")),
        (Say(302, headers=(("location", "https://evil.example/"),)), Later("Apple says 302")),
    ],
)
async def test_every_reason_is_understood(server: Apple, gateway: ApnsPush, say: Say, outcome: Outcome) -> None:
    """A token is dead only if Apple says so, whatever our topic is; where we may not send, pushes wait for us."""
    server.says.append(say)
    assert await gateway.send(PUSH) == outcome
    assert len(server.asked) == 1


@pytest.mark.parametrize("token", ["", "xyz", "../../evil", "0a1b%2f", "0a\r\nb", "ab" * 201])
async def test_what_cannot_be_a_token_is_none(server: Apple, gateway: ApnsPush, token: str) -> None:
    """Nobody's registration reaches another address of Apple's than its own."""
    assert await gateway.send(push(token=token)) == Gone()
    assert server.connections == 0


@pytest.mark.parametrize("then", ["goaway", "hang up", "reset"])
async def test_a_connection_that_ends_costs_a_second_try(server: Apple, gateway: ApnsPush, then: str) -> None:
    """The same push with the same id, on another connection."""
    assert await gateway.send(PUSH) == Sent()
    server.says.append(Say(then=then))
    assert await gateway.send(PUSH) == Sent()
    assert len({asked.headers["apns-id"] for asked in server.asked}) == 1


@pytest.mark.parametrize("then", ["hang up", "reset"])
async def test_twice_is_enough(server: Apple, gateway: ApnsPush, then: str) -> None:
    """A service that only ever hangs up is away; then it is there again."""
    server.says.extend([Say(then=then)] * ATTEMPTS)
    assert await gateway.send(PUSH) == Later("127.0.0.1 cannot be reached: RemoteProtocolError")
    assert await gateway.send(PUSH) == Sent()


async def test_what_was_under_way_at_a_goaway_comes_through(server: Apple, gateway: ApnsPush) -> None:
    """Twenty at once, and the connection ends at the fifth: all are sent."""
    assert await gateway.send(PUSH) == Sent()
    server.says.extend([Say()] * 4 + [Say(then="goaway")])
    assert set(await asyncio.gather(*(gateway.send(PUSH) for _ in range(20)))) == {Sent()}
    assert server.connections > 1


async def test_a_connection_closed_while_nothing_was_said_costs_no_push(server: Apple, gateway: ApnsPush) -> None:
    """Apple closes those that are idle; the next push finds out and takes another."""
    server.says.append(Say(then="say and hang up"))
    assert await gateway.send(PUSH) == Sent()
    assert await gateway.send(PUSH) == Sent()
    assert server.connections == 2


async def test_silence_ends_in_time_and_holds_up_no_other(reached: Server) -> None:
    """A stream that is not answered is for later; those beside it go through meanwhile, and after it."""
    async with apns(*reached, timeout_s=1.0) as gateway, asyncio.timeout(9):
        assert await gateway.send(PUSH) == Sent()
        reached[0].says.append(Say(then="silence"))
        outcomes = await asyncio.gather(*(gateway.send(PUSH) for _ in range(10)))
        assert outcomes.count(Sent()) == 9
        assert outcomes.count(Later("127.0.0.1 took too long")) == 1
        assert await gateway.send(PUSH) == Sent()


async def test_streams_that_were_never_answered_use_up_no_connection(reached: Server) -> None:
    """More of them than may be open at once, and pushes still go through."""
    server, _ = reached
    async with apns(*reached, timeout_s=1.0) as gateway, asyncio.timeout(9):
        for _ in range(2):
            server.says.extend([Say(then="silence")] * STREAMS_MAX)
            await asyncio.gather(*(gateway.send(PUSH) for _ in range(STREAMS_MAX)))
            server.says.clear()
            assert await gateway.send(PUSH) == Sent()


async def test_an_answer_without_end_is_cut_off(server: Apple, gateway: ApnsPush) -> None:
    """Its status counts, nobody keeps the rest, and the next pushes go through."""
    huge = Say(400, body=json.dumps({"reason": "BadDeviceToken", "more": "x" * 3_000_000}).encode())
    for _ in range(3):
        server.says.append(huge)
        assert await gateway.send(PUSH) == Refused("Apple says 400")
        assert await gateway.send(PUSH) == Sent()


async def test_what_is_not_http_is_no_answer(server: Apple, gateway: ApnsPush) -> None:
    """A body that ends in nonsense costs a second try, then the push is for later, and no fault of ours."""
    server.says.extend([Say(400, "BadTopic", then="nonsense")] * ATTEMPTS)
    assert await gateway.send(PUSH) == Later("127.0.0.1 cannot be reached: ProtocolError")
    assert await gateway.send(PUSH) == Sent()


async def test_a_server_that_nobody_vouches_for_gets_nothing(reached: Server) -> None:
    """A certificate of nobody's is no Apple: no token of ours and no push."""
    async with apns(reached[0], None) as gateway:
        assert await gateway.send(PUSH) == Later("127.0.0.1 cannot be reached: ConnectError")
    assert not reached[0].asked


async def test_nobody_listens() -> None:
    """A refused connection is for later."""
    async with apns(Apple(address=f"https://127.0.0.1:{free_port()}"), None) as gateway:
        assert await gateway.send(PUSH) == Later("127.0.0.1 cannot be reached: ConnectError")


async def test_long_texts_are_shortened_and_the_rest_fits(server: Apple, gateway: ApnsPush) -> None:
    """A push is never larger than Apple takes, whatever a title holds; what cannot fit is refused unasked."""
    assert await gateway.send(push(title='团"\\' * 500, body="团购" * 5_000)) == Sent()
    assert len(json.dumps(server.pushed[0].payload, ensure_ascii=False).encode()) < PAYLOAD_BYTES_MAX
    assert await gateway.send(push(data={"link": "x" * 4_000})) == Refused("the push is too large")
    assert len(server.asked) == 1


async def test_nothing_of_whom_and_what_is_logged(reached: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Neither tokens of phones nor ours nor texts are in a log or an answer, at whatever level."""
    caplog.set_level(logging.DEBUG)
    async with apns(*reached, timeout_s=1.0) as gateway:
        reached[0].says.extend([Say(403, "InvalidProviderToken"), Say(then="silence")])
        told = [str(await gateway.send(PUSH)) for _ in range(3)]
    for secret in (IPHONE, "eyJ", PUSH.title):
        assert secret not in caplog.text + str(told)
