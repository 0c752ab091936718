"""What stands behind the machine: a world, the naive model beside it, a clock, and the checks after every step."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant

from domain.groupbuy.commands import Command, CreateDeal, EndDeal, PauseDeal, PublishDeal, ResumeDeal
from domain.groupbuy.deal import Grouping, Offer, Variant
from domain.groupbuy.events import GroupOpened
from domain.groupbuy.group import Place
from domain.groupbuy.world import Accepted, Outcome, World
from tests.domain import model_deals, promises
from tests.domain.catalogue import ELSEWHERE, MERCHANT, NOON, names, offer, schedule
from tests.domain.model import Model
from tests.domain.model_deals import Verdict

SHOPPERS = [UUID(int=0xF0 + number) for number in range(5)]
FOREIGN = 9
"""The choice of a variant that is none of the deal's."""


class Stage(RuleBasedStateMachine):
    """A subclass may answer `tell` from elsewhere than this world, as long as `world` shows the same afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOON
        self.world = World()
        self.model = Model()
        self.events: dict[UUID, list[promises.OfGroup]] = {}
        self.deal_changes: Counter[UUID] = Counter()
        self.ids_given = 0x1000

    def tell(self, command: Command) -> Outcome:
        return self.world.tell(command, self.now)

    @invariant()
    def promises_hold(self) -> None:
        assert self.world.groups.keys() == self.model.groups.keys() == self.events.keys()
        for deal in self.model.deals.values():
            changes = self.deal_changes[deal.id]
            promises.a_deal_is_as_told(self.world.deals[deal.id], deal, changes, self.now)
            promises.promise_1_nothing_oversold(self.world, self.model, deal)
        for group_id, told in self.model.groups.items():
            group, events = self.world.groups[group_id], self.events[group_id]
            places = self._places(told.deal_id, group_id)
            promises.counters_equal_members(group, told, places)
            promises.promise_1_never_overfull(group)
            promises.promise_2_price_never_rises(group, told)
            promises.promise_3_same_price_or_nothing(group, told, places)
            promises.promise_4_terms_are_frozen(group, told)
            promises.promise_5_closes_once(group, told, events)
            promises.events_tell_the_story(group, events)
            promises.nobody_is_brought_by_whom_they_brought(self.model, told)
        promises.invites_are_counted(self.world, self.model)

    def begin(self) -> None:
        """A team deal and a crowd that are live, and a crowd that starts in nine seconds; once."""
        if self.model.deals:
            return
        tiers = schedule(50, (2, 40), (3, 30))
        a_minute_on = NOON + timedelta(seconds=60)
        team = offer(
            schedule=tiers, group_lifetime_s=20, ends_at=a_minute_on, group_size_max=3, units_per_shopper_max=3
        )
        crowd = offer(schedule=tiers, group_lifetime_s=60, grouping=Grouping.CROWD, units_per_shopper_max=2)
        soon = replace(crowd, starts_at=NOON + timedelta(seconds=9), ends_at=NOON + timedelta(seconds=80))
        started = [self.new_deal(team, [9]), self.new_deal(crowd, [4, 3]), self.new_deal(soon, [9])]
        for deal_id in started:
            self.steer_deal(PublishDeal(deal_id=deal_id, merchant_id=MERCHANT, crowd_group_id=self.new_id()))

    def steer_deal(self, command: PublishDeal | PauseDeal | ResumeDeal | EndDeal) -> None:
        self.ask(command, model_deals.steered(self.model, command, self.now))

    def open_to_teams(self) -> list[UUID]:
        """Deals that take new groups now, the newest first."""
        deals = reversed(self.model.deals.values())
        live = [deal for deal in deals if deal.status(self.now) == "live" and deal.offer.grouping is Grouping.TEAM]
        return [deal.id for deal in live]

    def running(self) -> list[UUID]:
        return [group.id for group in self.model.groups.values() if group.runs(self.now)]

    def ask(self, command: Command, expected: Verdict) -> Outcome:
        outcome = self.tell(command)
        if isinstance(outcome, Accepted):
            assert not expected.refusals, f"{command} was accepted, expected {set(expected.refusals)}"
            assert tuple(names(outcome.events)) == expected.events
            for event in outcome.events:
                if isinstance(event, promises.OfGroup):
                    self.events.setdefault(event.group_id, []).append(event)
                if isinstance(event, promises.OfDeal) or (isinstance(event, GroupOpened) and event.leader_id is None):
                    self.deal_changes[event.deal_id] += 1
        else:
            assert type(outcome.error).__name__ in expected.refusals, f"{outcome.error!r}, expected {expected}"
        return outcome

    def _places(self, deal_id: UUID, group_id: UUID) -> dict[UUID, Place]:
        held = ((shopper_id, self.world.places.get((deal_id, shopper_id), {}).get(group_id)) for shopper_id in SHOPPERS)
        return {shopper_id: place for shopper_id, place in held if place is not None}

    def new_deal(self, offered: Offer, stock: Sequence[int]) -> UUID:
        deal_id = self.new_id()
        variants = self.variants(stock)
        command = CreateDeal(deal_id=deal_id, merchant_id=MERCHANT, offer=offered, variants=variants)
        self.ask(command, model_deals.created(self.model, command))
        return deal_id

    def variants(self, stock: Sequence[int]) -> tuple[Variant, ...]:
        return tuple(Variant(self.new_id(), f"Size {number}", None, units) for number, units in enumerate(stock))

    def variant(self, deal_id: UUID, choice: int | None) -> UUID | None:
        """The variant at that place, the last one where there are fewer; none at place 9 is a foreign one."""
        known = list(self.model.deals[deal_id].stock)
        if choice is None:
            return None
        return ELSEWHERE if choice == FOREIGN else known[min(choice, len(known) - 1)]

    def new_id(self) -> UUID:
        self.ids_given += 1
        return UUID(int=self.ids_given)
