"""Keeping the parts of a running Tuan alive: what dies is started again, ever more slowly while it keeps dying."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from infra.cannot_start import CannotStart

RETRY_FIRST_S = 0.2
RETRY_MAX_S = 30.0
STEADY_S = 30.0  # alive this long: its troubles are forgotten


class Part(Protocol):
    """A server or a process of ours."""

    name: str

    def start(self) -> None:
        """Start it; raises CannotStart."""

    def is_alive(self) -> bool:
        """Whether its process runs."""

    def ask_to_stop(self) -> None:
        """Begin to stop, without waiting."""

    def stop(self) -> None:
        """Return when it is gone; safe to call when it never started."""


@dataclass(slots=True)
class _Watched:
    part: Part
    started_at: float
    failures: int = 0
    retry_at: float | None = None


@dataclass
class Supervisor:
    """Starts parts in order, watches them, and stops them group by group in the opposite order."""

    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _groups: list[list[_Watched]] = field(default_factory=list)

    def start(self, *parts: Part) -> None:
        """Start parts that do not need each other; they will be asked to stop together."""
        group: list[_Watched] = []
        self._groups.append(group)
        for part in parts:
            group.append(_Watched(part, self.clock()))
            part.start()

    def look(self) -> None:
        """Start again what died and whose time has come."""
        for watched in [watched for group in self._groups for watched in group]:
            if watched.retry_at is not None:
                if self.clock() >= watched.retry_at:
                    self._start_again(watched)
            elif not watched.part.is_alive():
                self._note_death(watched)

    def stop(self) -> None:
        for group in reversed(self._groups):
            for watched in group:
                watched.part.ask_to_stop()
            for watched in group:
                watched.part.stop()
        self._groups.clear()

    def _note_death(self, watched: _Watched) -> None:
        if self.clock() - watched.started_at > STEADY_S:
            watched.failures = 0
        delay_s = min(RETRY_MAX_S, RETRY_FIRST_S * 2**watched.failures)
        watched.failures = min(watched.failures + 1, 16)
        watched.retry_at = self.clock() + delay_s
        self.say(f"{watched.part.name} ended unexpectedly; starting it again in {delay_s:.1f} s.")

    def _start_again(self, watched: _Watched) -> None:
        watched.retry_at, watched.started_at = None, self.clock()
        try:
            watched.part.start()
        except CannotStart as reason:
            self.say(str(reason))
