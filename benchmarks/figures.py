"""Figures: what was measured, beside its ceiling and beside what was wanted."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Spread:
    """Several rounds of one measurement."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def shown(self, form: str = "{:.2f}") -> str:
        """Median, and least to most."""
        if len(self.rounds) == 1:
            return form.format(self.median)
        return f"{form.format(self.median)} ({form.format(min(self.rounds))} to {form.format(max(self.rounds))})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a figure should reach; `at_most` for those where less is better."""

    at_least: float
    aim: float
    form: str = "{:.2f}"
    at_most: bool = False

    def judge(self, value: float) -> str:
        """How far a value gets."""
        sign = -1 if self.at_most else 1
        if sign * value >= sign * self.aim:
            return "aim"
        return "enough" if sign * value >= sign * self.at_least else "SHORT"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; `value` is judged, the rest is told."""

    what: str
    value: Spread
    wanted: Wanted
    measured: str
    ceiling: str = ""
    notes: tuple[str, ...] = field(default=())

    def with_notes(self, *notes: str) -> "Figure":
        """The same, with more to tell."""
        return replace(self, notes=self.notes + notes)

    @property
    def shown_value(self) -> str:
        return self.value.shown(self.wanted.form)

    @property
    def verdict(self) -> str:
        return self.wanted.judge(self.value.median)


def ratios(values: Sequence[float], ceilings: Sequence[float]) -> Spread:
    """Round by round, each value beside the ceiling measured right before it."""
    return Spread(tuple(value / ceiling for value, ceiling in zip(values, ceilings, strict=True)))


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many per cent are at or below (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def rate(values: Sequence[float]) -> str:
    """Rates per second, for people."""
    return Spread(tuple(values)).shown("{:,.0f}") + "/s"
