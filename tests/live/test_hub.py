"""Where changes come from: other processes through Redis, this one by itself, PostgreSQL while Redis is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from infra.embedded.throwaway import throwaway_place
from infra.embedded.valkey import EmbeddedValkey
from infra.freshness import begin_proof, prove
from infra.ids import new_id
from infra.live import Watcher
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.reading.shop import Shop
from tests.waiting import eventually
from workers.duties import performed
from workers.relay import RELAYING

LATE_S_MAX = 1.0
SOON_S = 2
"""Ten changes one after the other, of which each would wait for a quarter of a second on average if it were polled."""


@pytest.fixture
def valkey() -> Iterator[tuple[str, EmbeddedValkey]]:
    """The address of a Valkey of this test alone, to stop and start."""
    with throwaway_place() as place:
        server = EmbeddedValkey(place)
        server.start()
        yield place.redis_url, server
        server.stop()


@pytest.fixture
async def here(settings: Settings, valkey: tuple[str, EmbeddedValkey]) -> AsyncIterator[Runtime]:
    """The process whose hub is watched."""
    async with started(replace(settings, redis_url=valkey[0]), "here") as runtime:
        yield runtime


@pytest.fixture
async def elsewhere(settings: Settings, valkey: tuple[str, EmbeddedValkey]) -> AsyncIterator[Shop]:
    """A shop whose commands are told in another process, which relays too."""
    async with (
        started(replace(settings, redis_url=valkey[0]), "elsewhere") as runtime,
        performed(runtime, is_worker=True, duties=[RELAYING]),
    ):
        yield Shop(runtime.engine, runtime.batcher, new_id())


async def test_changes_of_other_processes_arrive(here: Runtime, elsewhere: Shop) -> None:
    """What another process commits reaches watchers here through Redis, without asking PostgreSQL again and again."""
    group_id = await elsewhere.opened(await elsewhere.live(group_size_max=50))
    watcher = await _watching(here, group_id)
    await eventually(lambda: _is_listening(here), "the subscription")
    async with asyncio.timeout(SOON_S):
        for participants in range(2, 12):
            await elsewhere.joined(group_id)
            await _until(watcher, participants)
    here.hub.leave(watcher)


async def test_changes_that_redis_never_heard_of_arrive(
    here: Runtime, settings: Settings, valkey: tuple[str, EmbeddedValkey]
) -> None:
    """Promise 7 where whoever commits cannot tell Redis, nobody relays, and Redis itself is well."""
    _, server = valkey
    async with started(replace(settings, redis_url=f"{valkey[0]}.gone"), "cut off from Redis") as runtime:
        shop = Shop(runtime.engine, runtime.batcher, new_id())
        group_id = await shop.opened(await shop.live(group_size_max=50))
        watcher = await _watching(here, group_id)
        await eventually(lambda: _is_listening(here), "the subscription")
        for participants in range(2, 5):
            since = await begin_proof(here.redis)
            assert since is not None
            await prove(here.redis, since)  # right before, so that it speaks for what comes as long as it can
            await shop.joined(group_id)
            async with asyncio.timeout(LATE_S_MAX):
                await _until(watcher, participants)
        assert server.is_alive()
        here.hub.leave(watcher)


async def test_own_changes_need_no_redis(here: Runtime, valkey: tuple[str, EmbeddedValkey]) -> None:
    """What this process commits is shown at once, with Redis away too."""
    shop = Shop(here.engine, here.batcher, new_id())
    group_id = await shop.opened(await shop.live())
    valkey[1].stop()
    watcher = await _watching(here, group_id)
    await shop.joined(group_id)
    async with asyncio.timeout(0.5):
        await _until(watcher, 2)
    here.hub.leave(watcher)


async def test_with_redis_away_postgresql_is_asked(
    here: Runtime, elsewhere: Shop, valkey: tuple[str, EmbeddedValkey]
) -> None:
    """Promise 7 with Redis down: watched groups are looked up often enough; with Redis back nothing was missed."""
    group_id = await elsewhere.opened(await elsewhere.live(group_size_max=50))
    watcher = await _watching(here, group_id)
    with capture_logs() as lines:
        for round_number in range(2):
            valkey[1].stop()
            await elsewhere.joined(group_id)
            async with asyncio.timeout(LATE_S_MAX):
                await _until(watcher, 2 + 3 * round_number)
            await elsewhere.joined(group_id)
            valkey[1].start()
            await eventually(lambda: _is_listening(here), "the subscription")
            await _until(watcher, 3 + 3 * round_number)
            await elsewhere.joined(group_id)
            await _until(watcher, 4 + 3 * round_number)
    told = [line["event"] for line in lines if line["event"].startswith("live_view")]
    assert told == ["live_view_polls", "live_view_listens"] * 2
    here.hub.leave(watcher)


async def test_without_a_subscription_postgresql_is_asked(here: Runtime, elsewhere: Shop) -> None:
    """Promise 7 where only the connection that hears of changes is lost and cannot be had again, for a while."""
    group_id = await elsewhere.opened(await elsewhere.live(group_size_max=50))
    watcher = await _watching(here, group_id)
    await eventually(lambda: _is_listening(here), "the subscription")
    await here.redis.acl_setuser("default", enabled=True, commands=["-subscribe"])
    await here.redis.client_kill_filter(_type="pubsub")
    for participants in range(2, 5):
        await elsewhere.joined(group_id)
        async with asyncio.timeout(LATE_S_MAX):
            await _until(watcher, participants)
    await here.redis.acl_setuser("default", enabled=True, commands=["+subscribe"])
    await eventually(lambda: _is_listening(here), "the subscription")
    here.hub.leave(watcher)


async def test_a_look_that_takes_too_long_is_repeated(
    settings: Settings, elsewhere: Shop, valkey: tuple[str, EmbeddedValkey]
) -> None:
    """PostgreSQL too busy to answer in time ends no live view: it is asked again."""
    group_id = await elsewhere.opened(await elsewhere.live(group_size_max=50))
    busy = replace(settings, redis_url=valkey[0], statement_timeout_ms=100)
    async with started(busy, "here") as here:
        watcher = await _watching(here, group_id)
        valkey[1].stop()
        with capture_logs() as lines:
            async with elsewhere.engine.begin() as locking:
                await locking.execute(text("LOCK TABLE groups IN ACCESS EXCLUSIVE MODE"))
                await eventually(lambda: _said(lines, "live_view_waits"), "a look that failed")
        await elsewhere.joined(group_id)
        await _until(watcher, 2)
        here.hub.leave(watcher)


async def test_older_states_are_dropped(here: Runtime, elsewhere: Shop) -> None:
    """States may come late and out of order; a reader never goes back."""
    group_id = await elsewhere.opened(await elsewhere.live(), 3)
    view = await here.groups.get_fresh(group_id)
    assert view is not None
    watcher = here.hub.watch(view)
    assert (await watcher.next()) is not None
    here.hub.offer(
        msgspec.structs.replace(view, version=version) for version in (view.version + 2, 1, view.version + 1)
    )
    seen = await watcher.next()
    assert seen is not None
    assert seen.version == view.version + 2
    here.hub.leave(watcher)


async def test_two_thousand_watchers_all_see_the_last_state(here: Runtime, elsewhere: Shop) -> None:
    """Many changes and many watchers: each ends with the newest state, each state is encoded once for all."""
    group_id = await elsewhere.opened(await elsewhere.live(group_size_max=100))
    view = await here.groups.get_fresh(group_id)
    assert view is not None
    documents: set[int] = set()

    async def watch() -> None:
        watcher = here.hub.watch(view)
        while (seen := await watcher.next()) is None or b'"participants":21,' not in seen.document:
            continue
        documents.add(id(seen.document))
        here.hub.leave(watcher)

    watching = [asyncio.create_task(watch()) for _ in range(2_000)]
    for _ in range(20):
        await elsewhere.joined(group_id)
    async with asyncio.timeout(10):
        await asyncio.gather(*watching)
    assert len(documents) == 1
    assert here.hub.watchers == 0


async def _watching(runtime: Runtime, group_id: UUID) -> Watcher:
    view = await runtime.groups.get(group_id)
    assert view is not None
    return runtime.hub.watch(view)


async def _until(watcher: Watcher, participants: int) -> None:
    """Read until so many are in."""
    async with asyncio.timeout(10):
        while True:
            seen = await watcher.next()
            if seen is not None and msgspec.json.decode(seen.document)["participants"] >= participants:
                return


async def _said(lines: Sequence[MutableMapping[str, Any]], event: str) -> bool:
    return any(line["event"] == event for line in lines)


async def _is_listening(runtime: Runtime) -> bool:
    return runtime.hub._feed.is_listening
