"""How keys are judged: looked up at most once a second, in a bounded memory, with their uses noted beside."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from litestar import Litestar
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity import key_verifier
from infra.identity.key_verifier import LOOK_UPS_AT_ONCE, NOTED_EVERY_S, REMEMBERED_S, WAIT_S, KeyVerifier
from infra.runtime import Runtime
from infra.tokens import TokenRefused
from tests.api.people import Town
from tests.identity.houses import House, approved

UNKNOWN = "tuan_sk_0123456789ab_" + "A" * 43


class Clock:
    """A clock that is moved by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def house(app: Litestar, town: Town) -> House:
    return await approved(app, town)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def verifier(app: Litestar, house: House, clock: Clock) -> KeyVerifier:  # noqa: ARG001 - the app runs with it
    runtime: Runtime = app.state.runtime
    return KeyVerifier(runtime.engine, runtime.revocations, clock)


async def test_a_key_good_or_not_is_looked_up_once_a_second(
    app: Litestar, house: House, verifier: KeyVerifier, clock: Clock
) -> None:
    """However often it comes; what has no form of a key is not looked up at all."""
    good = (await house.key("orders:read"))["key"]
    with _look_ups(app) as seen:
        for _ in range(50):
            await verifier.verify(good)
            for wrong in (UNKNOWN, "tuan_sk_nonsense"):
                with pytest.raises(TokenRefused):
                    await verifier.verify(wrong)
        assert len(seen) == 2
        clock.now += REMEMBERED_S
        await verifier.verify(good)
        assert len(seen) == 3


async def test_keys_that_come_at_once_share_few_look_ups(app: Litestar, house: House, verifier: KeyVerifier) -> None:
    """The same one is looked up by those who go first; a flood of wrong ones leaves connections to others."""
    good = (await house.key("orders:read"))["key"]
    with _look_ups(app) as seen:
        await asyncio.gather(*[verifier.verify(good) for _ in range(50)])
        assert len(seen) <= LOOK_UPS_AT_ONCE
        wrong = [verifier.verify(f"tuan_sk_{number:012x}_{'A' * 43}") for number in range(50)]
        assert all(isinstance(each, TokenRefused) for each in await asyncio.gather(*wrong, return_exceptions=True))
    assert seen.at_once_max <= LOOK_UPS_AT_ONCE


async def test_a_key_that_was_good_waits_behind_none_that_was_not(
    house: House, verifier: KeyVerifier, clock: Clock
) -> None:
    """Looked up again it has its own turn, however many unknown ones wait; one that is revoked has lost it."""
    made = await house.key("orders:read")
    await verifier.verify(made["key"])
    clock.now += REMEMBERED_S
    for _ in range(LOOK_UPS_AT_ONCE):
        await verifier._look_ups.acquire()
    async with asyncio.timeout(WAIT_S / 2):
        await verifier.verify(made["key"])
        await house.owner.ask("DELETE", f"{house.path}/api-keys/{made['id']}")
        clock.now += REMEMBERED_S
        with pytest.raises(TokenRefused, match="revoked"):
            await verifier.verify(made["key"])
    assert not verifier.has_been_good(made["key"])


async def test_wrong_keys_take_no_memory_and_no_good_keys_place(
    app: Litestar, house: House, verifier: KeyVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs one look-up; of those that are remembered there are so many, and good ones are kept apart."""
    monkeypatch.setattr(key_verifier, "BAD_MAX", 10)
    good = (await house.key("orders:read"))["key"]
    await verifier.verify(good)
    with _look_ups(app) as seen:
        for number in range(100):
            with pytest.raises(TokenRefused, match="unknown API key"):
                await verifier.verify(f"tuan_sk_{number:012x}_{'A' * 43}")
        assert len(seen) == 100
        await verifier.verify(good)
        assert len(seen) == 100
    assert len(verifier._bad) == 10


async def test_the_last_use_is_noted_beside_once_a_minute(
    house: House, verifier: KeyVerifier, clock: Clock, engine: AsyncEngine
) -> None:
    """A request writes nothing; many uses are one note, and other processes' notes count too."""
    good = (await house.key("orders:read"))["key"]
    await verifier.verify(good)
    assert await _used_at(engine) is None
    await verifier.note_uses()
    first = await _used_at(engine)
    assert first is not None
    clock.now += NOTED_EVERY_S
    await verifier.verify(good)
    await verifier.note_uses()
    assert await _used_at(engine) == first, "somebody noted it less than a minute ago"
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE api_keys SET used_at = used_at - interval '1 minute'"))
    await verifier.verify(good)
    await verifier.note_uses()
    assert await _used_at(engine) < first, "this process noted it less than a minute ago"
    clock.now += NOTED_EVERY_S
    await verifier.verify(good)
    await verifier.note_uses()
    assert await _used_at(engine) > first


async def _used_at(engine: AsyncEngine) -> Any:
    async with engine.connect() as connection:
        return (await connection.execute(text("SELECT used_at FROM api_keys"))).scalar_one()


class _Seen(list[str]):
    """Statements that were run, and how many of them at one time."""

    at_once = at_once_max = 0

    def begin(self, *told: Any) -> None:
        if "WHERE prefix" in told[2]:
            self.append(told[2])
            self.at_once += 1
            self.at_once_max = max(self.at_once, self.at_once_max)

    def end(self, *told: Any) -> None:
        self.at_once -= "WHERE prefix" in told[2]


@contextmanager
def _look_ups(app: Litestar) -> Iterator[_Seen]:
    """The statements that look for keys from now on."""
    runtime: Runtime = app.state.runtime
    engine, seen = runtime.engine.sync_engine, _Seen()
    event.listen(engine, "before_cursor_execute", seen.begin)
    event.listen(engine, "after_cursor_execute", seen.end)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", seen.begin)
        event.remove(engine, "after_cursor_execute", seen.end)
