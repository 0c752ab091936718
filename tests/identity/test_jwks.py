"""A provider's keys: fetched once for all who wait, seldom whatever tokens name, and kept through its bad days."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.identity.fetching import ANSWER_BYTES_MAX, ProviderClient, ProviderUnavailable, may_ask
from infra.identity.jwks import FETCH_EVERY_S, KEPT_S, TRUSTED_S, KeySet
from tests.identity.openid_provider import OTHER_RSA, P256, RSA, OpenIdProvider, answer, jwk, openid_provider
from tests.waiting import eventually


@dataclass
class Clock:
    """Time that goes on when it is told to."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class House:
    """A provider, and its keys as one of our processes knows them."""

    provider: OpenIdProvider
    client: ProviderClient
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.keys = KeySet(f"{self.provider.base}/google/jwks", self.client, self.clock)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with openid_provider() as provider:
        client = ProviderClient(answer_timeout_s=0.5)
        yield House(provider, client)
        await client.close()


async def test_all_who_wait_share_one_fetch(house: House) -> None:
    """Two hundred sign-ins at once on a process that has just begun ask the provider once."""
    found = await asyncio.gather(*[house.keys.find("rsa-1" if number % 2 else "ec-1") for number in range(200)])
    assert {key.algorithm for key in found if key} == {"RS256", "ES256"}
    assert None not in found
    assert house.provider.fetches == 1


async def test_unknown_keys_lead_to_no_flood(house: House) -> None:
    """A thousand tokens with a thousand made-up names of keys lead to one fetch in ten seconds, not a thousand."""
    assert await house.keys.find("rsa-1")
    for second in range(3):
        house.clock.now_s += FETCH_EVERY_S
        names = [f"../../etc/{second}/{number}'; DROP TABLE keys" for number in range(1_000)]
        assert set(await asyncio.gather(*map(house.keys.find, names))) == {None}
    assert house.provider.fetches == 4
    assert await house.keys.find("rsa-1")
    assert house.provider.fetches == 4


async def test_a_rotated_key_is_found_by_its_name(house: House) -> None:
    """A token signed with a new key is good as soon as somebody may ask again; the old key is gone with it."""
    assert await house.keys.find("rsa-1")
    house.provider.keys = {"rsa-2": OTHER_RSA}
    assert await house.keys.find("rsa-2") is None
    house.clock.now_s += FETCH_EVERY_S
    found = await house.keys.find("rsa-2")
    assert found is not None
    assert found.public == OTHER_RSA.public_key()
    assert await house.keys.find("rsa-1") is None


async def test_a_withdrawn_key_is_good_for_an_hour_at_most(house: House) -> None:
    """Known keys are looked at anew every hour beside the next sign-in, although no token names an unknown one."""
    assert await house.keys.find("rsa-1")
    house.provider.keys = {"ec-1": P256}
    house.clock.now_s += KEPT_S - 1
    assert await house.keys.find("rsa-1")
    house.clock.now_s += 1
    assert await house.keys.find("rsa-1")

    async def is_gone() -> bool:
        return await house.keys.find("rsa-1") is None

    await eventually(is_gone, "the key is gone")
    assert house.provider.fetches == 2


async def test_a_known_key_waits_for_no_slow_provider(house: House) -> None:
    """However old it is, it is answered while the provider has still to answer; all who come share that one fetch."""
    assert await house.keys.find("rsa-1")
    may_answer = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await may_answer.wait()
        await answer(writer, house.provider.published())

    house.provider.say = late
    house.clock.now_s += KEPT_S
    for _ in range(20):
        assert await house.keys.find("rsa-1")
    house.provider.keys["rsa-2"] = OTHER_RSA
    unknown = asyncio.create_task(house.keys.find("rsa-2"))
    may_answer.set()
    assert await unknown
    assert house.provider.fetches == 2


async def test_a_key_is_trusted_for_a_day_while_the_provider_is_away(house: House) -> None:
    """Then it may have been withdrawn long ago: nothing can be said of a token, until the provider is back."""
    assert await house.keys.find("rsa-1")
    house.provider.say = _broken
    house.clock.now_s += TRUSTED_S - 1
    assert await house.keys.find("rsa-1")
    assert await house.keys.find("unknown") is None  # the fetch beside has failed by now
    house.clock.now_s += 1
    with pytest.raises(ProviderUnavailable):
        await house.keys.find("rsa-1")
    house.provider.say = None
    house.clock.now_s += FETCH_EVERY_S
    assert await house.keys.find("rsa-1")


