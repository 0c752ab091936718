"""The deal, people and moments that the domain's tests talk about, and short ways to set a scene."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

from domain.errors import DomainError, InvalidInput
from domain.groupbuy.commands import Command, CreateDeal, JoinGroup, OpenGroup, PublishDeal
from domain.groupbuy.deal import Grouping, Offer, Variant
from domain.groupbuy.events import Event
from domain.groupbuy.group import Group
from domain.groupbuy.world import Accepted, Refused, World
from domain.pricing.schedule import PriceSchedule, Tier

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
LIFETIME = timedelta(hours=1)

MERCHANT, OTHER_MERCHANT = UUID(int=0xA1), UUID(int=0xA2)
DEAL, OTHER_DEAL = UUID(int=0xD1), UUID(int=0xD2)
GROUP, OTHER_GROUP = UUID(int=0xE1), UUID(int=0xE2)
RED, BLUE, ELSEWHERE = Variant(UUID(int=1), "Red", None, 10), Variant(UUID(int=2), "Blue", None, 1), UUID(int=3)
ANN, BEN, CAT, DAN, EVE = (UUID(int=number) for number in range(0xF1, 0xF6))

Happening = TypeVar("Happening")


def schedule(solo_price: int, *tiers: tuple[int, int]) -> PriceSchedule:
    """A schedule from pairs of participants and unit price."""
    return PriceSchedule(solo_price, tuple(Tier(participants, unit_price) for participants, unit_price in tiers))


TEAM_OFFER = Offer(
    title="Kettle",
    description="Boils water.",
    image_url=None,
    currency="EUR",
    schedule=schedule(2_000, (2, 1_800), (4, 1_500)),
    grouping=Grouping.TEAM,
    group_size_max=4,
    group_lifetime_s=int(LIFETIME.total_seconds()),
    starts_at=None,
    ends_at=None,
    units_per_shopper_max=None,
)


def offer(**changes: object) -> Offer:
    """The kettle's offer with some fields said otherwise."""
    return replace(TEAM_OFFER, **cast("dict[str, Any]", changes))


def wrong_fields(error: DomainError) -> list[str]:
    """The fields an `InvalidInput` names."""
    assert isinstance(error, InvalidInput), repr(error)
    return [problem.field for problem in error.problems]


@dataclass(slots=True)
class Scene:
    """A world with a clock that stands still until it is moved."""

    now: datetime = NOON
    world: World = field(default_factory=World)

    def does(self, command: Command) -> tuple[Event, ...]:
        """What a command that must be accepted causes."""
        outcome = self.world.tell(command, self.now)
        assert isinstance(outcome, Accepted), repr(outcome)
        return outcome.events

    def refuses(self, command: Command, kind: type[DomainError]) -> DomainError:
        """The refusal of a command that must be refused with exactly this kind of error, having changed nothing."""
        before = repr(self.world)
        outcome = self.world.tell(command, self.now)
        assert isinstance(outcome, Refused), repr(outcome)
        assert type(outcome.error) is kind, repr(outcome.error)
        assert repr(self.world) == before, "a refused command changed the world"
        return outcome.error

    def draft(self, deal_id: UUID = DEAL, variants: Sequence[Variant] = (RED,), **changes: object) -> None:
        """Write a draft of the kettle's offer."""
        offered = offer(**changes)
        self.does(CreateDeal(deal_id=deal_id, merchant_id=MERCHANT, offer=offered, variants=tuple(variants)))

    def live(self, deal_id: UUID = DEAL, variants: Sequence[Variant] = (RED,), **changes: object) -> None:
        """Write and publish the kettle's offer; a crowd's group is `GROUP`."""
        self.draft(deal_id, variants, **changes)
        self.does(PublishDeal(deal_id=deal_id, merchant_id=MERCHANT, crowd_group_id=GROUP))

    def opened(self, leader_id: UUID = ANN, group_id: UUID = GROUP, deal_id: UUID = DEAL, quantity: int = 1) -> None:
        """Open a group with its leader in it."""
        self.does(
            OpenGroup(order_id=uuid4(), deal_id=deal_id, group_id=group_id, shopper_id=leader_id, quantity=quantity)
        )

    def joined(self, *shoppers: UUID, group_id: UUID = GROUP) -> None:
        """Let shoppers join one after the other, each with one unit."""
        for shopper_id in shoppers:
            assert self.does(JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=shopper_id))

    def group(self, group_id: UUID = GROUP) -> Group:
        """A group as it is."""
        return self.world.groups[group_id]

    def stock_left(self, variant: Variant = RED, deal_id: UUID = DEAL) -> int:
        """Units left of a variant."""
        return self.world.stock_left[deal_id][variant.id]


def join(shopper_id: UUID = BEN, **changes: object) -> JoinGroup:
    """A join of the group everybody talks about."""
    return replace(
        JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=shopper_id), **cast("dict[str, Any]", changes)
    )


def a_group(variants: Sequence[Variant] = (RED,), **changes: object) -> Scene:
    """Ann's group of four in a live deal."""
    scene = Scene()
    scene.live(DEAL, variants, **changes)
    scene.opened()
    return scene


def only(kind: type[Happening], events: Sequence[object]) -> Happening:
    """The one event of a kind among events."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, events
    return found[0]


def names(events: Sequence[object]) -> list[str]:
    """Events by their names, in order."""
    return [type(event).__name__ for event in events]
