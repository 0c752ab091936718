"""The live stream of a group: the present state at once, the newest after every change, a clean end."""

import asyncio
from functools import partial
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar

from domain.groupbuy.commands import CancelGroup
from infra import live
from infra.runtime import Runtime
from infra.views import GroupView
from tests.live.reader import Reader
from tests.reading.shop import Shop
from tests.waiting import eventually

CHANGES = 30


async def test_the_present_state_comes_first_and_every_change_after_it(
    app: Litestar, runtime: Runtime, shop: Shop
) -> None:
    """A reader sees the group as `GET` shows it, at once and after a join; an event's id is the group's version."""
    group_id = await shop.opened(await shop.live())
    reader = Reader(app, _path(group_id))
    await reader.until("event: group")
    assert reader.text.startswith("retry: ")
    await shop.joined(group_id)
    await eventually(lambda: _count(reader, 2), "the second event")
    first, second = (msgspec.json.decode(event["data"], type=GroupView) for event in reader.events())
    assert (first.participants, second.participants) == (1, 2)
    assert second == await runtime.groups.get_fresh(group_id)
    assert [event["id"] for event in reader.events()] == [str(first.version), str(second.version)]
    await reader.hang_up()


async def test_the_headers_keep_proxies_from_holding_events_back(app: Litestar, shop: Shop) -> None:
    """The answer is an event stream that nobody stores or buffers; HEAD answers the same without events."""
    group_id = await shop.opened(await shop.live())
    readers = [Reader(app, _path(group_id), method=method) for method in ("GET", "HEAD")]
    for reader in readers:
        await eventually(partial(_answered, reader), "the headers")
        assert reader.status == 200
        assert reader.headers["content-type"].startswith("text/event-stream")
        assert reader.headers["cache-control"] == "no-store"
        assert reader.headers["x-accel-buffering"] == "no"
        await reader.hang_up()
    assert readers[1].text == ""


@pytest.mark.parametrize("ending", ["full", "cancelled"])
async def test_a_closing_ends_the_stream(app: Litestar, shop: Shop, ending: str) -> None:
    """When its group closes a reader gets the final state, an event that says so, and the end of the stream."""
    group_id = await shop.opened(await shop.live(), 5)
    reader = Reader(app, _path(group_id))
    await reader.until("event: group")
    if ending == "full":
        await shop.joined(group_id)
    else:
        await shop.tell(CancelGroup(group_id=group_id, merchant_id=shop.merchant_id))
    await reader.end()
    assert reader.is_whole
    *_, final, closed = reader.events()
    assert closed == final | {"event": "closed"}
    assert msgspec.json.decode(final["data"], type=GroupView).is_closed


async def test_a_closed_group_shows_its_end_once(app: Litestar, shop: Shop) -> None:
    """A late reader gets the final state; one that has had it is told with 204 to stop, as EventSource understands."""
    group_id = await shop.opened(await shop.live(), 6)
    reader = Reader(app, _path(group_id))
    await reader.end()
    assert [event["event"] for event in reader.events()] == ["group", "closed"]
    again = Reader(app, _path(group_id), (b"last-event-id", reader.events()[-1]["id"].encode()))
    await again.end()
    assert (again.status, again.text) == (204, "")


@pytest.mark.parametrize("last_event_id", [b"", b"-1", b"x" * 300, b"\xff", b"999999999999", b"2"])
async def test_any_last_event_id_is_accepted(app: Litestar, shop: Shop, last_event_id: bytes) -> None:
    """Whatever a client had before, it gets the present state first."""
    group_id = await shop.opened(await shop.live())
    reader = Reader(app, _path(group_id), (b"last-event-id", last_event_id))
    await reader.until("event: group")
    await reader.hang_up()


