"""The domain's machine with PostgreSQL behind it: the pure core answers first, and the rows must say the same."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, invariant, multiple, precondition, rule
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import Command, PublishDeal
from domain.groupbuy.world import Accepted, Outcome, Refused
from infra.batching import Batcher
from infra.lane import Answer
from tests.batching.clock import set_clock
from tests.batching.replaying import chapters_told, replayed
from tests.batching.stored import world_stored
from tests.domain.catalogue import MERCHANT, offer, schedule
from tests.domain.machine import GroupBuying, Wish, picks, shoppers_known
from tests.domain.partial_world import contents

EMPTY = "TRUNCATE deals, variants, groups, participants, invites, settlements, outbox, idempotency_keys CASCADE"
QUEUE_COMMANDS_MAX = 1_000

move_names = st.sampled_from(["join", "join", "join", "join", "leave", "leave", "invite", "open"])
moves = st.lists(st.tuples(shoppers_known, move_names), min_size=4, max_size=12)


@dataclass(frozen=True, slots=True)
class Told:
    """A command, when it was told, and what the pure core made of it."""

    command: Command
    now: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the machine's rows live, and the loop to reach them in; both outlive one example."""

    runner: asyncio.Runner
    engine: AsyncEngine
    connection: asyncpg.Connection


class StoredGroupBuying(GroupBuying):
    """Commands of a step, or of several, arrive at once; the two batchers, as of two processes, take turns."""

    shelf: ClassVar[Shelf]

    def __init__(self) -> None:
        super().__init__()
        self.arriving: list[Told] = []
        self.steps_held = 0
        self.batchers: list[Batcher] = []
        self.shelf.runner.run(self.shelf.connection.execute(EMPTY))

    @initialize(commands_max=st.sampled_from([3, 256]))
    def batchers_before(self, commands_max: int) -> None:
        self.batchers = [
            Batcher(self.shelf.engine, batch_commands_max=commands_max, queue_commands_max=QUEUE_COMMANDS_MAX)
            for _ in range(2)
        ]

    def begin(self) -> None:
        """A team deal that tips late as well, so that people leave others behind."""
        if self.model.deals:
            return
        super().begin()
        deal_id = self.new_deal(offer(schedule=schedule(50, (4, 40)), group_size_max=5, group_lifetime_s=30), [20])
        self.steer_deal(PublishDeal(deal_id=deal_id, merchant_id=MERCHANT, crowd_group_id=self.new_id()))

    def tell(self, command: Command) -> Outcome:
        outcome = super().tell(command)
        self.arriving.append(Told(command, self.now, outcome))
        return outcome

    @rule(steps=st.integers(2, 8))
    def hold_back(self, steps: int) -> None:
        """What is asked in the next steps arrives together."""
        self.steps_held = steps

    @precondition(lambda self: self.running())
    @rule(target=GroupBuying.groups, pick=picks, moves=moves)
    def rush(self, pick: int, moves: list[tuple[UUID, str]]) -> MultipleResults[UUID]:
        """Many moves on one group at once, some of a group or through an invite that the same rush brings about."""
        opened: list[UUID] = []
        group_id, code = self._picked(pick), None
        for shopper_id, move in moves:
            match move:
                case "join":
                    self._join(group_id, Wish(shopper_id, 1, 0), code)
                case "leave":
                    self._leave(group_id, shopper_id)
                case "invite":
                    code = self._shared(group_id, shopper_id)
                case _:
                    opened += self._opened(group_id, shopper_id, code)
                    group_id = opened[-1] if opened else group_id
        return multiple(*opened)

    @invariant()
    def rows_are_the_world(self) -> None:
        if self.steps_held:
            self.steps_held -= 1
        elif self.arriving:
            self.shelf.runner.run(self._arrive())

    def teardown(self) -> None:
        if self.batchers:
            self.shelf.runner.run(self._end())

    def _shared(self, group_id: UUID, sharer_id: UUID) -> str:
        code = self.invite(group_id=group_id, sharer_id=sharer_id, channel="chat")
        assert isinstance(code, str)
        return code

    def _opened(self, group_id: UUID, leader_id: UUID, code: str | None) -> Iterable[UUID]:
        """A new group, of a team deal where there is a live one."""
        deal_id = self.model.groups[group_id].deal_id
        made = self.open_group(deal_id=deal_id, prefer_open=True, wish=Wish(leader_id, 1, 0), code=code)
        return made.values if isinstance(made, MultipleResults) else ()

    async def _arrive(self) -> None:
        """Tell what waits, all that was asked at one moment at once, and compare."""
        for now, told in groupby(self.arriving, key=lambda one: one.now):
            await set_clock(self.shelf.connection, now)
            await self._tell_at_once(list(told))
        self.arriving.clear()
        self.batchers.reverse()
        assert await world_stored(self.shelf.connection) == contents(self.world)

    async def _tell_at_once(self, told: list[Told]) -> None:
        batcher = self.batchers[0]
        for group in self.world.groups.values():
            batcher.remember(group.id, group.deal_id)  # a look-up would let others go first
        found = await asyncio.gather(*(batcher.tell(one.command) for one in told), return_exceptions=True)
        assert [_seen(answer) for answer in found] == [_expected(one.outcome) for one in told]

    async def _end(self) -> None:
        if self.arriving:
            await self._arrive()
        for batcher in self.batchers:
            await batcher.stop()
        chapters = await chapters_told(self.shelf.connection)
        assert contents(replayed(chapters)) == contents(self.world)


def _expected(outcome: Outcome) -> Any:
    return _seen(outcome.error if isinstance(outcome, Refused) else outcome)


def _seen(answer: Answer | BaseException) -> Any:
    """What the asker sees; of an invite that was not loaded only its code."""
    if not isinstance(answer, Accepted):
        return type(answer), str(answer)
    state = answer.state
    return answer.events, state.deal, state.group, state.place, dict(state.stock_left)
