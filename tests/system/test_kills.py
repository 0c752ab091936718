"""Promises 5, 6 and 7 where a part dies under load: no answered join is lost, no retry has a second effect.

What `load_on` holds against the database at the end of each block is the heart of these tests.
"""

import asyncio

import pytest

from tests.system.load import load_on
from tests.system.phones import Phone
from tests.system.shop import Shop
from tests.system.system import System
from tests.system.watching import watched


@pytest.fixture
def database_url(system: System) -> str:
    return system.settings.database_url


async def test_an_api_process_is_killed_whole(
    system: System, shop: Shop, doors: list[Phone], database_url: str
) -> None:
    """The other process goes on alone, and after its start the killed one answers as if nothing had been."""
    async with load_on(shop, doors, database_url) as load:
        system.apis[1].kill()
        await load.go_on()
        assert load.unanswered
        await asyncio.to_thread(system.apis[1].start_answering)
        unanswered_before = load.unanswered
        await load.go_on()
        assert load.unanswered == unanswered_before


async def test_the_only_api_process_dies_and_is_brought_back(
    system: System, shop: Shop, doors: list[Phone], database_url: str
) -> None:
    """`tuan serve` replaces the process that answers; whoever got no answer asks again and has one place."""
    async with load_on(shop, doors[:1], database_url) as load:
        system.apis[0].answering_process().kill()
        await load.go_on()
        assert load.unanswered


async def test_everything_is_killed_at_once(system: System, shop: Shop, doors: list[Phone], database_url: str) -> None:
    """As when the one machine stops: started again, it knows of every join it ever answered."""
    async with load_on(shop, doors, database_url) as load:
        for kill in (system.kill_postgres, system.kill_valkey, system.worker.kill, *(api.kill for api in system.apis)):
            kill()
        await asyncio.to_thread(system.restore)
        await load.go_on()
    assert load.unanswered


@pytest.fixture
async def quiet_group(shop: Shop) -> str:
    """A group that nothing happens to: no process has it fresh in its own memory."""
    return await shop.group()


async def test_postgres_is_killed(
    system: System, shop: Shop, doors: list[Phone], database_url: str, quiet_group: str
) -> None:
    """Joins get 503 until it is back, then all goes on without a restart of anything else."""
    async with load_on(shop, doors, database_url) as load, watched(load, doors, quiet_group) as watch:
        system.kill_postgres()
        unavailable_before = load.unavailable
        await asyncio.to_thread(system.postgres.start)
        await load.go_on()
        assert load.unavailable > unavailable_before
    assert load.unanswered == 0
    watch.assert_kept_promises(may_be_unavailable=True)


async def test_valkey_is_killed(
    system: System, shop: Shop, doors: list[Phone], database_url: str, quiet_group: str
) -> None:
    """Nobody notices: joins, closings and reads go on without it, and with an empty one that takes its place.

    All join through one process, so that the other knows of it only what Valkey and PostgreSQL know.
    """
    async with load_on(shop, doors[:1], database_url) as load, watched(load, doors, quiet_group) as watch:
        system.kill_valkey()
        await load.go_on(200)
        await asyncio.to_thread(system.valkey.start)
        await load.go_on(200)
    assert (load.unavailable, load.unanswered) == (0, 0)
    watch.assert_kept_promises()


async def test_valkey_loses_everything(
    system: System, shop: Shop, doors: list[Phone], database_url: str, quiet_group: str
) -> None:
    """FLUSHALL under load, several times: what is shown stays within a second of the truth."""
    async with load_on(shop, doors[:1], database_url) as load, watched(load, doors, quiet_group) as watch:
        for _ in range(3):
            await system.flush_valkey()
            await load.go_on()
    assert (load.unavailable, load.unanswered) == (0, 0)
    watch.assert_kept_promises()


async def test_valkey_hangs(
    system: System, shop: Shop, doors: list[Phone], database_url: str, quiet_group: str
) -> None:
    """A server that takes requests and gives no answers holds up nobody for long, and nobody sees a fault of ours."""
    async with load_on(shop, doors[:1], database_url) as load, watched(load, doors, quiet_group) as watch:
        with system.frozen_valkey():
            await load.go_on(200)
        await load.go_on()
    assert (load.unavailable, load.unanswered) == (0, 0)
    watch.assert_kept_promises()
