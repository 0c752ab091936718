"""Suspension while people join, in other processes, by two workers at once, and by one that is killed."""

import asyncio
from pathlib import Path

import pytest

from domain.groupbuy.commands import BuyAlone
from domain.groupbuy.errors import DealPausedNow, GroupClosed
from domain.identity.permissions import Standing
from infra.ids import new_id
from infra.payments.checkout import PaymentTooLate
from infra.runtime import started
from infra.settings import Settings
from tests.money_shop import Purchase
from tests.money_truth import come_to_rest, money_is_true
from tests.waiting import eventually
from tests.workers.conftest import worker_process
from tests.workers.ground_truth import all_closed, closings, number
from tests.workers.paying_shop import PayingShop
from tests.workers.winding_down.suspended import groups_of, lifecycles, log, opening, stands
from workers.duty import Context
from workers.winding_down import WindingDown

OPEN = "SELECT count(*) FROM groups WHERE status = 'open'"
CANCELLED = "SELECT count(*) FROM groups WHERE status = 'cancelled'"


async def test_nothing_new_begins_before_any_worker_comes(shop: PayingShop, settings: Settings) -> None:
    """Within a second no process opens a group of theirs or sells alone; nobody has paused the deals yet."""
    deal_id = await shop.live()
    async with started(settings, "other") as other:
        await stands(shop, Standing.SUSPENDED)

        async def is_known() -> bool:
            return shop.merchant_id in other.suspensions.merchant_ids

        await eventually(is_known, "the other process to hear of it", 1.0)
        for begin in (opening(deal_id), BuyAlone(deal_id=deal_id, shopper_id=new_id(), order_id=new_id())):
            with pytest.raises(DealPausedNow):
                await other.tell(begin)
        assert (await lifecycles(shop))[deal_id] == "published"
        await stands(shop, Standing.APPROVED)
        await other.suspensions.look()
        await other.tell(opening(deal_id))


async def test_joins_race_with_the_suspension(context: Context, shop: PayingShop) -> None:
    """People open, join and pay while it happens: whoever got in before it gets everything back, nobody after it."""
    deal_id = await shop.live(group_size_max=200)
    first, *_ = await shop.paid_group(deal_id, None)
    begun = asyncio.Event()
    paid: list[Purchase] = []

    async def joining(number_of: int) -> None:
        try:
            bought = await (shop.reserve(first) if number_of % 3 else shop.reserve_first(deal_id))
            if number_of == 10:
                begun.set()
            paid.append(await shop.pay(bought))
        except (GroupClosed, DealPausedNow, PaymentTooLate):
            return

    async def suspending() -> None:
        await begun.wait()
        await stands(shop, Standing.SUSPENDED)
        await WindingDown().step(context)

    await asyncio.gather(suspending(), *(joining(number_of) for number_of in range(60)))
    await WindingDown().step(context)
    assert await number(shop.engine, OPEN) == 0
    with pytest.raises(DealPausedNow):
        await shop.tell(opening(deal_id))
    await come_to_rest(context)
    assert paid
    for purchase in paid:
        payment = await shop.at_gateway(purchase)
        assert payment.captured_minor == payment.refunded_minor
    await shop.books_are_closed()
    await money_is_true(shop.engine)


async def test_two_workers_end_each_group_once(context: Context, shop: PayingShop, settings: Settings) -> None:
    """Doing it twice, or twice at once, cancels each group once and pauses each deal once."""
    deals = [await shop.live() for _ in range(3)]
    groups = groups_of([(await shop.paid_group(deal_id, None))[0] for deal_id in deals for _ in range(5)])
    await stands(shop, Standing.SUSPENDED)
    async with started(settings, "other") as other:
        contexts = (context, Context(other, context.by_key))
        await asyncio.gather(*(WindingDown().step(one) for one in contexts for _ in range(2)))
    assert [await closings(shop.engine, group_id) for group_id in groups] == [["GroupCancelled"]] * len(groups)
    assert await number(shop.engine, "SELECT count(*) FROM events WHERE type = 'DealPaused'") == len(deals)
    assert len(await log(shop)) == len(deals) + len(groups)


async def test_the_worker_is_killed_in_the_middle(
    shop: PayingShop, context: Context, settings: Settings, tmp_path: Path
) -> None:
    """Kill -9 while groups are being cancelled: the next worker goes on, and everybody has the money back once."""
    deals = [await shop.live() for _ in range(4)]
    bought = await asyncio.gather(*(shop.paid_group(deal_id, None, None) for deal_id in deals for _ in range(60)))
    purchases = [purchase for group in bought for purchase in group]

    async def some_are_cancelled() -> bool:
        return await number(shop.engine, CANCELLED) > 0

    with worker_process(settings, tmp_path / "killed.log") as worker:
        await stands(shop, Standing.SUSPENDED)
        await eventually(some_are_cancelled, "the first cancelled group", 30)
        worker.kill()
    with worker_process(settings, tmp_path / "second.log"):
        await eventually(lambda: all_closed(shop.engine, groups_of(purchases)), "every group cancelled", 30)
    await come_to_rest(context)
    assert await number(shop.engine, CANCELLED) == len(bought)
    assert await number(shop.engine, "SELECT count(*) FROM payments WHERE status <> 'released'") == 0
    await shop.books_are_closed()
    await money_is_true(shop.engine)
