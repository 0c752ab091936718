"""Who is told what, by which way and when: the choices people make, and the rule that follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Final

from domain.notices.kinds import FATES, WAITS_FOR_NOBODY, Channel, Kind

_PUSHED_AND_MAILED: Final = FATES | {Kind.PAYMENT_LATE, Kind.PAYMENT_REFUSED}

WANTED_BY_DEFAULT: Final[Mapping[Channel, frozenset[Kind]]] = MappingProxyType(
    {Channel.PUSH: frozenset(Kind), Channel.EMAIL: _PUSHED_AND_MAILED}
)
"""Letters are for what has become of one's money; a phone may be told all of it."""

PUSHES_PER_UNREAD_MAX: Final = 3
"""A notice that is brought up to date again and again reaches a phone so often, until somebody reads it."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when to when, by the clock where somebody lives, nothing may make a noise; past midnight is meant too."""

    begin: time
    end: time

    def covers(self, clock: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end

    def end_after(self, local: datetime) -> datetime:
        """When those that cover this local time are over, in local time."""
        end = datetime.combine(local.date(), self.end)
        return end if end > local else end + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What somebody chose: kinds they want to be sent nothing of, and of the others by which way."""

    switched_off: frozenset[Kind] = frozenset()
    by_kind: Mapping[Kind, Mapping[Channel, bool]] = field(default_factory=dict)
    quiet_hours: QuietHours | None = None

    def wants(self, kind: Kind, channel: Channel) -> bool:
        """Whether notices of this kind are to come this way."""
        if kind in self.switched_off:
            return False
        return self.by_kind.get(kind, {}).get(channel, kind in WANTED_BY_DEFAULT[channel])


def when_to_deliver(kind: Kind, channel: Channel, choices: Choices, local: datetime) -> datetime | None:
    """When to send a notice that could be sent at `local`, a time of the clock where somebody lives; None: never.

    A letter wakes nobody, so only pushes wait for the end of quiet hours, but those that cannot wait.
    """
    if not choices.wants(kind, channel):
        return None
    quiet = choices.quiet_hours
    if quiet is None or channel is not Channel.PUSH or kind in WAITS_FOR_NOBODY or not quiet.covers(local.time()):
        return local
    return quiet.end_after(local)
