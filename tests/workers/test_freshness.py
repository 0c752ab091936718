"""Promise 7 where Redis keeps an old state and does not know it: what is not proven fresh is not shown."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import event, text

from infra import freshness
from infra.freshness import LEASE_S, begin_proof, prove
from infra.group_views import FRESH_S, GroupViews
from infra.ids import new_id
from infra.redis_client import make_redis
from infra.redis_keys import LEASE_KEY, SERVER_KEY, view_key
from infra.redis_together import ask_together
from infra.runtime import Runtime
from tests.reading.shop import Shop
from workers import relay
from workers.duty import Context

MADE_UP = 77
CLAIMED = "SELECT FROM outbox WHERE relayed_at IS NULL LIMIT 1 FOR UPDATE"
PAUSE_MS = round(2 * FRESH_S * 1000)


@pytest.fixture
async def redis(runtime: Runtime) -> AsyncIterator[Redis]:
    """A connection apart from those of the process."""
    async with make_redis(runtime.settings) as client:
        yield client


@pytest.fixture
async def group_id(shop: Shop, runtime: Runtime) -> UUID:
    """A group of three, of which Redis was made to say that they are as many as nobody ever was."""
    await begin_proof(runtime.redis)  # which forgets what another run of the server left
    made = await shop.opened(await shop.live(), 3)
    await runtime.counters.stop()
    view = (await runtime.counters.read([made]))[made]
    document = msgspec.json.encode(msgspec.structs.replace(view, participants=MADE_UP))
    await ask_together(runtime.redis, [("HSET", view_key(made), "doc", document)])
    return made


async def test_what_is_proven_is_shown_from_redis(context: Context, group_id: UUID) -> None:
    """After the relay has relayed everything readers take Redis's word, and PostgreSQL is not asked."""
    await relay.step(context)
    assert await _shown(context.runtime, group_id) == MADE_UP


async def test_what_is_not_proven_is_not_shown(runtime: Runtime, group_id: UUID) -> None:
    """Without the lease what Redis says of an open group is neither shown nor remembered."""
    assert await _shown(runtime, group_id) == 3
    views = _reader(runtime)
    cheap = await views.get_cheap(group_id, 1.0)
    assert cheap is not None
    assert cheap.participants == MADE_UP
    assert views.peek(group_id, 1.0) is None


async def test_the_proof_ends_by_the_clock_of_redis(context: Context, redis: Redis) -> None:
    """The lease counts from before PostgreSQL was asked, so one that arrives late, as after a freeze, is over."""
    since = await begin_proof(redis)
    assert since is not None
    await prove(redis, since)
    assert 0 < await redis.pttl(LEASE_KEY) <= LEASE_S * 1000
    await prove(redis, since._replace(at_ms=since.at_ms - round(LEASE_S * 1000)))
    assert not await redis.exists(LEASE_KEY)
    await relay.step(context)
    assert await redis.exists(LEASE_KEY)


async def test_a_server_that_starts_anew_keeps_no_proof(redis: Redis) -> None:
    """The lease of a proof that began in another run is taken back: it would speak for an old snapshot."""
    since = await begin_proof(redis)
    assert since is not None
    await prove(redis, since._replace(run=b"an earlier run"))
    assert not await redis.exists(LEASE_KEY)


async def test_nothing_is_proven_while_an_event_waits(
    context: Context, shop: Shop, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither with more events than one batch takes nor with one that another relay has claimed is there a proof."""
    await shop.opened(await shop.live(), 3)
    async with context.by_key.begin() as claiming:
        await claiming.execute(text(CLAIMED))
        await relay.step(context)
        assert not await redis.exists(LEASE_KEY)
    await shop.opened(await shop.live(), 3)
    monkeypatch.setattr(relay, "ROWS_AT_ONCE", 1)
    await relay.step(context)
    assert not await redis.exists(LEASE_KEY)
    monkeypatch.undo()
    await relay.step(context)
    assert await redis.exists(LEASE_KEY)


async def test_a_server_that_starts_with_old_states_forgets_them(
    context: Context, group_id: UUID, redis: Redis
) -> None:
    """What another run of the server held, from a snapshot or as a replica, is brought anew from PostgreSQL."""
    await relay.step(context)
    await redis.set(SERVER_KEY, "an earlier run")
    await relay.step(context)
    assert await redis.exists(view_key(group_id)) == 0
    assert await _shown(context.runtime, group_id) == 3


async def test_an_answer_that_took_long_proves_nothing(context: Context, group_id: UUID, redis: Redis) -> None:
    """Redis may have stopped between the proof and the state: of such an answer nobody knows how old it is."""
    views = _reader(context.runtime)
    await redis.set(LEASE_KEY, 1)  # a proof that outlasts the pause: only the time of the answer can speak against it
    await redis.client_pause(PAUSE_MS)
    shown = await views.get(group_id)
    assert shown is not None
    assert shown.participants == 3
    shown = await _reader(context.runtime).get(group_id)
    assert shown is not None
    assert shown.participants == MADE_UP


async def test_only_a_group_that_redis_lacks_waits_for_postgresql(
    context: Context, group_id: UUID, redis: Redis
) -> None:
    """A state that is fresh now is shown now: it would be old after waiting for somebody else's."""
    views = _reader(context.runtime)
    await redis.set(LEASE_KEY, 1)
    async with context.by_key.begin() as locking:
        await locking.execute(text("LOCK TABLE groups IN ACCESS EXCLUSIVE MODE"))
        lacking = asyncio.create_task(views.get(new_id()))
        for _ in range(3):
            async with asyncio.timeout(FRESH_S):
                shown = await views.get(group_id)
            assert shown is not None
            assert shown.participants == MADE_UP
        assert not lacking.done()
    assert await lacking is None


async def test_a_server_that_does_not_say_which_run_it_is_proves_nothing(
    context: Context, group_id: UUID, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have started from an old snapshot at any time: all is relayed to it, and nothing shown from it."""
    monkeypatch.setattr(freshness, "_RUN_ID", b"no such line:")
    await relay.step(context)
    assert not await redis.exists(LEASE_KEY)
    assert await _shown(context.runtime, group_id) == 3


async def test_fresh_looks_at_once_share_a_query(runtime: Runtime, shop: Shop) -> None:
    """Those who look right after their joins are answered from PostgreSQL together, each with a state that has it."""
    deal_id = await shop.live()
    group_ids = [await shop.opened(deal_id, members) for members in (1, 2, 3)]
    views, queries = _reader(runtime), 0

    def count(*_: object) -> None:
        nonlocal queries
        queries += 1

    event.listen(runtime.engine.sync_engine, "before_cursor_execute", count)
    shown = await asyncio.gather(*(views.get_fresh(group_id) for group_id in group_ids * 20))
    event.remove(runtime.engine.sync_engine, "before_cursor_execute", count)
    assert [view and view.participants for view in shown] == [1, 2, 3] * 20
    assert queries == 1


def _reader(runtime: Runtime) -> GroupViews:
    """Another process's view of groups: it remembers nothing yet."""
    return GroupViews(runtime.engine, runtime.counters)


async def _shown(runtime: Runtime, group_id: UUID) -> int:
    view = await _reader(runtime).get(group_id)
    assert view is not None
    return view.participants
