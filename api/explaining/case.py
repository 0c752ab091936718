"""One shopper's money in one group, as the rows tell it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.groupbuy.group import Group
from domain.groupbuy.payment import PaymentStatus
from domain.pricing.currency import format_minor
from domain.pricing.ledger import Account, Cause
from domain.pricing.schedule import Tier
from infra.reading.explain import Facts, MovementRow
from infra.rows import group_from


@dataclass(frozen=True, slots=True)
class Case:
    """The rows, and what follows from them; amounts in minor units."""

    facts: Facts
    group: Group

    @property
    def order_id(self) -> UUID:
        """The try this is about."""
        if self.facts.payment is not None:
            return self.facts.payment.order_id
        assert self.facts.place is not None
        return self.facts.place.order_id

    @property
    def quantity(self) -> int:
        """Units."""
        taken = self.facts.place or self.facts.payment
        assert taken is not None
        return taken.quantity

    @property
    def hold_minor(self) -> int:
        """What was asked for: the most it can cost."""
        asked = self.facts.payment or self.facts.place
        assert asked is not None
        return asked.hold_minor

    @property
    def due_minor(self) -> int:
        """What the present or final count of participants makes it cost."""
        return self.group.unit_price * self.quantity

    @property
    def held(self) -> list[MovementRow]:
        """Movements that held money."""
        return [row for row in self.facts.movements or () if row.cause is Cause.HOLD]

    @property
    def captured(self) -> list[MovementRow]:
        """Movements that took money from the hold."""
        return [row for row in self._of_settlement() if row.to_account is Account.MERCHANT_PAYABLE]

    @property
    def released(self) -> list[MovementRow]:
        """Movements that gave the rest of the hold back."""
        return [row for row in self._of_settlement() if row.to_account is Account.GATEWAY_CLEARING]

    @property
    def refunded_minor(self) -> int:
        """What is decided to go back of what was taken."""
        return sum(row.amount_minor for row in self.facts.refunds or ())

    @property
    def is_awaiting(self) -> bool:
        """Whether the place is only kept until it is paid."""
        payment = self.facts.payment
        return payment is not None and payment.status is PaymentStatus.AWAITING

    @property
    def tier(self) -> Tier | None:
        """The tier that is reached."""
        reached = [tier for tier in self.group.terms.schedule.tiers if tier.participants <= self.group.participants]
        return reached[-1] if reached else None

    def money(self, amount_minor: int) -> str:
        """An amount for people."""
        return format_minor(amount_minor, self.group.terms.currency)

    def _of_settlement(self) -> list[MovementRow]:
        rows = self.facts.movements or ()
        return [row for row in rows if row.cause is Cause.SETTLEMENT and row.from_account is Account.SHOPPER_HOLD]


def case_of(facts: Facts) -> Case:
    """The case of a shopper who has something to do with a group."""
    return Case(facts, group_from(facts.group))


def total(rows: list[MovementRow]) -> int:
    """The sum of movements, minor units."""
    return sum(row.amount_minor for row in rows)


def people(count: int) -> str:
    """How many, in words."""
    return "1 person" if count == 1 else f"{count} people"


def when(moment: datetime) -> str:
    """A moment for people."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
