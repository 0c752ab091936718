"""One replay: what is played, against which API, and what was found so far."""

import math
import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from cli.api_client import ApiClient
from cli.replay.cast import Cast
from cli.replay.log import LoggedGroup
from cli.replay.plan import Fate, Item, fate_of


@dataclass(slots=True)
class Money:
    """What shoppers' orders say was taken, in minor units, and when: per second, and how long after the closing."""

    captured_minor: int = 0
    captures: int = 0
    captures_by_second: Counter[int] = field(default_factory=Counter)
    delays_s: "array[float]" = field(default_factory=lambda: array("d"))

    def note(self, captured_minor: int, captured_at: datetime | None, closed_at: datetime | None) -> None:
        """Take in an order; of one that was not captured there is nothing to note."""
        self.captured_minor += captured_minor
        if captured_at is None:
            return
        self.captures += 1
        self.captures_by_second[int(captured_at.timestamp())] += 1
        if closed_at is not None:
            self.delays_s.append((captured_at - closed_at).total_seconds())


@dataclass(slots=True)
class Figures:
    """Seconds each answered request took, by kind; seconds each phase took; how late deadlines were kept; the money."""

    answers_s: dict[str, "array[float]"] = field(default_factory=lambda: defaultdict(lambda: array("d")))
    phases_s: dict[str, float] = field(default_factory=dict)
    lateness_s: "array[float]" = field(default_factory=lambda: array("d"))
    money: Money = field(default_factory=Money)

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
    """The log and its deals, and per line of the log: the group it became and the first thing found wrong with it.

    `takes_money` is None until a deal was published; `faults` are found wrong with the whole and with no line.
    """

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
    brought: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    closed_at: dict[int, datetime] = field(default_factory=dict)
    takes_money: bool | None = None
    mismatches: dict[int, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    lines_of: dict[int, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.lines_of = defaultdict(list)
        for line, group in enumerate(self.log):
            for shopper in group.shoppers:
                self.lines_of[shopper].append(line)

    @property
    def shared_lines(self) -> list[int]:
        """The lines whose groups somebody came into by a link."""
        return [line for line, group in enumerate(self.log) if group.friends]

    @property
    def shared_lines_of(self) -> dict[int, list[int]]:
        """The same by whose links those were."""
        lines: defaultdict[int, list[int]] = defaultdict(list)
        for line in self.shared_lines:
            lines[self.log[line].initiator].append(line)
        return lines

    @property
    def due_minor(self) -> int:
        """What all shoppers together must pay, minor units."""
        return sum(self.fate(line).pays * len(group.shoppers) for line, group in enumerate(self.log))

    @property
    def is_right(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.mismatches and not self.faults

    def fate(self, line: int) -> Fate:
        """What the group of a line must come to."""
        group = self.log[line]
        return fate_of(group, self.items[group.item])

    def note_mismatch(self, line: int, what: str) -> None:
        """One mismatch a line: what follows from the first is not counted again."""
        self.mismatches.setdefault(line, what)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent are not above (nearest rank); 0 where there is none."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]