async def _silent(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _dripping(writer: asyncio.StreamWriter) -> None:
    """A byte now and then: no single wait is long."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _huge(writer: asyncio.StreamWriter) -> None:
    await answer(writer, b'{"keys": [' + b" " * ANSWER_BYTES_MAX + b"]}")


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" " * 4_096)
        await writer.drain()


async def _zipped(writer: asyncio.StreamWriter) -> None:
    await answer(writer, b"\x1f\x8b", "200 OK", "content-encoding: gzip")


async def _no_json(writer: asyncio.StreamWriter) -> None:
    await answer(writer, b"<html>Back soon</html>")


async def _deep(writer: asyncio.StreamWriter) -> None:
    await answer(writer, b'{"keys": ' + b"[" * 20_000)


async def _no_keys(writer: asyncio.StreamWriter) -> None:
    await answer(writer, b'{"keys": []}')


async def _broken(writer: asyncio.StreamWriter) -> None:
    await answer(writer, b"", "503 Service Unavailable")


async def _hanging_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


BAD_DAYS = [_silent, _dripping, _huge, _endless, _zipped, _no_json, _deep, _no_keys, _broken, _hanging_up]


@pytest.mark.parametrize("say", BAD_DAYS)
async def test_on_a_bad_day_what_is_known_stays_known(house: House, say: object) -> None:
    """Slow, huge, broken or silent: keys fetched before are good still, and the provider is left alone for a while."""
    assert await house.keys.find("rsa-1")
    house.provider.say = say  # type: ignore[assignment]  # one of those above
    house.clock.now_s += KEPT_S
    assert await house.keys.find("rsa-1")
    assert await house.keys.find("unknown") is None
    assert house.provider.fetches == 2
    house.provider.say = None
    house.provider.keys["rsa-2"] = OTHER_RSA
    house.clock.now_s += FETCH_EVERY_S
    assert await house.keys.find("rsa-2")


@pytest.mark.parametrize("say", BAD_DAYS)
async def test_where_no_key_was_ever_heard_the_provider_is_unavailable(house: House, say: object) -> None:
    """Nothing can be said of a token then, neither good nor bad; and asking goes on seldom."""
    house.provider.say = say  # type: ignore[assignment]  # one of those above
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await house.keys.find("rsa-1")
    assert house.provider.fetches == 1


async def test_a_redirect_is_not_followed(house: House) -> None:
    """Whoever can make the provider point elsewhere gives us no keys, and makes us ask nobody."""
    async with openid_provider() as elsewhere:

        async def redirect(writer: asyncio.StreamWriter) -> None:
            await answer(writer, b"", "302 Found", f"location: {elsewhere.base}/google/jwks")

        house.provider.say = redirect
        with pytest.raises(ProviderUnavailable):
            await house.keys.find("rsa-1")
        assert elsewhere.fetches == 0


async def test_a_slow_provider_holds_up_nobody_else(house: House) -> None:
    """While keys are on their way the event loop turns, and one who hangs up does not end it for the others."""
    may_answer = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await may_answer.wait()
        await answer(writer, house.provider.published())

    house.provider.say = late
    patient = asyncio.create_task(house.keys.find("rsa-1"))
    hasty = asyncio.create_task(house.keys.find("rsa-1"))
    await eventually(_fetched(house), "the provider is asked")
    hasty.cancel()
    may_answer.set()
    assert await patient
    assert house.provider.fetches == 1


def _fetched(house: House) -> Callable[[], Awaitable[bool]]:
    async def fetched() -> bool:
        return house.provider.fetches == 1

    return fetched


WEAK = rsa.generate_private_key(65_537, 1_024)
LONG = rsa.generate_private_key(65_537, 4_160)


@pytest.mark.parametrize(
    "published",
    [
        {"kty": "oct", "kid": "odd", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "odd", "n": "not base64 \u2603", "e": "AQAB"},
        {"kty": "RSA", "kid": "odd", "n": "", "e": ""},
        {"kty": "EC", "kid": "odd", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "odd", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {**jwk(P256, "odd"), "crv": "P-384"},
        {"kid": "odd"},
        {"kty": "RSA", "kid": 7},
        "odd",
        None,
        [],
        jwk(WEAK, "odd"),
        jwk(LONG, "odd"),
        jwk(RSA, "odd", e="Aw"),
        jwk(RSA, "odd", use="enc"),
        jwk(RSA, "odd", alg="HS256"),
        jwk(RSA, "odd", alg="RS512"),
    ],
)
async def test_odd_keys_are_passed_over(house: House, published: object) -> None:
    """Symmetric, weak, slow, malformed or for other purposes: such a key is none, and the good ones beside it are."""
    house.provider.more_keys = [published]  # type: ignore[list-item]  # odd on purpose
    assert await house.keys.find("odd") is None
    assert await house.keys.find("rsa-1")


async def test_more_keys_than_anybody_has_are_a_broken_set(house: House) -> None:
    """A set that grows without end is not kept."""
    house.provider.more_keys = [jwk(RSA, f"key-{number}") for number in range(33)]
    assert len(house.provider.published()) < ANSWER_BYTES_MAX
    with pytest.raises(ProviderUnavailable):
        await house.keys.find("rsa-1")


@pytest.mark.parametrize(
    ("url", "is_asked"),
    [
        ("https://appleid.apple.com/auth/keys", True),
        ("http://127.0.0.1:8000/keys", True),
        ("http://[::1]:8000/keys", True),
        ("http://appleid.apple.com/auth/keys", False),
        ("http://localhost/keys", False),
        ("http://127.0.0.1.example.com/keys", False),
        ("http://169.254.169.254/latest", False),
        ("file:///etc/passwd", False),
    ],
)
def test_in_the_clear_only_this_machine_is_asked(url: str, *, is_asked: bool) -> None:
    """Anybody on the way could hand us keys of their own without TLS."""
    assert may_ask(httpx.URL(url)) is is_asked
