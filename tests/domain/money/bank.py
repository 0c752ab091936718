"""A hostile gateway, whose books are the truth of what shoppers were charged.

It loses answers of calls it has carried out, is away, drops holds early, declines captures, and its webhooks wait to be
delivered, in any order and as often as one likes.
"""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.groupbuy.payment import Payment
from domain.pricing.steps import AtGateway, Due, Step, Strategy

HOLD_LIFETIME = timedelta(seconds=120)


class NoAnswerError(Exception):
    """The gateway did not answer: what was asked may or may not have been done."""


class ClearNoError(Exception):
    """The gateway will not do what was asked."""


class Card(StrEnum):
    """How a shopper's payment method behaves."""

    GOOD = "good"
    DECLINES = "declines"
    ASKS = "asks"
    """It needs the shopper's own step."""
    BREAKS = "breaks"
    """Approved, then declined at the capture."""


class Fate(StrEnum):
    """What becomes of one call."""

    FINE = "fine"
    LOST = "lost"
    """Carried out, but the answer does not arrive."""
    AWAY = "away"


@dataclass(slots=True)
class Account:
    """One payment in the gateway's books; amounts in minor units."""

    order_id: UUID
    amount_minor: int
    currency: str
    strategy: Strategy
    card: Card
    is_pending: bool = True
    held_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    expires_at: datetime | None = None
    hold_was_lost: bool = False
    capture_was_declined: bool = False
    done: dict[str, Due] = field(default_factory=dict)

    @property
    def kept_minor(self) -> int:
        return self.captured_minor - self.refunded_minor

    @property
    def is_approved(self) -> bool:
        """Whether there is money of the shopper's here."""
        return bool(self.held_minor or self.captured_minor)


class Bank:
    """The gateway's side of everything."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.accounts: dict[UUID, Account] = {}
        self.fates: deque[Fate] = deque()
        self.webhooks: list[UUID] = []
        self.happened: Counter[str] = Counter()

    def authorise(self, payment: Payment, strategy: Strategy, card: Card) -> Account:
        """Hold or take an order's money; asked again, the payment as it is."""
        with self._call():
            if payment.order_id not in self.accounts:
                account = Account(payment.order_id, payment.hold_minor, payment.currency, strategy, card)
                self.accounts[payment.order_id] = account
                if card in {Card.GOOD, Card.BREAKS}:
                    self.approve(payment.order_id)
                elif card is Card.DECLINES:
                    self.decline(payment.order_id)
        return self._copy(payment.order_id)

    def look_up(self, order_id: UUID) -> Account | None:
        """A payment as it is now."""
        with self._call():
            pass
        return self._copy(order_id) if order_id in self.accounts else None

    def carry_out(self, order_id: UUID, due: Due, key: str) -> None:
        """Capture, cancel or refund; once for a key."""
        with self._call():
            account = self.accounts[order_id]
            if key in account.done:
                assert account.done[key] == due, "a key means one request"
                self.happened["replayed"] += 1
                return
            match due.step:
                case Step.CAPTURE:
                    self._capture(account, due.amount_minor)
                case Step.CANCEL:
                    self._cancel(account)
                case Step.REFUND:
                    self._refund(account, due.amount_minor)
                case _:
                    message = f"{due.step} is nothing to carry out"
                    raise ValueError(message)
            account.done[key] = due
            self._tell(order_id)

    def approve(self, order_id: UUID) -> None:
        """The shopper or his bank says yes."""
        account = self.accounts[order_id]
        if not account.is_pending:
            return
        account.is_pending = False
        if account.strategy is Strategy.HOLD_AND_CAPTURE:
            account.held_minor = account.amount_minor
            account.expires_at = self.now + HOLD_LIFETIME
        else:
            account.captured_minor = account.amount_minor
        self._tell(order_id)

    def decline(self, order_id: UUID) -> None:
        """The shopper or his bank says no."""
        account = self.accounts[order_id]
        account.is_pending = False
        self._tell(order_id)

    def drop_hold(self, order_id: UUID) -> None:
        """The card network lets go of a hold before its time."""
        account = self.accounts[order_id]
        if account.held_minor:
            account.held_minor = 0
            account.hold_was_lost = True
            self.happened["hold lost"] += 1
            self._tell(order_id)

    def tick(self, now: datetime) -> None:
        """Time passes; holds that nobody has captured expire."""
        self.now = now
        for account in self.accounts.values():
            if account.expires_at is not None and account.expires_at <= now:
                self.drop_hold(account.order_id)

    def _capture(self, account: Account, amount_minor: int) -> None:
        if account.card is Card.BREAKS:
            account.capture_was_declined = True
            self.happened["capture declined"] += 1
            raise ClearNoError("card_declined")
        if not 0 < amount_minor <= account.held_minor:
            raise ClearNoError("not_held")
        account.held_minor, account.captured_minor = 0, amount_minor

    def _cancel(self, account: Account) -> None:
        if account.captured_minor:
            raise ClearNoError("already_captured")
        account.held_minor, account.is_pending = 0, False

    def _refund(self, account: Account, amount_minor: int) -> None:
        if not 0 < amount_minor <= account.kept_minor:
            raise ClearNoError("not_captured")
        account.refunded_minor += amount_minor

    def _tell(self, order_id: UUID) -> None:
        self.webhooks.append(order_id)

    def _copy(self, order_id: UUID) -> Account:
        return replace(self.accounts[order_id], done={})

    @contextmanager
    def _call(self) -> Iterator[None]:
        fate = self.fates.popleft() if self.fates else Fate.FINE
        self.happened[fate] += 1
        if fate is Fate.AWAY:
            raise NoAnswerError
        try:
            yield
        except ClearNoError:
            if fate is Fate.LOST:
                raise NoAnswerError from None
            raise
        if fate is Fate.LOST:
            raise NoAnswerError


def stand_of(account: Account | None) -> AtGateway:
    """Where a payment stands, as `next_step` asks for it."""
    if account is None:
        return AtGateway()
    return AtGateway(
        held_minor=account.held_minor,
        captured_minor=account.captured_minor,
        refunded_minor=account.refunded_minor,
        is_cancellable=account.is_pending,
    )
