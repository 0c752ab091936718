"""The ways notices leave by, each with so much room, and each resting for a while when it carries nothing.

One that is slow or away holds up no other: what is meant for it is put off without being tried, so that it costs none
of its attempts, and is tried again when the way may be open.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

FAILURES_IN_A_ROW: Final = 5
"""After so many nothing is tried for a while: it is not one push that is the matter."""
REST_FIRST_S: Final = 2.0
REST_MAX_S: Final = 60.0
FULL_S: Final = 2.0

_log = structlog.get_logger(__name__)


class Way:
    """One of them; `room` is how many may be under way on it at once. `clock` goes only forward, in seconds."""

    def __init__(self, name: str, room: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.room = room
        self._clock = clock
        self._failures = 0
        self._rests_until = 0.0

    @property
    def put_off_s(self) -> float:
        """For how long nothing can be taken; 0 when there is room."""
        rests_s = self._rests_until - self._clock()
        if rests_s > 0:
            return rests_s
        return 0.0 if self.room > 0 else FULL_S

    def went_well(self) -> None:
        """It carries: what it was given was taken, or refused for a reason of its own."""
        if self._failures >= FAILURES_IN_A_ROW:
            _log.info("notices_go_on", by=self.name)
        self._failures = 0

    def failed(self, why: str) -> None:
        """It carried nothing; said once for each outage."""
        self._failures += 1
        if self._failures < FAILURES_IN_A_ROW or self._rests_until > self._clock():
            return
        rests = self._failures - FAILURES_IN_A_ROW
        if not rests:
            _log.warning("notices_wait", by=self.name, why=why)
        self._rests_until = self._clock() + min(REST_FIRST_S * 2.0 ** min(rests, 10), REST_MAX_S)
