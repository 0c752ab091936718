"""A provider's keys: fetched once for all who wait, seldom whatever tokens name, and known for so long."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from infra.identity.fetching import ProviderUnavailable
from infra.identity.jwks import FETCH_EVERY_S, KEPT_S, TRUSTED_S
from tests.identity.jwks.house import House, broken
from tests.identity.openid_provider import OTHER_RSA, P256, answer
from tests.waiting import eventually


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
    house.provider.say = broken
    house.clock.now_s += TRUSTED_S - 1
    assert await house.keys.find("rsa-1")
    assert await house.keys.find("unknown") is None  # the fetch beside has failed by now
    house.clock.now_s += 1
    with pytest.raises(ProviderUnavailable):
        await house.keys.find("rsa-1")
    house.provider.say = None
    house.clock.now_s += FETCH_EVERY_S
    assert await house.keys.find("rsa-1")


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
