"""An approval against the clock: the deadline of its place, the deadline of its group."""

import random
from uuid import UUID

from sqlalchemy import text

from tests.money_truth import come_to_rest, money_is_true
from tests.races.house import DEALS, ROUNDS, House, meanwhile, rounds, turns
from tests.workers.ground_truth import number
from workers.awaiting import Lapsing
from workers.closing import Closing

EITHER_WAY_MIN = ROUNDS // 50
"""A race that always ends in one way is none."""
CAME_LATE = "SELECT count(*) FROM payments WHERE late_at IS NOT NULL"


class Clock:
    """Brings deadlines of places or groups to now, as the other process sweeps."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lapsing, self._closing = Lapsing(), Closing()
        self.places: list[UUID] = []
        self.groups: list[UUID] = []

    async def sweep(self) -> None:
        """The deadlines that were named come, and both sweeps look."""
        places, self.places = self.places, []
        groups, self.groups = self.groups, []
        await self._come("UPDATE payments SET pay_by = clock_timestamp() WHERE order_id = ANY(:ids)", places)
        await self._come("UPDATE groups SET expires_at = clock_timestamp() WHERE id = ANY(:ids)", groups)
        await self._closing.step(self._house.context)
        await self._lapsing.step(self._house.context)

    async def _come(self, statement: str, ids: list[UUID]) -> None:
        if ids:
            async with self._house.context.by_key.begin() as connection:
                await connection.execute(text(statement), {"ids": ids})


async def test_webhook_against_deadline(houses: tuple[House, House]) -> None:
    """Either the place counts and the money is kept, or the place is free and the money goes back: never both."""
    ours, theirs = houses
    clock, chance = Clock(theirs), random.Random(1)
    deal_ids = [await ours.live(group_size_max=ROUNDS) for _ in range(DEALS)]
    groups = await ours.groups(deal_ids)

    async def one(at: int) -> None:
        here, beside = houses[at % 2], groups[at % DEALS]
        bought = await (here.begin(beside.deal_id) if at % 3 == 0 else here.take(beside))
        clock.places.append(bought.order_id)
        await turns(chance, 20)
        await ours.hear(bought)

    async with meanwhile(clock.sweep):
        await rounds(one)
    came_late = await number(ours.engine, CAME_LATE)
    assert EITHER_WAY_MIN < came_late < ROUNDS - EITHER_WAY_MIN
    await come_to_rest(theirs.context)
    await money_is_true(ours.engine)


async def test_webhook_against_closing(houses: tuple[House, House]) -> None:
    """The group closes as the approval that would tip it comes: it pays and gets the price, or nobody pays."""
    ours, theirs = houses
    clock, chance = Clock(theirs), random.Random(2)
    deal_ids = [await ours.live() for _ in range(DEALS)]

    async def one(at: int) -> None:
        leader = await houses[at % 2].paid_leader(deal_ids[at % DEALS])
        bought = await houses[at % 2].take(leader)
        assert leader.group_id is not None
        clock.groups.append(leader.group_id)
        await turns(chance, 40)
        await ours.hear(bought)

    async with meanwhile(clock.sweep):
        await rounds(one)
    came_late = await number(ours.engine, CAME_LATE)
    assert EITHER_WAY_MIN < came_late < ROUNDS - EITHER_WAY_MIN
    await come_to_rest(theirs.context)
    await money_is_true(ours.engine)