async def test_an_unknown_group_is_a_problem(app: Litestar) -> None:
    """There is no stream of nothing: 404 with its problem, 422 for what is no id."""
    for group, status, slug in ((UUID(int=1), 404, "group-not-found"), ("nonsense", 422, "invalid-request")):
        reader = Reader(app, f"/v1/groups/{group}/live")
        await reader.end()
        assert reader.status == status
        assert f'"/problems/{slug}"' in reader.text


async def test_readers_that_leave_are_forgotten(app: Litestar, runtime: Runtime, shop: Shop) -> None:
    """However a stream ends, nothing of it stays: no watcher, no subscription, no task."""
    group_id = await shop.opened(await shop.live())
    tasks_before = len(asyncio.all_tasks())
    readers = [Reader(app, _path(group_id)) for _ in range(20)]
    await asyncio.gather(*(reader.until("event: group") for reader in readers))
    assert runtime.hub.watchers == 20
    await eventually(lambda: _subscribers(runtime, 1), "one subscription for all")
    await asyncio.gather(*(reader.hang_up() for reader in readers))
    assert runtime.hub.watchers == 0
    await eventually(lambda: _subscribers(runtime, 0), "no subscription")
    hub_tasks = 4
    assert len(asyncio.all_tasks()) <= tasks_before + hub_tasks


async def test_a_slow_reader_skips_to_the_newest_state(app: Litestar, runtime: Runtime, shop: Shop) -> None:
    """What a reader did not take in time is not kept for it: after thirty changes it gets the last one."""
    group_id = await shop.opened(await shop.live(group_size_max=100))
    slow = Reader(app, _path(group_id))
    await slow.until("event: group")
    slow.taking.clear()
    for _ in range(CHANGES):
        await shop.joined(group_id)
    present = await runtime.groups.get_fresh(group_id)
    assert present is not None
    slow.taking.set()
    await slow.until(f"id: {present.version}\n")
    assert len(slow.versions()) <= 4
    await slow.hang_up()


async def test_a_reader_that_takes_nothing_is_cut_off(
    app: Litestar, runtime: Runtime, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that stays open but takes nothing does not hold its place for ever."""
    monkeypatch.setattr(live, "BEAT_EVERY_S", 0.05)
    group_id = await shop.opened(await shop.live(group_size_max=100))
    stuck = Reader(app, _path(group_id))
    await stuck.until("event: group")
    stuck.taking.clear()
    await shop.joined(group_id)
    await stuck.end()
    assert runtime.hub.watchers == 0
    assert not stuck.is_whole


async def test_a_quiet_stream_shows_that_it_lives(app: Litestar, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing to tell a comment comes now and then, for proxies that cut what is silent."""
    monkeypatch.setattr(live, "BEAT_EVERY_S", 0.05)
    reader = Reader(app, _path(await shop.opened(await shop.live())))
    await reader.until("\n\n: ")
    assert len(reader.events()) == 1
    await reader.hang_up()


async def test_watchers_are_bounded(
    app: Litestar, runtime: Runtime, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its bound a process answers 503 with Retry-After, and takes watchers again when others leave."""
    monkeypatch.setattr(live, "WATCHERS_MAX", 2)
    group_id = await shop.opened(await shop.live())
    readers = [Reader(app, _path(group_id)) for _ in range(2)]
    await asyncio.gather(*(reader.until("event: group") for reader in readers))
    refused = Reader(app, _path(group_id))
    await refused.end()
    assert refused.status == 503
    assert refused.headers["retry-after"]
    await readers[0].hang_up()
    welcome = Reader(app, _path(group_id))
    await welcome.until("event: group")
    await asyncio.gather(readers[1].hang_up(), welcome.hang_up())
    assert runtime.hub.watchers == 0


def _path(group_id: UUID) -> str:
    return f"/v1/groups/{group_id}/live"


async def _count(reader: Reader, events: int) -> bool:
    return len(reader.events()) >= events


async def _answered(reader: Reader) -> bool:
    return bool(reader.status)


async def _subscribers(runtime: Runtime, channels: int) -> bool:
    return len(await runtime.redis.pubsub_channels()) == channels
