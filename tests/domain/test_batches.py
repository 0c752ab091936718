"""However commands are cut into batches, and however little of the world each one loads, the outcome is the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.groupbuy.commands import Command, JoinGroup
from domain.groupbuy.errors import UnitsLimitReached
from domain.groupbuy.events import Event
from domain.groupbuy.world import Accepted, Outcome, Refused, World
from tests.domain.catalogue import ANN, NOON, RED
from tests.domain.command_lists import COMMANDS_MAX, TEAMS, command_lists, world_before
from tests.domain.partial_world import contents, loaded_for, saved_into

Moment = tuple[datetime, list[Command]]


cuts_anywhere = st.sets(st.integers(1, COMMANDS_MAX)) | st.just(set(range(1, COMMANDS_MAX)))


@st.composite
def moments(draw: st.DrawFn) -> list[Moment]:
    """Commands that meet at the same time, then some at a later one, and so on."""
    commands = draw(command_lists)
    waits = draw(st.lists(st.sampled_from([0, 0, 0, 1, 9, 10]), min_size=len(commands), max_size=len(commands)))
    found: list[Moment] = []
    seconds = 0
    for command, wait in zip(commands, waits, strict=True):
        seconds += wait
        now = NOON + timedelta(seconds=seconds)
        if found and found[-1][0] == now:
            found[-1][1].append(command)
        else:
            found.append((now, [command]))
    return found


@given(moments=moments(), cuts=cuts_anywhere)
@settings(max_examples=250)
def test_any_partition_into_batches_gives_the_sequential_result(moments: list[Moment], cuts: set[int]) -> None:
    """Promise 6 and 9.2: how requests happen to meet in a batch decides nothing."""
    one_by_one, in_batches = world_before(), world_before()
    expected = [one_by_one.tell(command, now) for now, commands in moments for command in commands]
    found = [
        outcome
        for now, commands in moments
        for batch in _cut(commands, cuts)
        for outcome in in_batches.fold(batch, now)
    ]
    assert [_seen(outcome) for outcome in found] == [_seen(outcome) for outcome in expected]
    assert contents(in_batches) == contents(one_by_one)


@given(moments=moments(), cuts=cuts_anywhere)
@settings(max_examples=400)
def test_a_batch_needs_only_the_rows_it_asks_about(moments: list[Moment], cuts: set[int]) -> None:
    """9.2 for the database: load part of the world, fold, save; outcomes and rows are those of the whole world."""
    whole, stored = world_before(), world_before()
    for now, commands in moments:
        for batch in _cut(commands, cuts):
            expected = whole.fold(batch, now)
            part, before = loaded_for(stored, batch), loaded_for(stored, batch)
            found = part.fold(batch, now)
            saved_into(stored, part, before, [event for outcome in found for event in _events(outcome)])
            assert [_seen(outcome) for outcome in found] == [_seen(outcome) for outcome in expected]
    assert contents(stored) == contents(whole)


def test_units_in_groups_that_are_not_loaded_count() -> None:
    """Promise 1 in a batch of one: units held in another open group count, though only its place is loaded."""
    stored = world_before()
    batch = [JoinGroup(order_id=uuid4(), group_id=TEAMS[1], shopper_id=ANN, quantity=2, variant_id=RED.id)]
    part = loaded_for(stored, batch)
    assert set(part.groups) == {TEAMS[1]}
    outcome = part.fold(batch, NOON)[0]
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, UnitsLimitReached)


@given(moments=moments())
@settings(max_examples=150)
def test_a_join_asked_twice_has_one_effect(moments: list[Moment]) -> None:
    """Promise 6: a join that was taken and is asked again, now or after anything else, changes nothing."""
    world = world_before()
    taken: list[JoinGroup] = []
    for now, commands in moments:
        for command in commands:
            outcome = world.tell(command, now)
            if isinstance(command, JoinGroup) and isinstance(outcome, Accepted) and outcome.events:
                taken.append(command)
            before = contents(world)
            for join in taken:
                if join.group_id in world.places.get((_deal_of(world, join), join.shopper_id), {}):
                    again = world.tell(join, now)
                    assert isinstance(again, Accepted)
                    assert again.events == ()
            assert contents(world) == before


def _deal_of(world: World, command: JoinGroup) -> UUID:
    return world.groups[command.group_id].deal_id


def _cut(commands: Sequence[Command], cuts: set[int]) -> list[Sequence[Command]]:
    """The commands in pieces, cut before those positions."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(commands)), len(commands)]
    return [commands[begin:end] for begin, end in pairwise(edges)]


def _events(outcome: Outcome) -> Sequence[Event]:
    return outcome.events if isinstance(outcome, Accepted) else ()


def _seen(outcome: Outcome) -> object:
    """What the asker and the outbox see of an outcome."""
    if isinstance(outcome, Accepted):
        return outcome.events, outcome.state.group, outcome.state.place, outcome.state.deal, outcome.state.stock_left
    return type(outcome.error), str(outcome.error)
