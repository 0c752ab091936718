"""Interleaved rounds: what is measured and its ceiling take turns, so that a noisy neighbour disturbs both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.consumption import Consumption
from benchmarks.figures import Figure, Wanted, rate, ratios
from benchmarks.stack import Stack
from benchmarks.wrk import CONNECTIONS, Request, Result

ROUNDS = 5
ROUND_S = 3
WARM_UP_S = 1
BODY = '{"quantity":1}'

Asked = Callable[[], Request]
"""Makes what one round asks, before its time begins to count."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many rounds there are, how long each and the rest before it take, and how many connections are kept busy."""

    rounds: int = ROUNDS
    round_s: int = ROUND_S
    rest_s: int = 0
    connections: int = CONNECTIONS


USUAL = Load()


def compare(  # noqa: PLR0913 - what is measured, beside what, and how
    stack: Stack, what: str, wanted: Wanted, measured: Asked, ceiling: Asked, *, load: Load = USUAL
) -> Figure:
    """Alternate, and judge the ratio of each pair."""
    values, ceilings = _Side(stack, measured, load), _Side(stack, ceiling, load)
    for _ in range(load.rounds):
        ceilings.take_turn()
        values.take_turn()
    return Figure(
        what,
        ratios(values.rates, ceilings.rates),
        wanted,
        measured=values.shown(),
        ceiling=ceilings.shown(),
        notes=(
            f"p50 of a request {statistics.median(values.p50s_us) / 1000:.1f} ms",
            f"p99 {max(values.p99s_us) / 1000:.0f} ms at most",
        ),
    )


def join_request(*paths: str, suffix: str = "participants", body: str | None = BODY) -> Request:
    """A join of the groups at these paths in turn."""
    return Request("POST", tuple(f"{path}/{suffix}" for path in paths), body)


def nothing_written(path: str, body: str | None = BODY) -> Request:
    """The authenticated no-op that joins are compared with."""
    return Request("POST", (f"{path}/nothing",), body)


class _Side:
    """One of the two that take turns."""

    def __init__(self, stack: Stack, asked: Asked, load: Load) -> None:
        self._stack = stack
        self._asked = asked
        self._load = load
        self._consumption = Consumption(stack.parts)
        self.rates: list[float] = []
        self.p50s_us: list[int] = []
        self.p99s_us: list[int] = []

    def take_turn(self) -> Result:
        request = self._asked()
        time.sleep(self._load.rest_s)
        self._consumption.begin()
        result = self._stack.wrk.run(request, self._load.round_s, self._load.connections)
        self._consumption.end(result.requests)
        self.rates.append(result.rate)
        self.p50s_us.append(result.p50_us)
        self.p99s_us.append(result.p99_us)
        return result

    def shown(self) -> str:
        return f"{rate(self.rates)} ({self._consumption.shown()})"
