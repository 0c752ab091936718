"""The relay: every event reaches the counters, whatever dies on the way, and the counters can be lost at any time."""

import asyncio
from collections.abc import MutableMapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from infra.embedded.valkey import EmbeddedValkey
from infra.ids import new_id
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.reading.shop import Shop
from tests.waiting import eventually
from tests.workers.ground_truth import number
from workers.duties import performed
from workers.duty import Context
from workers.relay import RELAYING, relay_batch

UNRELAYED = "SELECT count(*) FROM outbox WHERE relayed_at IS NULL"
SECOND = 1.0
PAUSE_MS = 300
CUT_OFF = """
  SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'tuan duties' AND state = 'idle in transaction'"""


async def test_what_the_committer_did_not_write_the_relay_writes(context: Context, shop: Shop) -> None:
    """Counters lost before the relay came by are written by it, in the present state, and each event is marked once."""
    group_id = await shop.opened(await shop.live(), 3)
    await context.runtime.counters.stop()
    await context.runtime.redis.flushall()
    assert await _relay(context) > 0
    counted = await context.runtime.counters.read([group_id])
    assert counted[group_id] == await context.runtime.groups.get_fresh(group_id)
    assert await number(shop.engine, UNRELAYED) == 0
    assert await _relay(context) == 0


async def test_a_crash_between_writing_and_marking_changes_nothing(context: Context, shop: Shop) -> None:
    """A relay that loses PostgreSQL after Redis took its write leaves the events unmarked; the next one marks them."""
    redis = context.runtime.redis
    group_id = await shop.opened(await shop.live(), 3)
    await context.runtime.counters.stop()
    await redis.flushall()
    events = await number(shop.engine, UNRELAYED)
    await redis.client_pause(PAUSE_MS, all=False)  # of writes
    dying = asyncio.create_task(_relay(context))
    await eventually(lambda: _is_blocked(redis), "the write on its way")
    assert await number(shop.engine, CUT_OFF) == 1
    with pytest.raises(DBAPIError):
        await dying
    assert (await context.runtime.counters.read([group_id]))[group_id].participants == 3
    assert await number(shop.engine, UNRELAYED) == events
    assert await _relay(context) == events
    assert await number(shop.engine, UNRELAYED) == 0


async def test_two_relays_share_the_events(context: Context, shop: Shop) -> None:
    """Rows claimed by one relay are skipped by the other, so neither waits nor relays twice."""
    deal_id = await shop.live()
    for _ in range(20):
        await shop.opened(deal_id, 2)
    events = await number(shop.engine, UNRELAYED)
    assert sum(await asyncio.gather(_relay(context), _relay(context))) == events


async def test_with_redis_away_events_wait_and_one_line_is_logged(
    breakable: Settings, own_valkey: EmbeddedValkey
) -> None:
    """An outage costs no event and one line in the log; when Redis is back everything is relayed."""
    async with started(breakable) as runtime:
        shop = Shop(runtime.engine, runtime.batcher, new_id())
        own_valkey.stop()
        group_id = await shop.opened(await shop.live(), 2)
        with capture_logs() as lines:
            async with performed(runtime, is_worker=True, duties=[RELAYING]):
                await eventually(lambda: _said(lines, "duty_waits"), "the line")
                await asyncio.sleep(2 * SECOND)  # several tries, of which nothing is said
                assert await number(runtime.engine, UNRELAYED) > 0
                own_valkey.start()
                await eventually(lambda: _nothing_unrelayed(runtime), "the relay of what waited")
        assert [line["event"] for line in lines if "duty" in line] == ["duty_waits", "duty_goes_on"]
        assert (await runtime.counters.read([group_id]))[group_id].participants == 2


async def test_counters_flushed_under_load_are_back_within_a_second(runtime: Runtime, shop: Shop) -> None:
    """Promise 7: all counters are lost while people join; a second later they show the truth again."""
    groups = [await shop.opened(await shop.live(group_size_max=1_000)) for _ in range(5)]
    stopping = asyncio.Event()

    async def keep_joining() -> None:
        while not stopping.is_set():
            await asyncio.gather(*(shop.joined(group_id) for group_id in groups))

    joining = asyncio.create_task(keep_joining())
    async with performed(runtime, is_worker=True):
        for _ in range(3):
            before = await number(shop.engine, "SELECT sum(participants) FROM groups")
            await runtime.redis.flushall()
            async with asyncio.timeout(SECOND):
                await eventually(partial(_counted_places, runtime, groups, before), "the counters")
        stopping.set()
        await joining


async def _relay(context: Context) -> int:
    return (await relay_batch(context.by_key, context.runtime.redis, context.runtime.counters)).rows


async def _is_blocked(redis: Redis) -> bool:
    return bool((await redis.info("clients"))["blocked_clients"])


async def _said(lines: Sequence[MutableMapping[str, Any]], event: str) -> bool:
    return any(line["event"] == event for line in lines)


async def _nothing_unrelayed(runtime: Runtime) -> bool:
    return await number(runtime.engine, UNRELAYED) == 0


async def _counted_places(runtime: Runtime, groups: list[UUID], least: int) -> bool:
    counted = (await runtime.counters.look(groups)).views
    return len(counted) == len(groups) and sum(view.participants for view in counted.values()) >= least
