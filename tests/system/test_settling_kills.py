"""The worker that moves the money is killed again and again: every participant is settled exactly once."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from domain.groupbuy.commands import CancelGroup, CloseGroup
from domain.groupbuy.deal import Variant
from domain.pricing.schedule import PriceSchedule, Tier
from infra.ids import new_id
from infra.logging import set_up_logging
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.money_shop import Purchase
from tests.money_truth import money_is_true
from tests.waiting import eventually
from tests.workers.ground_truth import number
from tests.workers.paying_shop import PayingShop
from workers.main import run

KILLS = 25
GROUPS = 400
PER_KILL = GROUPS // KILLS
MEMBERS = 3
DEALS = 8
STOCK = GROUPS * MEMBERS
PRICES = PriceSchedule(2_000, (Tier(2, 1_800), Tier(3, 1_500)))
WORK_LIMIT_S = 20
CAUGHT_MIN = KILLS // 3
"""So many kills at least must leave something begun and not recorded: else they came too early or too late."""

_LEFT = "SELECT count(*) FROM settlements WHERE status = 'pending' AND attempts > 0"
_CLAIMED = "SELECT coalesce(sum(attempts), 0) FROM settlements"
_AT_GATEWAY = "SELECT count(*) FROM sandbox_payments WHERE status <> 'held'"
_RECORDED = "SELECT count(*) FROM settlements WHERE status = 'done'"
MOMENTS = (_CLAIMED, _AT_GATEWAY, _RECORDED)
"""What a kill waits for to grow: a claim, a gateway's books, our own."""


class Worker:
    """`tuan worker` without the time it takes to load the program: forked from a process that has."""

    def __init__(self, settings: Settings, log: Path) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(["workers.main"])
        self._process: ForkServerProcess = context.Process(target=_work, args=(settings, log), daemon=True)
        self._process.start()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self._process.kill()
        self._process.join()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()


def _work(settings: Settings, log: Path) -> None:
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    set_up_logging(settings)
    run(settings)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Webhooks go where nobody listens: nothing depends on them."""
    return replace(settings, sandbox_webhook_url="http://127.0.0.1:9/v1/webhooks/sandbox")


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with started(settings) as made:
        yield made


@pytest.fixture
def workers(settings: Settings, tmp_path: Path) -> Iterator[list[Worker]]:
    """The worker at work, and another that stands by to take its place."""
    log = tmp_path / "worker.log"
    at_work = [Worker(settings, log) for _ in range(2)]
    yield at_work
    for worker in at_work:
        worker.kill()
    assert "Traceback" not in log.read_text()


@pytest.fixture
async def watch(settings: Settings) -> AsyncIterator["asyncpg.Connection"]:
    """A connection that does nothing but look."""
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


async def test_the_worker_is_killed_in_the_middle_of_settling(
    runtime: Runtime, workers: list[Worker], settings: Settings, tmp_path: Path, watch: "asyncpg.Connection"
) -> None:
    """400 groups end in all their ways while the worker is killed 25 times: nothing is lost, nothing done twice."""
    shop = PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)
    deals = [
        await shop.live((Variant(new_id(), "Red", None, STOCK),), group_size_max=MEMBERS, schedule=PRICES)
        for _ in range(DEALS)
    ]
    groups: list[Purchase] = []
    while len(groups) < GROUPS:
        groups += await asyncio.gather(*(_begun(shop, deal_id) for deal_id in deals * 5))
    caught = 0
    for kill in range(KILLS):
        ending = [_ended(shop, groups[place], place) for place in range(kill * PER_KILL, (kill + 1) * PER_KILL)]
        await _kill_when_grown(watch, MOMENTS[kill % len(MOMENTS)], workers[0], asyncio.gather(*ending))
        caught += await watch.fetchval(_LEFT) > 0
        await shop.let_leases_pass()
        workers[:] = [*workers[1:], Worker(settings, tmp_path / "worker.log")]
    await eventually(lambda: _is_over(shop), "the end of all settling", 30)
    assert caught >= CAUGHT_MIN
    await money_is_true(runtime.engine)
    once = "SELECT count(*) FROM sandbox_payments WHERE (SELECT count(*) FROM jsonb_object_keys(done)) <> 1"
    assert await number(runtime.engine, once) == 0


async def _kill_when_grown(
    watch: "asyncpg.Connection", moment: str, worker: Worker, ending: "asyncio.Future[list[None]]"
) -> None:
    """While groups end, at the first sign of something that counts."""
    before = await watch.fetchval(moment)
    async with asyncio.timeout(WORK_LIMIT_S):
        while await watch.fetchval(moment) <= before:
            pass
    assert worker.is_alive
    await asyncio.to_thread(worker.kill)
    await ending


async def _begun(shop: PayingShop, deal_id: UUID) -> Purchase:
    """An open group that lacks one; answers its leader's purchase."""
    first = await shop.pay(await shop.reserve_first(deal_id))
    await shop.pay(await shop.reserve(first))
    return first


async def _ended(shop: PayingShop, first: Purchase, place: int) -> None:
    """One in four is called off, one closes at its deadline, the others are complete."""
    group_id = first.group_id
    assert group_id is not None
    match place % 4:
        case 0:
            await shop.tell(CancelGroup(group_id=group_id, merchant_id=shop.merchant_id))
        case 1:
            await shop.make("UPDATE groups SET expires_at = clock_timestamp() WHERE id = :id", id=group_id)
            await shop.tell(CloseGroup(group_id=group_id))
        case _:
            await shop.pay(await shop.reserve(first))


async def _is_over(shop: PayingShop) -> bool:
    await shop.let_leases_pass()
    open_ones = "SELECT count(*) FROM groups WHERE status = 'open' OR settled < participants OR awaiting > 0"
    pending = "SELECT count(*) FROM settlements WHERE status <> 'done'"
    return not await number(shop.engine, open_ones) + await number(shop.engine, pending)
