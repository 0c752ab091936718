"""Shoppers, merchants, clocks and workers of two processes, a gateway behind a bad line, and crashes: for real."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from domain.groupbuy.commands import (
    BuyAlone,
    CancelGroup,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
)
from domain.pricing.steps import Strategy
from infra.ids import new_id
from tests.money_shop import ADDRESS, Purchase
from tests.money_truth import money_is_true
from tests.races.hostile_sandbox import Fate
from tests.races.house import House
from tests.races.stage import Stage

EMPTY = """
  TRUNCATE deals, variants, groups, participants, invites, settlements, outbox, idempotency_keys, payments, orders,
    refunds, ledger, sandbox_payments, sandbox_events"""
SHOPPERS = [UUID(int=0xF0 + number) for number in range(6)]
AWHILE = "created_at = created_at - interval '20 s', looked_up_at = looked_up_at - interval '20 s'"
DUE = "next_attempt_at = clock_timestamp() - interval '1 ms'"
LOST = "UPDATE sandbox_payments SET hold_expires_at = clock_timestamp() - interval '1 s' WHERE order_id = :id"

picks = st.integers(0, 99)
sides = st.integers(0, 1)
methods = st.sampled_from(
    ["sandbox_approve"] * 10
    + ["sandbox_step", "sandbox_step", "sandbox_decline", "sandbox_decline_at_capture", "sandbox_timeout_after_success"]
)
fates = st.sampled_from([Fate.FINE] * 4 + [Fate.AWAY, Fate.LOST, Fate.SLOW, Fate.SLOW_ANSWER])
wishes = st.tuples(st.sampled_from(SHOPPERS), st.sampled_from([1, 1, 2]), methods, fates)
queues = st.lists(wishes, min_size=2, max_size=6, unique_by=lambda wish: wish[0])
amounts = st.lists(st.sampled_from([None, None, 1, 300, 1_000]), min_size=1, max_size=3)
rarely = st.integers(0, 4).map(lambda number: number == 0)

Wish = tuple[UUID, int, str, Fate]


class Market(RuleBasedStateMachine):
    """Every step goes on until all that is under way is done, or waits for an answer that is on its way."""

    runner: ClassVar[asyncio.Runner]
    houses: ClassVar[tuple[House, House]]
    steps: ClassVar[int] = 0

    stage: Stage

    @initialize(strategy=st.sampled_from(Strategy), first=st.permutations(SHOPPERS))
    def open(self, strategy: Strategy, first: list[UUID]) -> None:
        """Somebody is in a group of each deal already; one of them is full."""
        self.stage = Stage(self.houses, strategy)
        self.run(_emptied(self.houses[0]))
        self.run(self.stage.open())
        for pick in range(2):
            those = [(shopper_id, 1, "sandbox_approve", Fate.FINE) for shopper_id in first[: 3 - pick]]
            self.rush(pick, is_new=True, those=those)

    @rule(pick=picks, is_new=rarely, those=queues)
    def rush(self, pick: int, *, is_new: bool, those: list[Wish]) -> None:
        """Some shoppers go for one group, through both processes; of a new one the first is the leader."""
        deal_id, group_id = self.stage.deal_ids[pick % 2], new_id()
        if not is_new and self.in_groups():
            beside = self.picked(-1 - pick % 6, self.in_groups())
            deal_id, group_id, is_new = beside.deal_id, beside.group_id or group_id, False
        for number, wish in enumerate(those):
            command: OpenGroup | JoinGroup = JoinGroup(group_id=group_id, **_wish(*wish[:2]))
            if is_new and number == 0:
                command = OpenGroup(deal_id=deal_id, group_id=group_id, **_wish(*wish[:2]))
            self.buy((pick + number) % 2, command, deal_id, wish)

    @rule(at=sides, pick=picks, wish=wishes)
    def buy_alone(self, at: int, pick: int, wish: Wish) -> None:
        deal_id = self.stage.deal_ids[pick % 2]
        self.buy(at, BuyAlone(deal_id=deal_id, **_wish(*wish[:2])), deal_id, wish)

    @precondition(lambda self: self.stage.line.on_their_way)
    @rule(pick=picks, crashes=st.booleans())
    def let_go_on(self, *, pick: int, crashes: bool) -> None:
        """A call arrives; or its caller is no more, and it arrives some other time."""
        waiting = self.stage.line.on_their_way
        if crashes:
            self.run(self.stage.crash(pick))
        else:
            self.stage.line.let_go_on(waiting[pick % len(waiting)])
            self.run(self.stage.go_on())

    @rule(at=sides, those=st.lists(picks, min_size=1, max_size=6), fate=fates)
    def webhook(self, at: int, those: list[int], fate: Fate) -> None:
        house = self.houses[at]
        self.stage.line.fates.append(fate)
        self.run(self.stage.begin(house.hear(*(self.picked(pick) for pick in those))))

    @rule(at=sides, pick=picks, method=methods, fate=fates)
    def ask_again(self, at: int, pick: int, method: str, fate: Fate) -> None:
        self.stage.line.fates.append(fate)
        self.run(self.stage.begin(self.stage.ask_again(at, self.picked(pick), method)))

    @rule(pick=picks, approve=st.sampled_from([True, True, False]))
    def take_step(self, *, pick: int, approve: bool) -> None:
        self.run(self.stage.take_step(self.picked(pick), approve=approve))

    @rule(at=sides, pick=picks, calls_off=rarely)
    def leave(self, *, at: int, pick: int, calls_off: bool) -> None:
        """A shopper leaves, or all of them because the group is called off."""
        bought = self.picked(pick)
        if bought.group_id is None:
            return
        if calls_off:
            self.run(self.stage.tell(at, CancelGroup(group_id=bought.group_id, merchant_id=None), bought.deal_id))
        else:
            command = LeaveGroup(group_id=bought.group_id, shopper_id=bought.shopper_id)
            self.run(self.stage.tell(at, command, bought.deal_id))

    @rule(at=sides, pick=picks, is_groups=st.booleans(), sweeps=st.booleans())
    def deadline(self, *, at: int, pick: int, is_groups: bool, sweeps: bool) -> None:
        """The time of a place or a group is over, and a sweep comes at once or another time."""
        bought = self.picked(pick)
        set_end = "UPDATE payments SET pay_by = clock_timestamp() WHERE order_id = :id AND status = 'awaiting'"
        if is_groups:
            set_end = "UPDATE groups SET expires_at = clock_timestamp() WHERE id = :id AND status = 'open'"
        self.run(self.stage.make(set_end, id=bought.group_id if is_groups else bought.order_id))
        if sweeps:
            self.run(self.stage.sweep(at))

    @rule(at=sides, fate=fates)
    def look_up(self, at: int, fate: Fate) -> None:
        """A while later a sweep asks about what nothing was heard of."""
        self.stage.line.fates.append(fate)
        self.run(self.stage.make(f"UPDATE payments SET {AWHILE} WHERE status = 'awaiting'"))
        self.run(self.stage.begin(self.stage.look_up(at)))

    @rule(at=sides, coming=st.lists(fates, max_size=4), leases_pass=st.booleans())
    def work(self, *, at: int, coming: list[Fate], leases_pass: bool) -> None:
        """Groups that closed are settled, and an executor takes up what is due, perhaps also what another one has."""
        self.stage.line.fates.extend(coming)
        if leases_pass:
            for table in ("settlements", "refunds"):
                self.run(self.stage.make(f"UPDATE {table} SET {DUE} WHERE status = 'pending'"))
        self.run(self.stage.sweep(at))
        self.run(self.stage.work(at))

    @rule(pick=picks, is_meant=rarely)
    def lose_hold(self, *, pick: int, is_meant: bool) -> None:
        if is_meant:
            self.run(self.stage.make(f"{LOST} AND status = 'held'", id=self.picked(pick).order_id))

    @rule(at=sides, pick=picks, given_back=amounts, ships=st.booleans(), calls_off=rarely)
    def handle_order(self, *, at: int, pick: int, given_back: list[int | None], ships: bool, calls_off: bool) -> None:
        """A merchant gives money back, and ships an order or calls it off."""
        paid = self.run(self.stage.paid())
        if paid:
            bought = self.picked(pick, paid)
            for command in self.stage.handling(bought, given_back, ships=ships, calls_off=calls_off):
                self.run(self.stage.tell(at, command, bought.deal_id))

    @invariant()
    def laws_hold(self) -> None:
        type(self).steps += 1
        self.run(money_is_true(self.houses[0].engine, is_at_rest=False))

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            self.run(self.stage.end())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def in_groups(self) -> list[Purchase]:
        return [bought for bought in self.stage.bought if bought.group_id is not None]

    def picked(self, pick: int, among: list[Purchase] | None = None) -> Purchase:
        among = self.stage.bought if among is None else among
        return among[pick % len(among)]

    def buy(self, at: int, command: OpenGroup | JoinGroup | BuyAlone, deal_id: UUID, wish: Wish) -> None:
        _, _, method, fate = wish
        self.stage.line.fates.append(fate)
        self.run(self.stage.begin(self.stage.buy(at, command, deal_id, method)))


async def _emptied(house: House) -> None:
    """The ledger refuses to be emptied, so its guard looks away."""
    async with house.engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text(EMPTY))


def _wish(shopper_id: UUID, quantity: int) -> dict[str, Any]:
    return {"shopper_id": shopper_id, "order_id": new_id(), "quantity": quantity, "address": ADDRESS}
