"""One replay: what is played, against which API, and what was found so far."""

import math
import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from cli.api_client import ApiClient
from cli.replay.cast import Cast
from cli.replay.log import LoggedGroup
from cli.replay.plan import Fate, Item, fate_of


@dataclass(slots=True)
class Figures:
    """Seconds each answered request took, by kind; seconds each phase took; how late deadlines were kept."""

    answers_s: dict[str, "array[float]"] = field(default_factory=lambda: defaultdict(lambda: array("d")))
    phases_s: dict[str, float] = field(default_factory=dict)
    lateness_s: "array[float]" = field(default_factory=lambda: array("d"))

    @property
    def requests(self) -> int:
        return sum(map(len, self.answers_s.values()))

    def note_answer(self, kind: str, seconds: float) -> None:
        self.answers_s[kind].append(seconds)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Take the time of a phase, also of one that is cut short."""
        begun_at = time.monotonic()
        try:
            yield
        finally:
            self.phases_s[name] = time.monotonic() - begun_at


@dataclass(slots=True)
class Replay:
    """The log and its deals, and per line of the log: the group it became and the first thing found wrong with it."""

    log: Sequence[LoggedGroup]
    items: Mapping[int, Item]
    client: ApiClient
    cast: Cast
    group_lifetime_s: int
    concurrency: int
    figures: Figures = field(default_factory=Figures)
    deal_ids: dict[int, str] = field(default_factory=dict)
    group_ids: dict[int, str] = field(default_factory=dict)
    joins: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    mismatches: dict[int, str] = field(default_factory=dict)

    def fate(self, place: int) -> Fate:
        """What the group of a line must come to."""
        group = self.log[place]
        return fate_of(group, self.items[group.item])

    def note_mismatch(self, place: int, what: str) -> None:
        """One mismatch a line: what follows from the first is not counted again."""
        self.mismatches.setdefault(place, what)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent are not above (nearest rank); 0 where there is none."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]
