"""Load: shoppers come at a steady pace, join or open groups, and ask again until they are answered."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count, cycle
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from tests.system.phones import UNAVAILABLE, Answer, NoAnswer, Phone
from tests.system.shop import ASKS_AGAIN_AFTER_S, AWAITED, ENDLESS, Shop, Shopper
from tests.waiting import eventually

PACE_PER_S = 150
SHOPPERS_AT_ONCE = 48
OPENS_EVERY = 10
SMALL_GROUP_SIZE = 6
ANSWERED_WITHIN_S = 30

_A_WHILE_LATER = "UPDATE payments SET created_at = created_at - interval '1 minute' WHERE status = 'awaiting'"
_PLACES = """
  SELECT p.shopper_id, p.group_id::text, p.quantity, p.joined_at, p.hold_minor, g.leader_id
  FROM participants p JOIN groups g ON g.id = p.group_id WHERE p.deal_id = ANY($1)"""


class Load:
    """What was asked and what came of it; every shopper wants one place only.

    `tallest` is how many participants the big group was answered to have, by the moment of the answer.
    """

    def __init__(self, shop: Shop, phones: Sequence[Phone], deal_ids: Sequence[str], big_group: str) -> None:
        self.big_group = big_group
        self._deal_ids = deal_ids
        self.said: Counter[tuple[int, str]] = Counter()
        self.unanswered = 0
        self.tallest: list[tuple[float, int]] = []
        self._shop = shop
        self._phones = cycle(phones)
        self._small_group = ""
        self._taken: dict[UUID, dict[str, Any]] = {}
        self._refused: set[UUID] = set()
        self._over = False

    @property
    def answered(self) -> int:
        """How many shoppers know whether they have a place."""
        return len(self._taken) + len(self._refused)

    @property
    def unavailable(self) -> int:
        """How often somebody was asked to come again."""
        return sum(times for (status, _), times in self.said.items() if status == UNAVAILABLE)

    @property
    def faults(self) -> dict[tuple[int, str], int]:
        """Answers that nobody should get whatever is broken, and how often."""
        fine = {(200, ""), (201, ""), (AWAITED, ""), (409, "group-full")}
        return {said: times for said, times in self.said.items() if said not in fine and said[0] != UNAVAILABLE}

    async def go_on(self, shoppers: int = 100) -> None:
        """Return when so many more shoppers have been answered."""
        wanted = self.answered + shoppers

        async def is_enough() -> bool:
            return self.answered >= wanted

        await eventually(is_enough, f"{shoppers} more answers", ANSWERED_WITHIN_S)

    async def run(self) -> None:
        """Send shoppers until stopped; returns when all of them are answered."""
        room = asyncio.Semaphore(SHOPPERS_AT_ONCE)
        async with asyncio.TaskGroup() as visits:
            for number in count():
                await room.acquire()
                if self._over:
                    return
                visit = visits.create_task(self._visit(number, self._shop.shopper()))
                visit.add_done_callback(lambda _: room.release())
                await asyncio.sleep(1 / PACE_PER_S)

    def stop(self) -> None:
        self._over = True

    async def let_payments_be_asked_for_anew(self, database_url: str) -> None:
        """A process that died may have left a place whose payment it never asked for: its shopper's later try does."""
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(_A_WHILE_LATER)
        finally:
            await connection.close()

    async def verify(self, database_url: str) -> None:
        """Every answered place is there as it was answered, once; whoever was refused has none."""
        connection = await asyncpg.connect(database_url)
        try:
            rows = await connection.fetch(_PLACES, self._deal_ids)
        finally:
            await connection.close()
        assert len({row["shopper_id"] for row in rows}) == len(rows), "nobody has two places"
        found = {row["shopper_id"]: row for row in rows}
        assert not self._refused & found.keys(), dict(self.said)
        assert found.keys() == self._taken.keys()
        for shopper_id, group in self._taken.items():
            row, you = found[shopper_id], group["you"]
            assert row["group_id"] == group["id"]
            assert (row["quantity"], row["hold_minor"]) == (you["quantity"], you["hold"])

    async def _visit(self, number: int, shopper: Shopper) -> None:
        """Ask until answered, as a phone does; an opening keeps its key."""
        opens, group_id, key = number % OPENS_EVERY == 0, self._choose(number), str(uuid4())
        while True:
            phone = next(self._phones)
            try:
                if opens:
                    answer = await shopper.open(phone, self._deal_ids[-1], key)
                else:
                    answer = await shopper.join(phone, group_id)
            except NoAnswer:
                self.unanswered += 1
            else:
                self._note(answer)
                if answer.status not in {AWAITED, UNAVAILABLE}:
                    self._settle(shopper, answer, opens=opens)
                    return
            await asyncio.sleep(ASKS_AGAIN_AFTER_S)

    def _choose(self, number: int) -> str:
        """One in three goes for the newest small group, so that groups fill and close all the time."""
        return self._small_group if number % 3 == 1 and self._small_group else self.big_group

    def _note(self, answer: Answer) -> None:
        self.said[answer.said] += 1
        assert answer.status != UNAVAILABLE or answer.retry_after_s, "503 says when to come again"

    def _settle(self, shopper: Shopper, answer: Answer, *, opens: bool) -> None:
        if answer.status not in {200, 201}:
            self._refused.add(shopper.subject)
            return
        group = self._taken[shopper.subject] = answer.body
        if opens:
            self._small_group = group["id"]
        if group["id"] == self.big_group:
            self.tallest.append((time.monotonic(), group["participants"]))


@asynccontextmanager
async def load_on(shop: Shop, phones: Sequence[Phone], database_url: str) -> AsyncIterator[Load]:
    """Load during the block, well under way at its beginning; at its end every answer is held against the database."""
    big_group = await shop.crowd(group_size_max=ENDLESS)
    await shop.deal(group_size_max=SMALL_GROUP_SIZE)
    load = Load(shop, phones, shop.deal_ids[-2:], big_group)
    running = asyncio.create_task(load.run())
    try:
        await load.go_on(50)
        yield load
    finally:
        load.stop()
        await load.let_payments_be_asked_for_anew(database_url)
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            await running
    await load.verify(database_url)
    assert load.faults == {}
