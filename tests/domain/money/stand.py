"""What the machine's rules stand on: the shop, the processes under way, the checks after every step and at the end."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from domain.groupbuy.group import Group
from tests.domain.money import laws, rest
from tests.domain.money.processes import Process
from tests.domain.money.shop import SHOPPERS, Shop, is_pending
from tests.domain.money.till import ADDRESS

Thing = TypeVar("Thing")
TO_THE_END = 99
PAY_WITHIN_S = 12

picks = st.integers(0, 99)
shoppers = st.sampled_from(SHOPPERS)
paces = st.sampled_from([TO_THE_END] * 5 + [0, 1, 2, 3])
"""How many steps a process makes before others run."""


class Stand(RuleBasedStateMachine):
    """Four deals: cards and wallets, teams and a crowd, three kinds of reward, two currencies, two merchants."""

    steps_made: ClassVar[int] = 0
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.running: list[Process] = []

    @invariant()
    def laws_hold(self) -> None:
        type(self).steps_made += 1
        laws.all_hold(self.shop)

    def teardown(self) -> None:
        rest.come_to_rest(self.shop, self.running)
        laws.all_hold(self.shop)
        rest.everybody_has_paid_what_is_due(self.shop)
        rest.books_agree(self.shop)
        rest.parts_are_the_whole(self.shop)
        self.seen.update(self.shop.events + self.shop.bank.happened)

    def run_on(self, process: Process, steps: int) -> None:
        """Let a process make some steps; what is not at its end goes on later, or never."""
        for _ in range(steps):
            try:
                next(process)
            except StopIteration:
                return
        self.running.append(process)

    def interleave(self, one: Process, other: Process, turns: Sequence[bool]) -> None:
        """Let two processes make steps in turn; what is not at its end goes on later, or never."""
        self.running += [one, other]
        for turn in turns:
            process = one if turn else other
            if process in self.running:
                self.running.remove(process)
                self.run_on(process, 1)

    def picked(self, among: Sequence[Thing], pick: int) -> Thing:
        return among[pick % len(among)]

    def wish(self, shopper_id: UUID, quantity: int, deal_id: UUID, pick: int) -> dict[str, Any]:
        variants = self.shop.world.deals[deal_id].variants
        return {
            "shopper_id": shopper_id,
            "order_id": self.shop.new_id(),
            "quantity": quantity,
            "variant_id": variants[pick % len(variants)].id,
            "address": ADDRESS,
            "pay_within_s": PAY_WITHIN_S,
        }

    def open_groups(self) -> list[Group]:
        return [group for group in self.shop.world.groups.values() if group.is_open]

    def waiting_for_steps(self) -> list[UUID]:
        """Orders whose shoppers still have to approve at the gateway."""
        return [order_id for order_id, account in self.shop.bank.accounts.items() if account.is_pending]

    def pending_settlements(self) -> list[UUID]:
        return [payment.order_id for payment in self.shop.payments() if is_pending(payment)]


def has_open_groups(stand: Stand) -> bool:
    return bool(stand.open_groups())


def has_pending_settlements(stand: Stand) -> bool:
    return bool(stand.pending_settlements())
