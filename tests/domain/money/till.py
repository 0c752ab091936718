"""A scene that takes money: reservations, approvals and settlements in short words."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from domain.groupbuy.address import Address
from domain.groupbuy.commands import (
    BuyAlone,
    Command,
    ConfirmPayment,
    CreateDeal,
    JoinGroup,
    LapsePayment,
    OpenGroup,
    PublishDeal,
    RecordSettlement,
)
from domain.groupbuy.deal import Variant
from domain.groupbuy.events import Event
from domain.groupbuy.order import Order
from domain.groupbuy.payment import LapsedBecause, Payment, PaymentTerms, Settlement
from domain.groupbuy.postings import MoneyEvent, movements_of
from domain.pricing.ledger import Account
from tests.domain.catalogue import ANN, BEN, DEAL, GROUP, MERCHANT, RED, Scene, offer, schedule

TERMS = PaymentTerms("cards", 250)
ADDRESS = Address(name="Ann Lee", line1="1 Mill Lane", city="Cork", country="IE")
PAY_WITHIN = timedelta(seconds=600)


@dataclass(slots=True)
class Till(Scene):
    """A scene whose deals take money; an order's id says whose it is, and which one of his."""

    told: list[Event] = field(default_factory=list)

    def does(self, command: Command) -> tuple[Event, ...]:
        """What a command that must be accepted causes; all of it is remembered."""
        events = Scene.does(self, command)
        self.told.extend(events)
        return events

    def sells(self, deal_id: UUID = DEAL, variants: Sequence[Variant] = (RED,), **changes: object) -> None:
        """Write and publish the kettle's offer, paid through Tuan."""
        offered = offer(**changes)
        owner: dict[str, Any] = {"deal_id": deal_id, "merchant_id": MERCHANT}
        self.does(CreateDeal(**owner, offer=offered, variants=tuple(variants)))
        self.does(PublishDeal(**owner, crowd_group_id=GROUP, payment=TERMS))

    def reserves(self, shopper_id: UUID, **changes: object) -> UUID:
        """Take a place that is to be paid for."""
        command = joining(shopper_id, **changes)
        assert self.does(command)
        return command.order_id

    def opens(self, shopper_id: UUID = ANN, **changes: object) -> UUID:
        """Open `GROUP`, to be paid for."""
        command = opening(shopper_id, **changes)
        assert self.does(command)
        return command.order_id

    def buys(self, shopper_id: UUID = ANN, **changes: object) -> UUID:
        """Reserve units at the solo price."""
        command = alone(shopper_id, **changes)
        assert self.does(command)
        return command.order_id

    def pays(self, order_id: UUID) -> tuple[Event, ...]:
        """The gateway holds the money."""
        return self.does(confirming(self.payment(order_id)))

    def lapses(self, order_id: UUID, because: LapsedBecause = LapsedBecause.DECLINED) -> tuple[Event, ...]:
        """The reservation comes to nothing."""
        return self.does(LapsePayment(**key_of(self.payment(order_id)), because=because))

    def joins(self, *shoppers: UUID) -> list[UUID]:
        """Reserve and pay, one shopper after the other."""
        order_ids = [self.reserves(shopper_id) for shopper_id in shoppers]
        for order_id in order_ids:
            self.pays(order_id)
        return order_ids

    def decides(self, *order_ids: UUID) -> None:
        """Write the settlements of places of the closed group, as the settling duty does."""
        unit_price = self.group().final_unit_price
        for order_id in order_ids:
            payment = self.payment(order_id)
            capture_minor = (unit_price or 0) * payment.quantity
            decided = Settlement(capture_minor=capture_minor, unit_price=unit_price)
            of_shopper = self.world.payments[(payment.deal_id, payment.shopper_id)]
            of_shopper[order_id] = replace(payment, settlement=decided)

    def settles(self, order_id: UUID, **changes: object) -> tuple[Event, ...]:
        """The gateway has done what was decided."""
        return self.does(recording(self.payment(order_id), **changes))

    def balance(self, account: Account) -> int:
        """What an account has by everything that was told, minor units."""
        movements = [
            movement for event in self.told if isinstance(event, MoneyEvent) for movement in movements_of(event)
        ]
        given = sum(movement.amount_minor for movement in movements if movement.to_account is account)
        return given - sum(movement.amount_minor for movement in movements if movement.from_account is account)

    def payment(self, order_id: UUID) -> Payment:
        return next(of[order_id] for of in self.world.payments.values() if order_id in of)

    def order(self, order_id: UUID) -> Order:
        return self.world.orders[order_id]


def joining(shopper_id: UUID = BEN, **changes: object) -> JoinGroup:
    """A join of `GROUP`."""
    command = JoinGroup(group_id=GROUP, shopper_id=shopper_id, order_id=order_of(shopper_id), address=ADDRESS)
    return replace(command, **cast("dict[str, Any]", changes))


def opening(shopper_id: UUID = ANN, **changes: object) -> OpenGroup:
    """The opening of `GROUP`."""
    order_id = order_of(shopper_id)
    command = OpenGroup(deal_id=DEAL, group_id=GROUP, shopper_id=shopper_id, order_id=order_id, address=ADDRESS)
    return replace(command, **cast("dict[str, Any]", changes))


def alone(shopper_id: UUID = ANN, **changes: object) -> BuyAlone:
    """A purchase without a group."""
    command = BuyAlone(deal_id=DEAL, shopper_id=shopper_id, order_id=order_of(shopper_id, 7), address=ADDRESS)
    return replace(command, **cast("dict[str, Any]", changes))


def order_of(shopper_id: UUID, number: int = 1) -> UUID:
    """A shopper's first, second, third order."""
    return UUID(int=shopper_id.int * 0x1000 + number)


def confirming(payment: Payment) -> ConfirmPayment:
    """The gateway says it holds the money."""
    return ConfirmPayment(**key_of(payment), reference="ref-1")


def recording(payment: Payment, **changes: object) -> RecordSettlement:
    """The gateway has done what was decided."""
    return replace(RecordSettlement(**key_of(payment)), **cast("dict[str, Any]", changes))


def key_of(payment: Payment) -> dict[str, Any]:
    """Whose payment a command is about."""
    return {name: getattr(payment, name) for name in ("deal_id", "group_id", "shopper_id", "order_id")}


def a_paid_group(*shoppers: UUID, **changes: object) -> Till:
    """A group of four, at most, that these have paid for; the first of them leads it."""
    till = Till()
    till.sells(**cast("dict[str, Any]", changes))
    leader_id, *others = shoppers or (ANN,)
    till.pays(till.opens(leader_id))
    till.joins(*others)
    return till


def a_settled_group(*shoppers: UUID, **changes: object) -> Till:
    """A group that these have filled, everything captured: their first orders are to be shipped."""
    tiers = schedule(2_000, (len(shoppers), 1_800))
    terms = {"schedule": tiers, "group_size_max": len(shoppers), "needs_shipping": True}
    till = a_paid_group(*shoppers, **{**terms, **changes})
    order_ids = [order_of(shopper_id) for shopper_id in shoppers]
    till.decides(*order_ids)
    for order_id in order_ids:
        till.settles(order_id)
    return till
