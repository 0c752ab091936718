"""Shoppers, merchants, clocks, workers and a hostile gateway, interleaved and crashed between any two steps."""

from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from domain.groupbuy.commands import CloseGroup, JoinGroup
from domain.groupbuy.payment import SettlementStatus
from tests.domain.catalogue import INSTANT
from tests.domain.money.bank import Card, Fate
from tests.domain.money.processes import buying, deciding, executing, looking, refunding, sweeping
from tests.domain.money.shop import is_awaiting
from tests.domain.money.stand import (
    PAY_WITHIN_S,
    TO_THE_END,
    has_open_groups,
    has_pending_settlements,
    paces,
    picks,
    shoppers,
)
from tests.domain.money.trade import Trade

fates = st.lists(st.sampled_from(Fate), min_size=1, max_size=2)
turns = st.lists(st.booleans(), min_size=2, max_size=9)
"""Which of two processes makes the next step."""


class Market(Trade):
    """The trade, and everything that goes on behind it."""

    @precondition(has_open_groups)
    @rule(pick=picks, shopper_id=shoppers, is_released=st.booleans(), turns=turns)
    def ask_too_late(self, *, pick: int, shopper_id: UUID, is_released: bool, turns: list[bool]) -> None:
        """A slow process asks the gateway when the place has lapsed, while a worker gives back what there is."""
        group = self.picked(self.open_groups(), pick)
        command = JoinGroup(group_id=group.id, **self.wish(shopper_id, 1, group.deal_id, pick))
        slow = buying(self.shop, command, Card.GOOD)
        if next(slow, "over") == "over" or command.order_id not in self.shop.shown:
            return
        self.shop.wait(timedelta(seconds=PAY_WITHIN_S))
        self.run_on(sweeping(self.shop, command.order_id), TO_THE_END)
        if is_released:
            self.run_on(executing(self.shop, command.order_id), TO_THE_END)
        self.interleave(executing(self.shop, command.order_id), slow, turns)

    @precondition(lambda self: self.running)
    @rule(pick=picks, steps=st.sampled_from([1, 1, 2, TO_THE_END]))
    def go_on(self, pick: int, steps: int) -> None:
        self.run_on(self.running.pop(pick % len(self.running)), steps)

    @precondition(lambda self: self.running)
    @rule(pick=picks)
    def crash(self, pick: int) -> None:
        self.running.pop(pick % len(self.running))

    @rule(coming=fates)
    def trouble(self, coming: list[Fate]) -> None:
        self.shop.bank.fates.extend(coming)

    @precondition(lambda self: self.shop.bank.webhooks)
    @rule(pick=picks, again=st.booleans(), pace=paces)
    def webhook(self, *, pick: int, again: bool, pace: int) -> None:
        webhooks = self.shop.bank.webhooks
        at = pick % len(webhooks)
        order_id = webhooks[at] if again else webhooks.pop(at)
        self.run_on(looking(self.shop, order_id), pace)

    @precondition(lambda self: self.shop.payments())
    @rule(pick=picks, pace=paces)
    def app_asks(self, pick: int, pace: int) -> None:
        self.run_on(looking(self.shop, self.picked(self.shop.payments(), pick).order_id), pace)

    @rule(seconds=st.integers(1, 7))
    def wait(self, seconds: int) -> None:
        self.shop.wait(timedelta(seconds=seconds))

    @precondition(has_open_groups)
    @rule(pick=picks, offset=st.sampled_from([-INSTANT * 2, -INSTANT, timedelta(0)]))
    def come_to_deadline(self, pick: int, offset: timedelta) -> None:
        group = self.picked(self.open_groups(), pick)
        self.shop.wait(max(group.expires_at + offset - self.shop.now, timedelta(0)))

    @precondition(has_open_groups)
    @rule()
    def close_due(self) -> None:
        for group in self.open_groups():
            self.shop.tell(CloseGroup(group_id=group.id))

    @precondition(lambda self: self.shop.world.groups)
    @rule(pick=picks, pace=paces)
    def decide_settlements(self, pick: int, pace: int) -> None:
        for group in list(self.shop.world.groups.values()):
            if (group.id.int + pick) % 3:
                self.run_on(deciding(self.shop, group.id), pace)

    @rule(pick=picks, pace=paces)
    def sweep(self, pick: int, pace: int) -> None:
        for payment in self.shop.payments():
            if is_awaiting(payment) and (payment.order_id.int + pick) % 3:
                self.run_on(sweeping(self.shop, payment.order_id), pace)

    @precondition(has_pending_settlements)
    @rule(pick=picks, turns=turns)
    def execute_twice(self, pick: int, turns: list[bool]) -> None:
        """Two executors take the same settlement up, as when the lease of one has run out."""
        order_id = self.picked(self.pending_settlements(), pick)
        self.interleave(executing(self.shop, order_id), executing(self.shop, order_id), turns)

    @precondition(has_pending_settlements)
    @rule(pick=picks)
    def give_up(self, pick: int) -> None:
        order_id = self.picked(self.pending_settlements(), pick)
        self.shop.turn(self.shop.payment(order_id), SettlementStatus.DEAD)

    @precondition(lambda self: self.shop.world.refunds)
    @rule(pick=picks, turns=turns)
    def refund_twice(self, pick: int, turns: list[bool]) -> None:
        refund_id = self.picked(list(self.shop.world.refunds), pick)
        self.interleave(refunding(self.shop, refund_id), refunding(self.shop, refund_id), turns)

    @precondition(lambda self: any(account.held_minor for account in self.shop.bank.accounts.values()))
    @rule(pick=picks, is_meant=picks.map(lambda at: at < 20))
    def lose_hold(self, *, pick: int, is_meant: bool) -> None:
        held = [order_id for order_id, account in self.shop.bank.accounts.items() if account.held_minor]
        if is_meant:
            self.shop.bank.drop_hold(self.picked(held, pick))
