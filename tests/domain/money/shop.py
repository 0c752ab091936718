"""A world that takes money, its hostile gateway, its ledger, and a clock that moves on with every decision."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.groupbuy.commands import Command, CreateDeal, PublishDeal
from domain.groupbuy.deal import Grouping, Offer, Variant
from domain.groupbuy.events import (
    Event,
    GroupSucceeded,
    InviteCreated,
    ParticipantJoined,
    ParticipantLeft,
    PlaceReserved,
)
from domain.groupbuy.group import Group, Place
from domain.groupbuy.payment import Payment, PaymentStatus, PaymentTerms, Settlement, SettlementStatus
from domain.groupbuy.world import Accepted, Outcome, World
from domain.pricing.shares import Reward, RewardKind
from domain.pricing.steps import Strategy
from tests.domain.catalogue import INSTANT, MERCHANT, NOON, OTHER_MERCHANT, offer, schedule
from tests.domain.money.bank import Bank
from tests.domain.money.book import Book

SHOPPERS = [UUID(int=0xF0 + number) for number in range(5)]
STRATEGIES = {"cards": Strategy.HOLD_AND_CAPTURE, "wallet": Strategy.PAY_AND_REFUND}


@dataclass(frozen=True, slots=True)
class Stall:
    """A deal to set up: whose, what, how much of it, and how it takes money."""

    merchant_id: UUID
    offer: Offer
    stock: tuple[int, ...]
    payment: PaymentTerms


_TEAM = offer(group_lifetime_s=60, group_size_max=4, needs_shipping=True)
STALLS = (
    Stall(
        MERCHANT,
        replace(
            _TEAM, schedule=schedule(997, (2, 899), (3, 701)), group_size_max=3, reward=Reward(RewardKind.SHARE, 1_111)
        ),
        (11,),
        PaymentTerms("cards", 250),
    ),
    Stall(
        MERCHANT,
        replace(
            _TEAM,
            schedule=schedule(50, (1, 33), (3, 7)),
            group_size_max=3,
            reward=Reward(RewardKind.FIXED, 20),
            units_per_shopper_max=3,
            needs_shipping=False,
        ),
        (9,),
        PaymentTerms("wallet", 3_333),
    ),
    Stall(
        OTHER_MERCHANT,
        replace(_TEAM, schedule=schedule(90, (2, 70), (3, 41)), grouping=Grouping.CROWD),
        (4, 3),
        PaymentTerms("cards", 0),
    ),
    Stall(
        OTHER_MERCHANT,
        replace(
            _TEAM,
            currency="JPY",
            schedule=schedule(1_000, (2, 900)),
            reward=Reward(RewardKind.FREE_UNIT),
            group_size_max=2,
            units_per_shopper_max=2,
        ),
        (10,),
        PaymentTerms("wallet", 99),
    ),
)


class Shop:
    """Everything the processes work on; nothing of it is lost when one of them crashes."""

    def __init__(self) -> None:
        self.now: datetime = NOON
        self.world = World()
        self.bank = Bank(NOON)
        self.book = Book()
        self.events: Counter[str] = Counter()
        self.versions: Counter[UUID] = Counter()
        self.members: dict[UUID, set[UUID]] = {}
        self.final_prices: dict[UUID, int] = {}
        self.shown: dict[UUID, int] = {}
        self.prices_before: dict[UUID, int] = {}
        self.attempts: Counter[UUID] = Counter()
        self.ids_given = 0x1000

    def new_id(self) -> UUID:
        self.ids_given += 1
        return UUID(int=self.ids_given)

    def open_stall(self, stall: Stall) -> None:
        deal_id = self.new_id()
        variants = tuple(Variant(self.new_id(), f"Size {at}", None, units) for at, units in enumerate(stall.stock))
        owner: dict[str, Any] = {"deal_id": deal_id, "merchant_id": stall.merchant_id}
        self.tell(CreateDeal(offer=stall.offer, variants=variants, **owner))
        self.tell(PublishDeal(crowd_group_id=self.new_id(), payment=stall.payment, **owner))

    def wait(self, time: timedelta) -> None:
        self.now += time
        self.bank.tick(self.now)

    def tell(self, command: Command) -> Outcome:
        """Decide a command, and write down what it caused."""
        self.wait(INSTANT)
        outcome = self.world.tell(command, self.now)
        if isinstance(outcome, Accepted):
            for event in outcome.events:
                self._note(event)
        return outcome

    def payments(self) -> list[Payment]:
        """Every payment there ever was."""
        return [payment for payments in self.world.payments.values() for payment in payments.values()]

    def payment(self, order_id: UUID) -> Payment:
        return next(payment for payment in self.payments() if payment.order_id == order_id)

    def places(self, group: Group) -> list[Place]:
        """The places of a group."""
        return [places[group.id] for places in self.world.places.values() if group.id in places]

    def decide_settlements(self, group: Group, places_max: int) -> int:
        """Write the settlements of some places of a closed group that have none, as the settling duty's SQL does."""
        written = 0
        unit_price = group.final_unit_price
        for place in self.places(group):
            payment = self.payment(place.order_id)
            if group.is_open or payment.settlement is not None or written >= places_max:
                continue
            decided = Settlement(capture_minor=(unit_price or 0) * place.quantity, unit_price=unit_price)
            self.put(replace(payment, settlement=decided))
            written += 1
        return written

    def turn(self, payment: Payment, status: SettlementStatus) -> None:
        """Give a settlement up for a person to look at, or try it again, as the executor and an operator do."""
        assert payment.settlement is not None
        self.put(replace(payment, settlement=replace(payment.settlement, status=status)))

    def put(self, payment: Payment) -> None:
        self.world.payments[(payment.deal_id, payment.shopper_id)][payment.order_id] = payment

    def _note(self, event: Event) -> None:
        self.events[type(event).__name__] += 1
        self.book.take(self.world, event)
        group_id = getattr(event, "group_id", None)
        if group_id is not None and not isinstance(event, InviteCreated):
            self.versions[group_id] += 1
        match event:
            case PlaceReserved():
                self.shown[event.order_id] = self._ceiling(event) * event.quantity
            case ParticipantJoined():
                assert event.at < self.world.groups[event.group_id].expires_at
                self.members.setdefault(event.group_id, set()).add(event.shopper_id)
            case ParticipantLeft():
                self.members[event.group_id].remove(event.shopper_id)
            case GroupSucceeded():
                count = len(self.members[event.group_id])
                self.final_prices[event.group_id] = self.world.groups[event.group_id].terms.schedule.unit_price(count)
            case _:
                pass

    def _ceiling(self, event: PlaceReserved) -> int:
        prices = self.world.deals[event.deal_id].offer.schedule
        return prices.solo_price if event.group_id is None else prices.tiers[0].unit_price


def is_pending(payment: Payment) -> bool:
    """Whether something is to be done at the gateway for it."""
    return payment.settlement is not None and payment.settlement.status is SettlementStatus.PENDING


def is_awaiting(payment: Payment) -> bool:
    return payment.status is PaymentStatus.AWAITING
