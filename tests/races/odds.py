"""Keeping races even, on any machine: a race that always ends in one way is none."""

import asyncio
import random
from collections.abc import Awaitable, Iterable
from uuid import UUID

from domain.groupbuy.events import ParticipantJoined, PaymentCameLate
from infra.lane import Committed
from tests.money_shop import Purchase
from tests.races.house import House

EITHER_WAY_SHARE_MIN = 0.1


class Odds:
    """Approvals against whatever makes them come too late: the side that won last waits longer the next time."""

    def __init__(self, houses: Iterable[House]) -> None:
        self._chance = random.Random(1)
        self._racing: set[UUID] = set()
        self._lead = 0
        self.in_time = self.late = 0
        for house in houses:
            house.runtime.after_commit.append(self._watch)

    async def race(self, bought: Purchase, approval: Awaitable[object], other: Awaitable[object]) -> None:
        """Both at once, each after some turns of the loop that nobody knows before."""
        self._racing.add(bought.order_id)
        await asyncio.gather(self._after(self._lead, approval), self._after(-self._lead, other))

    def check(self) -> None:
        """Either side has won often enough."""
        least = EITHER_WAY_SHARE_MIN * len(self._racing)
        assert self.in_time > least
        assert self.late > least

    def _watch(self, committed: Committed) -> None:
        for event in committed.events:
            match event:
                case ParticipantJoined(order_id=order_id) if order_id in self._racing:
                    self.in_time += 1
                    self._lead += 1
                case PaymentCameLate(order_id=order_id) if order_id in self._racing:
                    self.late += 1
                    self._lead -= 1

    async def _after(self, lead: int, what: Awaitable[object]) -> None:
        for _ in range(self._chance.randint(0, max(2 * lead, 5))):
            await asyncio.sleep(0)
        await what
