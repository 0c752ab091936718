"""The ledger as the database keeps it: every movement once, as double entries summed up by whom they concern."""

from collections import Counter
from uuid import UUID

from domain.groupbuy.events import BoughtAlone, Event, OrderRefunded, ParticipantJoined, RefundMade
from domain.groupbuy.postings import MoneyEvent, movements_of
from domain.groupbuy.world import World
from domain.pricing.ledger import Account, Cause

Entry = tuple[UUID, Cause, Account, Account]


class Book:
    """Balances in minor units, by account and currency, by order, by group and by merchant."""

    def __init__(self) -> None:
        self.posted: set[Entry] = set()
        self.of_currency: Counter[tuple[str, Account]] = Counter()
        self.of_order: Counter[tuple[UUID, Account]] = Counter()
        self.of_group: Counter[tuple[UUID | None, Account]] = Counter()
        self.of_merchant: Counter[tuple[UUID, str, Account]] = Counter()

    def take(self, world: World, event: Event) -> None:
        """Post what an event moves; the same movement a second time is an error, as the unique index has it."""
        if not isinstance(event, MoneyEvent):
            return
        group_id = None if isinstance(event, BoughtAlone) else event.group_id
        merchant_id = world.deals[event.deal_id].merchant_id
        if isinstance(event, ParticipantJoined):
            currency = world.groups[event.group_id].terms.currency
        else:
            currency = event.currency
        cause_id = event.refund_id if isinstance(event, OrderRefunded | RefundMade) else event.order_id
        for movement in movements_of(event):
            assert movement.amount_minor > 0
            entry = (cause_id, movement.cause, movement.from_account, movement.to_account)
            assert entry not in self.posted, f"moved twice: {movement} by {event}"
            self.posted.add(entry)
            signed = ((movement.from_account, -movement.amount_minor), (movement.to_account, movement.amount_minor))
            for account, amount_minor in signed:
                self.of_currency[(currency, account)] += amount_minor
                self.of_order[(event.order_id, account)] += amount_minor
                self.of_group[(group_id, account)] += amount_minor
                self.of_merchant[(merchant_id, currency, account)] += amount_minor

    def check(self) -> None:
        """Everything sums to zero, and no account is where it must not be."""
        for sums in (self.of_currency, self.of_order, self.of_group, self.of_merchant):
            totals: Counter[object] = Counter()
            for (*of, account), amount_minor in sums.items():
                totals[tuple(of)] += amount_minor
                if account is Account.GATEWAY_CLEARING:
                    assert amount_minor <= 0, (of, account, amount_minor)
                elif sums is not self.of_order or account in {Account.SHOPPER_HOLD, Account.REFUNDS}:
                    assert amount_minor >= 0, (of, account, amount_minor)
            assert not any(totals.values()), totals
