"""The queue: hints that arrive, once per second of deadlines, as JSON, and whose loss nobody notices."""

import asyncio
from collections.abc import MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import text
from structlog.testing import capture_logs

from infra.embedded.valkey import EmbeddedValkey
from infra.group_views import load_views
from infra.runtime import Runtime, started
from infra.settings import Settings
from infra.views import GroupView
from tests.reading.shop import Shop
from tests.waiting import eventually
from workers.queue import QUEUE_NAME, SECONDS_REMEMBERED_MAX, WakeUps, waking_up, work

SOON = timedelta(hours=1)


async def test_groups_of_one_second_share_one_wake_up(runtime: Runtime, shop: Shop) -> None:
    """Whoever opens groups asks for one job per distinct second of their deadlines; it is JSON, never a pickle."""
    async with waking_up(runtime):
        deal_id = await shop.live()
        for _ in range(5):
            await shop.opened(deal_id)
    asked = {int(view.expires_at.timestamp()) for view in await _views(runtime, shop)}
    jobs = await runtime.redis.zrange(QUEUE_NAME, 0, -1, withscores=True)
    assert {name.decode(): int(score) for name, score in jobs} == {f"wake:{second}": second * 1_000 for second in asked}
    stored = await runtime.redis.get(f"arq:job:wake:{min(asked)}")
    assert msgspec.json.decode(stored)["a"] == ["closing"]


async def test_a_second_is_asked_for_once(runtime: Runtime) -> None:
    """What was asked for is remembered, within a bound, so that a hot deal does not ask for the same second again."""
    wake_ups = WakeUps(runtime.settings)
    deadline = datetime.now(UTC) + SOON
    wake_ups.offer([deadline])
    await wake_ups.stop()
    await runtime.redis.flushall()
    wake_ups.offer([deadline])
    wake_ups.offer(deadline + timedelta(seconds=number) for number in range(1, SECONDS_REMEMBERED_MAX // 100))
    await wake_ups.stop()
    assert await runtime.redis.zcard(QUEUE_NAME) == SECONDS_REMEMBERED_MAX // 100 - 1


async def test_asking_never_fails(breakable: Settings, own_valkey: EmbeddedValkey) -> None:
    """With Redis away a wake-up is lost without a word to whoever opened a group, and asked for again later."""
    wake_ups = WakeUps(breakable)
    own_valkey.stop()
    wake_ups.offer([datetime.now(UTC) + SOON])
    await wake_ups.stop()
    own_valkey.start()
    wake_ups.offer([datetime.now(UTC) + SOON])
    await wake_ups.stop()
    async with started(breakable) as runtime:
        assert await runtime.redis.zcard(QUEUE_NAME) == 1


async def test_hints_arrive_before_and_after_redis_was_away(breakable: Settings, own_valkey: EmbeddedValkey) -> None:
    """Arq's worker ends with Redis; ours comes back by itself and hands on what is asked for then."""
    hints: list[str] = []
    with capture_logs() as lines:
        working = asyncio.create_task(work(breakable, hints.append))
        await _ask_for_now(breakable)
        await eventually(partial(_has, hints, 1), "the first hint")
        for outages in (1, 2):
            own_valkey.stop()
            await eventually(partial(_said, lines, "queue_away", outages), "the outage")
            own_valkey.start()
            await _ask_for_now(breakable)
            await eventually(partial(_has, hints, 1 + outages), "another hint")
            await eventually(partial(_said, lines, "queue_is_back", outages), "the return")
        assert not working.done()
        working.cancel()
        await asyncio.wait([working])
    assert [line["event"] for line in lines] == ["queue_away", "queue_is_back"] * 2


async def _ask_for_now(settings: Settings) -> None:
    wake_ups = WakeUps(settings)
    wake_ups.offer([datetime.now(UTC)])
    await wake_ups.stop()


async def _has(hints: list[str], count: int) -> bool:
    return hints.count("closing") >= count


async def _views(runtime: Runtime, shop: Shop) -> list[GroupView]:
    async with shop.engine.connect() as connection:
        group_ids = (await connection.execute(text("SELECT id FROM groups"))).scalars().all()
    return list((await load_views(runtime.engine, group_ids)).values())


async def _said(lines: Sequence[MutableMapping[str, Any]], event: str, times: int) -> bool:
    return [line["event"] for line in lines].count(event) == times
