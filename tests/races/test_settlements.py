"""Two workers on one settlement, and refunds told as the capture is being recorded: once, and never more than taken."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import cycle

import pytest

from domain.groupbuy.commands import CancelOrder, RefundOrder
from domain.groupbuy.errors import OrderNotPaid, OrderNotShippable, RefundTooLarge
from domain.pricing.steps import Strategy
from infra.ids import new_id
from infra.settings import Settings
from tests.domain.catalogue import schedule
from tests.money_shop import PAST, Purchase
from tests.money_truth import come_to_rest, money_is_true
from tests.races.house import DEALS, ROUNDS, House, meanwhile, rounds
from tests.waiting import eventually
from tests.workers.ground_truth import number
from workers import instructions
from workers.closing import Closing
from workers.paying import paying
from workers.settling import settle_chunk

OFTEN = ROUNDS // 50
OVER_BEFORE_S = -3_600
"""A lease that is over before it began: what one worker has taken up is the first that the other takes up."""
HARDLY_LEASED_S = 0.1
ASKS_AGAIN_AFTER_S = 0.05
LIMIT_S = 60
PENDING = "SELECT count(*) FROM settlements WHERE status = 'pending'"
TAKEN_UP_TWICE = "SELECT count(*) FROM settlements WHERE attempts > 1"
REFUNDS_TAKEN_UP_TWICE = "SELECT count(*) FROM refunds WHERE attempts > 1"
WHOLE_REFUNDS = "SELECT count(*) FROM orders WHERE refunded_minor = captured_minor"


@pytest.fixture(params=["hold_and_capture", "pay_and_refund"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Every race of this module, with either kind of gateway."""
    return replace(settings, sandbox_strategy=request.param)


async def test_two_workers_on_one_settlement(houses: tuple[House, House], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever both have taken up is captured once at the gateway, booked once, and one order."""
    ours, _ = houses
    deal_ids = [await ours.live(group_size_max=ROUNDS) for _ in range(DEALS)]
    groups = await ours.groups(deal_ids)

    async def one(at: int) -> None:
        bought = await houses[at % 2].take(groups[at % DEALS], quantity=1 + at % 3)
        await houses[at % 2].confirm(bought)

    await rounds(one)
    for deal_id in deal_ids:
        await ours.let_time_pass(deal_id, PAST)
    await Closing().step(ours.context)
    while await settle_chunk(ours.context.by_key):
        pass
    with monkeypatch.context() as leases:
        leases.setattr(instructions, "LEASE_S", OVER_BEFORE_S)
        async with _two_workers(houses):
            await eventually(partial(_nothing_pends, ours), "the settlements", LIMIT_S)
    assert await number(ours.engine, TAKEN_UP_TWICE) > OFTEN
    assert await number(ours.engine, "SELECT count(*) FROM orders") == ROUNDS + DEALS
    await come_to_rest(ours.context)
    await money_is_true(ours.engine)


async def test_refund_against_capture(
    houses: tuple[House, House], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part, all that is left and a calling off, told at once the moment the order is paid: never more than taken."""
    ours, _ = houses
    played = ROUNDS if settings.sandbox_strategy == Strategy.HOLD_AND_CAPTURE else ROUNDS // 4
    chance = random.Random(7)
    prices = schedule(2_000, (2, 1_800))
    deal_ids = [await ours.live(schedule=prices, group_size_max=2, needs_shipping=at % 2 == 0) for at in range(DEALS)]

    async def one(at: int) -> None:
        here, there = houses[at % 2], houses[1 - at % 2]
        deal_id = deal_ids[at % DEALS]
        if at % 4 < 2:
            bought = await here.buy_alone(deal_id, quantity=2)
        else:
            bought = await here.paid_leader(deal_id)
            await there.confirm(await there.take(bought))
        part = _refund(here, bought, chance.randint(1, 1_800))
        rest = _refund(there, bought, None)
        await asyncio.gather(*(_insist(*told) for told in (part, rest, _call_off(there, bought))))

    lengths = cycle([OVER_BEFORE_S, HARDLY_LEASED_S, HARDLY_LEASED_S])

    async def settle(leases: pytest.MonkeyPatch) -> None:
        """Of what is taken up next, some is the other's as well, however few sweeps a slow machine has time for."""
        leases.setattr(instructions, "LEASE_S", next(lengths))
        await settle_chunk(ours.context.by_key)

    with monkeypatch.context() as leases:
        async with _two_workers(houses), meanwhile(partial(settle, leases)):
            await rounds(one, played)
    assert await number(ours.engine, WHOLE_REFUNDS) == played
    assert await number(ours.engine, REFUNDS_TAKEN_UP_TWICE) > OFTEN
    await come_to_rest(ours.context)
    await money_is_true(ours.engine)


@asynccontextmanager
async def _two_workers(houses: tuple[House, House]) -> AsyncIterator[None]:
    """The executors of both at work."""
    async with AsyncExitStack() as stack:
        for house in houses:
            step = await stack.enter_async_context(paying(house.context))
            await stack.enter_async_context(meanwhile(step))
        yield


async def _nothing_pends(house: House) -> bool:
    return not await number(house.engine, PENDING)


async def _insist(house: House, command: RefundOrder | CancelOrder) -> None:
    """Tell it again and again until there is an order to give money back of."""
    while True:
        try:
            await house.batcher.put(command, command.deal_id)
        except OrderNotPaid:
            await asyncio.sleep(ASKS_AGAIN_AFTER_S)
        except (RefundTooLarge, OrderNotShippable):
            return
        else:
            return


def _refund(house: House, bought: Purchase, amount_minor: int | None) -> tuple[House, RefundOrder]:
    told = RefundOrder(
        deal_id=bought.deal_id,
        group_id=bought.group_id,
        order_id=bought.order_id,
        merchant_id=house.merchant_id,
        refund_id=new_id(),
        amount_minor=amount_minor,
        currency=None,
        reason="Scratched",
        is_return=False,
    )
    return house, told


def _call_off(house: House, bought: Purchase) -> tuple[House, CancelOrder]:
    return house, CancelOrder(
        **bought.names, merchant_id=house.merchant_id, refund_id=new_id(), reason="Out of business"
    )
