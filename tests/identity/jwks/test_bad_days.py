"""A provider's bad days: slow, silent, huge, broken or pointing elsewhere, and what is known of its keys then."""

import asyncio

import pytest

from infra.identity.fetching import ANSWER_BYTES_MAX, ProviderUnavailable
from infra.identity.jwks import FETCH_EVERY_S, KEPT_S
from tests.identity.jwks.house import House, broken
from tests.identity.openid_provider import OTHER_RSA, answer, openid_provider


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


async def _hanging_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


BAD_DAYS = [_silent, _dripping, _huge, _endless, _zipped, _no_json, _deep, _no_keys, broken, _hanging_up]


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
