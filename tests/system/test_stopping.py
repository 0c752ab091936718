"""Promise 6 where an API process is asked to stop, or to do more than it will keep waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice

import asyncpg
import pytest

from tests.system.load import load_on
from tests.system.phones import Phone, phones
from tests.system.programs import Api
from tests.system.rushing import Stopwatch, at_once, said
from tests.system.shop import Shop
from tests.system.system import System
from tests.waiting import eventually

QUEUE_MAX = 4
STARTING_STOPS_WITHIN_S = 5.0
TURNED_AWAY_MIN = 50
HELD_UP_WITHIN_S = 2.0
OVERLOADED = (503, "overloaded")

_LOCK = "SELECT FROM deals WHERE id = $1 FOR UPDATE"
_SOMEBODY_WAITS = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
)


@pytest.fixture
def lone_api(system: System) -> Api:
    """One more API process, of this test's own; not started."""
    return Api(system.log_of("lone-api"), system.environment)


@asynccontextmanager
async def answering(api: Api) -> AsyncIterator[Phone]:
    await asyncio.to_thread(api.start_answering)
    try:
        async with phones(api.port) as (phone,):
            yield phone
    finally:
        api.kill()


@asynccontextmanager
async def held_up(database: asyncpg.Connection, deal_id: str) -> AsyncIterator[None]:
    """Whatever is written to this deal during the block waits for its end."""
    async with database.transaction():
        await database.execute(_LOCK, deal_id)
        yield


async def somebody_waits(database: asyncpg.Connection) -> None:
    """Return when a transaction waits for the lock of this connection."""

    async def waits() -> bool:
        return bool(await database.fetchval(_SOMEBODY_WAITS))

    await eventually(waits, "a transaction that waits", HELD_UP_WITHIN_S)


async def test_requests_on_their_way_are_answered_before_the_end(
    lone_api: Api, shop: Shop, database: asyncpg.Connection
) -> None:
    """SIGTERM takes no new callers, answers everybody whose request had arrived, and ends with status 0."""
    deal_id = await shop.deal(group_size_max=100)
    group_id = await shop.group(deal_id)
    async with answering(lone_api) as phone:
        async with held_up(database, deal_id):
            joining = asyncio.gather(*(shopper.join(phone, group_id) for shopper in shop.shoppers(40)))
            await somebody_waits(database)
            await phone.get(f"/v1/groups/{group_id}")  # sent after the joins: they have arrived
            lone_api.ask_to_stop()
            await eventually(lambda: refuses_connections(lone_api), "the door closed", HELD_UP_WITHIN_S)
        assert said(await joining) == {(201, ""): 40}
        assert await asyncio.to_thread(lone_api.exit_status) == 0


async def refuses_connections(api: Api) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def test_a_process_stops_under_load(lone_api: Api, system: System, shop: Shop, doors: list[Phone]) -> None:
    """Whoever finds the process gone asks another one; nobody sees more than a closed door or a busy sign."""
    async with answering(lone_api) as phone, load_on(shop, [phone, doors[0]], system.settings.database_url) as load:
        lone_api.ask_to_stop()
        assert await asyncio.to_thread(lone_api.exit_status) == 0
        await load.go_on()


async def test_a_process_that_is_still_starting_stops_at_once(lone_api: Api) -> None:
    """A stop that comes before the first answer is not lost on the process that was about to give it."""
    lone_api.start()
    try:
        await asyncio.to_thread(lone_api.answering_process)
        watch = Stopwatch()
        lone_api.ask_to_stop()
        assert await asyncio.to_thread(lone_api.exit_status) == 0
        assert watch.seconds < STARTING_STOPS_WITHIN_S
    finally:
        lone_api.kill()


async def test_more_than_may_wait_is_turned_away_at_once(
    system: System, shop: Shop, database: asyncpg.Connection
) -> None:
    """A full queue answers 503 with Retry-After and does nothing; the rest gets in, and so does who comes again."""
    deal_id = await shop.deal(group_size_max=1_000)
    leader, shoppers = shop.shopper(), shop.shoppers(60)
    group_id = await shop.group(deal_id, leader)
    small_api = Api(system.log_of("small-api"), {**system.environment, "TUAN_QUEUE_COMMANDS_MAX": str(QUEUE_MAX)})
    async with answering(small_api) as phone:
        async with held_up(database, deal_id):
            joining = [asyncio.create_task(shopper.join(phone, group_id)) for shopper in shoppers]
            for coming in islice(asyncio.as_completed(joining, timeout=HELD_UP_WITHIN_S), TURNED_AWAY_MIN):
                assert (await coming).said == OVERLOADED
        answers = dict(zip(shoppers, await at_once(joining), strict=True))
        assert said([*answers.values()]).keys() == {(201, ""), OVERLOADED}
        assert all(answer.retry_after_s for answer in answers.values() if answer.said == OVERLOADED)
        let_in = {shopper.subject for shopper, answer in answers.items() if answer.status == 201}
        places = await database.fetch("SELECT shopper_id FROM participants WHERE group_id = $1", group_id)
        assert {place["shopper_id"] for place in places} == let_in | {leader.subject}
        for shopper, answer in answers.items():
            again = await shopper.join(phone, group_id)
            assert again.status == (200 if answer.status == 201 else 201)
