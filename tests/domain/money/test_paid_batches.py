"""However commands about money are cut into batches, and however little each one loads, the outcome is the same."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.groupbuy.commands import Command
from domain.groupbuy.world import Accepted, Outcome, World
from tests.domain.catalogue import DEAL, NOON, names
from tests.domain.money.paid_lists import COMMANDS_MAX, command_lists, decide_settlements, world_before
from tests.domain.money.stored import loaded_for, saved_into

EXAMPLES = 500
SEEN_MIN = 10
MUST_BE_SEEN = ("OrderCancelled", "OrderRefunded", "PaymentCameLate", "PaymentSettled", "RefundMade", "UnitsReturned")
cuts_anywhere = st.sets(st.integers(1, COMMANDS_MAX)) | st.just(set(range(1, COMMANDS_MAX)))
seen: Counter[str] = Counter()
Batch = tuple[datetime, list[Command]]


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    """Commands cut into batches, some of which come later than the one before."""
    commands = draw(command_lists)
    cuts = draw(cuts_anywhere)
    edges = [0, *sorted(cut for cut in cuts if cut < len(commands)), len(commands)]
    found, now = [], NOON
    for begin, end in pairwise(edges):
        now += timedelta(seconds=draw(st.sampled_from([0] * 8 + [1, 5, 5, 60])))
        found.append((now, commands[begin:end]))
    return found


def test_a_batch_needs_only_the_rows_it_asks_about() -> None:
    """9.2 for the database: whatever is loaded, folded and saved, events and rows are those of the whole world."""
    seen.clear()
    _batches_are_as_the_whole()
    rare = [what for what in MUST_BE_SEEN if seen[what] < SEEN_MIN]
    assert not rare, f"hardly ever came about: {rare}"


@given(batches=batches())
@settings(max_examples=EXAMPLES)
def _batches_are_as_the_whole(batches: list[Batch]) -> None:
    whole, stored = world_before(), world_before()
    for now, batch in batches:
        expected = [whole.tell(command, now) for command in batch]
        part = loaded_for(stored, [(command, DEAL) for command in batch])
        found = part.fold(batch, now)
        events = [event for outcome in found if isinstance(outcome, Accepted) for event in outcome.events]
        saved_into(stored, part, events)
        seen.update(names(events))
        assert [_told(outcome) for outcome in found] == [_told(outcome) for outcome in expected]
        for world in (whole, stored):
            decide_settlements(world)
        assert _rows(stored) == _rows(whole)


def _told(outcome: Outcome) -> object:
    """What the asker and the outbox see of an outcome."""
    return outcome.events if isinstance(outcome, Accepted) else (type(outcome.error), str(outcome.error))


def _rows(world: World) -> object:
    """Every row, without empty shelves."""
    places = {key: places for key, places in world.places.items() if places}
    payments = {key: payments for key, payments in world.payments.items() if payments}
    return world.groups, world.stock_left, places, payments, world.orders, world.refunds
