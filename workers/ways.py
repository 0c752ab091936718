"""The ways notices leave by, each with so much room, and each resting for a while when it carries nothing.

One that is slow or away holds up no other: what is meant for it is put off without being tried, so that it costs none
of its attempts. After a rest one goes first; the others follow when that has come through.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

FAILURES_IN_A_ROW: Final = 5
"""After so many nothing is tried for a while: it is not one push that is the matter."""
REST_FIRST_S: Final = 2.0
REST_MAX_S: Final = 60.0
ASKED_REST_S_MAX: Final = 600.0
"""However long a service asks to be left alone."""
FULL_S: Final = 2.0

_log = structlog.get_logger(__name__)


class Way:
    """One of them; `places` is how many may be under way on it at once. `clock` goes only forward, in seconds."""

    def __init__(self, name: str, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._places = places
        self._clock = clock
        self._under_way = 0
        self._failures = 0
        self._rests = 0
        self._rests_until = 0.0

    @property
    def room(self) -> int:
        """How many more may be under way."""
        return self._places - self._under_way

    @property
    def put_off_s(self) -> float:
        """For how long nothing can be taken; 0 when there is room."""
        rests_s = self._rests_until - self._clock()
        if rests_s > 0:
            return rests_s
        waits_for_the_first = self._rests > 0 and self._under_way > 0
        return FULL_S if waits_for_the_first or self.room <= 0 else 0.0

    def begin(self) -> None:
        """One more is under way."""
        self._under_way += 1

    def end(self) -> None:
        """One that was under way is no more, whatever became of it."""
        self._under_way -= 1

    def went_well(self) -> None:
        """It carries: what it was given was taken, or refused for a reason of its own."""
        if self._rests:
            _log.info("notices_go_on", by=self.name)
        self._failures = self._rests = 0

    def failed(self, why: str, asked_rest_s: float | None = None) -> None:
        """It carried nothing, and may have asked to be left alone for so long; said once for each outage."""
        self._failures += 1
        if self._failures < FAILURES_IN_A_ROW or self._rests_until > self._clock():
            return
        if not self._rests:
            _log.warning("notices_wait", by=self.name, why=why)
        rest_s = min(REST_FIRST_S * 2.0 ** min(self._rests, 10), REST_MAX_S)
        self._rests += 1
        self._rests_until = self._clock() + max(rest_s, min(asked_rest_s or 0.0, ASKED_REST_S_MAX))
