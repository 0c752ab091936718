"""Calls that take longer than anybody's patience: whatever was decided meanwhile, they have one effect or none."""

from collections.abc import AsyncIterator

import pytest

from domain.pricing.steps import Strategy
from tests.money_truth import money_is_true
from tests.races.hostile_sandbox import Fate
from tests.races.house import House
from tests.races.market import SHOPPERS, Market, Wish, opened

SLOW = Fate.SLOW


@pytest.fixture(params=list(Strategy))
async def market(request: pytest.FixtureRequest, houses: tuple[House, House]) -> AsyncIterator[Market]:
    """With a full group of three; at the end everything comes to rest, and every law holds."""
    made = await opened(houses, request.param)
    yield made
    try:
        await made.stage.rest()
        await money_is_true(houses[0].engine)
    finally:
        await made.stage.close()


async def test_settlements_on_their_way_are_taken_up_by_another(market: Market) -> None:
    """Neither answer has come when the lease is over: both processes ask, and it is done once."""
    await market.work(0, [SLOW] * 3, leases_pass=False)
    await market.work(1, [Fate.FINE, Fate.FINE, Fate.FINE, *[SLOW] * 3], leases_pass=True)
    assert len(market.stage.line.on_their_way) == 6


async def test_a_refund_on_its_way_is_taken_up_by_another(market: Market) -> None:
    """The same for a part of an order's money: the second look does not see it yet, and it goes back once."""
    await market.work(0, [], leases_pass=False)
    await market.handle_order(0, 0, [300], ships=False, calls_off=False)
    await market.work(0, [SLOW], leases_pass=False)
    await market.work(1, [Fate.FINE, SLOW], leases_pass=True)
    assert len(market.stage.line.on_their_way) == 2


async def test_an_approval_that_arrives_after_everything(market: Market) -> None:
    """Whoever asked is dead, the place has lapsed, a worker has looked: what arrives then is found and goes back."""
    await market.rush(1, is_new=True, wishes=[Wish(SHOPPERS[5], fate=SLOW)])
    await market.crash()
    await market.deadline(0, -1, is_groups=False, is_noticed=True)
    await market.let_go_on(0)


async def test_an_answer_that_arrives_after_its_group_closed(market: Market) -> None:
    """The approval was given in time and heard of too late: the caller still waits, and is told so."""
    await market.rush(1, is_new=False, wishes=[Wish(SHOPPERS[5], fate=Fate.SLOW_ANSWER)])
    await market.deadline(1, -1, is_groups=True, is_noticed=True)
    await market.let_go_on(0)
