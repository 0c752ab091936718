"""An approval against the clock: the deadline of its place, the deadline of its group."""

from tests.money_truth import come_to_rest, money_is_true
from tests.races.clock import Clock
from tests.races.house import DEALS, ROUNDS, House, meanwhile, rounds
from tests.races.odds import Odds


async def test_webhook_against_deadline(houses: tuple[House, House]) -> None:
    """Either the place counts and the money is kept, or the place is free and the money goes back: never both."""
    ours, theirs = houses
    clock, odds = Clock(theirs), Odds(houses)
    groups = await ours.groups([await ours.live(group_size_max=ROUNDS) for _ in range(DEALS)])

    async def one(at: int) -> None:
        here, beside = houses[at % 2], groups[at % DEALS]
        bought = await (here.begin(beside.deal_id) if at % 3 == 0 else here.take(beside))
        await odds.race(bought, ours.hear(bought), clock.is_over_for(bought))

    async with meanwhile(clock.sweep):
        await rounds(one)
    odds.check()
    await come_to_rest(theirs.context)
    await money_is_true(ours.engine)


async def test_webhook_against_closing(houses: tuple[House, House]) -> None:
    """The group closes as the approval that would tip it comes: it pays and gets the price, or nobody pays."""
    ours, theirs = houses
    clock, odds = Clock(theirs), Odds(houses)
    deal_ids = [await ours.live() for _ in range(DEALS)]

    async def one(at: int) -> None:
        leader = await houses[at % 2].paid_leader(deal_ids[at % DEALS])
        bought = await houses[at % 2].take(leader)
        await odds.race(bought, ours.hear(bought), clock.is_over_for_group_of(bought))

    async with meanwhile(clock.sweep):
        await rounds(one)
    odds.check()
    await come_to_rest(theirs.context)
    await money_is_true(ours.engine)
