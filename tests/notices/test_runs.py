"""Reading ids that are committed out of their order: each once, and no waiting for those that will never come."""

from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.notices.runs import Reading, Run, advanced, confirmed

LOOKS_TO_CATCH_UP = 4
AT_ONCE = 3
"""So many that came late, and so many that are new, are seen by a look."""


@dataclass
class Server:
    """A database's counters: transactions take ids while they are under way, and commit or roll back in any order."""

    next_id: int = 1
    next_transaction: int = 1
    under_way: dict[int, list[int]] = field(default_factory=dict)
    there: set[int] = field(default_factory=set)

    def begin(self) -> None:
        self.under_way[self.next_transaction] = []
        self.next_transaction += 1

    def take(self, choice: int) -> None:
        if self.under_way:
            taking = sorted(self.under_way)[choice % len(self.under_way)]
            self.under_way[taking].append(self.next_id)
            self.next_id += 1

    def end(self, choice: int, *, commits: bool) -> None:
        if self.under_way:
            ended = self.under_way.pop(sorted(self.under_way)[choice % len(self.under_way)])
            self.there |= set(ended) if commits else set()

    def look(self, reading: Reading, seen: list[int], fits: int) -> Reading:
        """One look of a reader with a transaction of its own."""
        own = self.next_transaction
        self.next_transaction += 1
        reading = reading._replace(missing=confirmed(reading.missing, own))
        late = [n for n in sorted(self.there) if any(run.first <= n <= run.last for run in reading.missing)]
        fresh = [n for n in sorted(self.there) if n > reading.through]
        found = [*late[:AT_ONCE], *fresh[:AT_ONCE]]
        taken, left = found[:fits], found[fits:]
        seen += taken
        return advanced(reading, taken, left, 0 if len(late) >= AT_ONCE else min([*self.under_way, own]))


STEPS = st.lists(
    st.one_of(
        st.just(("begin", 0)),
        st.tuples(st.just("take"), st.integers(0, 9)),
        st.tuples(st.just("commit"), st.integers(0, 9)),
        st.tuples(st.just("roll back"), st.integers(0, 9)),
        st.just(("look", 0)),
    ),
    max_size=80,
)


@settings(max_examples=300)
@given(STEPS, st.integers(1, 5))
@example([("begin", 0), *[("take", 0)] * 9, ("begin", 0), ("take", 1), ("commit", 1), ("look", 0), ("commit", 0)], 1)
@example([("begin", 0), *[("take", 0)] * 9, ("begin", 0), ("take", 1), ("commit", 1), ("look", 0), ("commit", 0)], 5)
def test_every_row_is_read_once_however_it_is_committed(steps: list[tuple[str, int]], fits: int) -> None:
    """Nothing is left out, nothing comes twice, and at the end nothing is waited for."""
    server, reading = Server(), Reading(0)
    seen: list[int] = []
    for step, choice in steps:
        match step:
            case "begin":
                server.begin()
            case "take":
                server.take(choice)
            case "look":
                reading = server.look(reading, seen, fits)
            case _:
                server.end(choice, commits=step == "commit")
    while server.under_way:
        server.end(0, commits=True)
    for _ in range(len(server.there) + LOOKS_TO_CATCH_UP):
        reading = server.look(reading, seen, fits)
    assert sorted(seen) == sorted(server.there)
    assert reading.missing == ()


def test_a_run_is_split_by_what_came_of_it() -> None:
    """The ids beside one that came late are still waited for."""
    reading = Reading(10, (Run(3, 7, over_by=50),))
    assert advanced(reading, [5, 12], [], oldest_active=40) == Reading(12, (Run(3, 4, 50), Run(6, 7, 50), Run(11, 11)))
