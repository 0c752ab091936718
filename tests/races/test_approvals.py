"""An approval against other approvals of itself and of others, and against those who end what it is for."""

import asyncio
import random
from contextlib import suppress

from domain.groupbuy.errors import GroupClosed, GroupFull
from tests.domain.catalogue import schedule
from tests.money_shop import Purchase
from tests.money_truth import come_to_rest, money_is_true
from tests.races.clock import Clock
from tests.races.house import DEALS, ROUNDS, House, meanwhile, rounds
from tests.races.odds import Odds
from tests.workers.ground_truth import number

TRIES = 5
OFTEN = ROUNDS // 50
HELD = "SELECT count(*) FROM payments WHERE status = 'held'"
LEFT_AFTER_PAYING = "SELECT count(*) FROM payments WHERE left_at IS NOT NULL"
FULL = "SELECT count(*) FROM groups WHERE closed_by = 'full'"
FILLED_BY_ANOTHER = """
  SELECT count(*) FROM groups WHERE closed_by = 'full'
    AND EXISTS (SELECT FROM payments p WHERE p.group_id = groups.id AND p.late_at IS NOT NULL)"""


async def test_three_ways_of_hearing_of_one_approval(houses: tuple[House, House]) -> None:
    """The gateway's answer, its webhook and the app's own call, all at once in two processes: it counts once."""
    chance = random.Random(3)
    groups = await houses[0].groups([await houses[0].live(group_size_max=ROUNDS) for _ in range(DEALS)])

    async def one(at: int) -> None:
        here, there = houses[at % 2], houses[1 - at % 2]
        bought = await here.take(groups[at % DEALS])
        ways = [here.pay_at_once(bought), there.hear(bought), there.ask(bought), here.hear(bought, bought)]
        chance.shuffle(ways)
        await asyncio.gather(*ways)

    await rounds(one)
    assert await number(houses[0].engine, HELD) == ROUNDS + DEALS
    await come_to_rest(houses[1].context)
    await money_is_true(houses[0].engine)


async def test_the_approval_that_fills_the_group(houses: tuple[House, House]) -> None:
    """The last two approvals, the lapse of one of them and somebody who wants its place: never more than three."""
    ours, theirs = houses
    clock, odds = Clock(theirs), Odds(houses)
    prices = schedule(2_000, (2, 1_800), (3, 1_500))
    deal_ids = [await ours.live(schedule=prices, group_size_max=3) for _ in range(DEALS)]

    async def one(at: int) -> None:
        here, there = houses[at % 2], houses[1 - at % 2]
        leader = await here.paid_leader(deal_ids[at % DEALS])
        second, third = await asyncio.gather(here.take(leader), there.take(leader))
        race = odds.race(third, there.hear(third), clock.is_over_for(third))
        await asyncio.gather(race, here.hear(second), _squeeze_in(there, leader))

    async with meanwhile(clock.sweep):
        await rounds(one)
    odds.check()
    assert await number(ours.engine, FULL) > OFTEN
    assert await number(ours.engine, FILLED_BY_ANOTHER) > OFTEN
    await come_to_rest(theirs.context)
    await money_is_true(ours.engine)


async def test_leaving_against_the_approval(houses: tuple[House, House]) -> None:
    """Who leaves as the approval comes is out and pays nothing, or was committed by it and pays."""
    odds = Odds(houses)
    deal_ids = [await houses[0].live() for _ in range(DEALS)]

    async def one(at: int) -> None:
        here, there = houses[at % 2], houses[1 - at % 2]
        beside = await here.paid_leader(deal_ids[at % DEALS]) if at % 3 else None
        bought = await (here.take(beside) if beside else here.begin(deal_ids[at % DEALS]))
        await odds.race(bought, here.hear(bought), there.leave(bought))

    await rounds(one)
    odds.check()
    assert await number(houses[0].engine, LEFT_AFTER_PAYING) > OFTEN
    assert await number(houses[0].engine, "SELECT max(participants) FROM groups") == 2
    await come_to_rest(houses[1].context)
    await money_is_true(houses[0].engine)


async def test_calling_off_against_the_approval(houses: tuple[House, House]) -> None:
    """The merchant calls the group off as an approval comes that fills it: both pay, or nobody."""
    odds = Odds(houses)
    deal_ids = [await houses[0].live(schedule=schedule(2_000, (2, 1_800)), group_size_max=2) for _ in range(DEALS)]

    async def one(at: int) -> None:
        here, there = houses[at % 2], houses[1 - at % 2]
        leader = await here.paid_leader(deal_ids[at % DEALS])
        bought = await here.take(leader)
        await odds.race(bought, here.hear(bought), there.call_off(leader))

    await rounds(one)
    odds.check()
    assert await number(houses[0].engine, FULL) == odds.in_time
    await come_to_rest(houses[1].context)
    await money_is_true(houses[0].engine)


async def _squeeze_in(house: House, beside: Purchase) -> None:
    """Somebody tries a few times to get a place that has come free, and pays."""
    for _ in range(TRIES):
        with suppress(GroupFull, GroupClosed):
            await house.hear(await house.take(beside))
            return
