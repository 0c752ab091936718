"""What somebody chose, as it is kept with the account, and what follows for a notice."""

from datetime import datetime, time
from functools import lru_cache
from typing import Final

import msgspec
import structlog

from domain.notices.choices import Choices, QuietHours, when_to_deliver
from domain.notices.kinds import Channel, Kind
from infra.notices.time_zones import local_time, moment_of

CHOICES_REMEMBERED_MAX: Final = 4_096

_log = structlog.get_logger(__name__)

_GROUP_CLOSING: Final = frozenset({Kind.ONE_HOUR_LEFT, Kind.TWO_PLACES_LEFT})


class KeptQuietHours(msgspec.Struct, frozen=True):
    """Quiet hours from `HH:MM` to `HH:MM`, and the time zone they are meant in."""

    begin: str
    end: str
    time_zone: str

    def hours(self) -> QuietHours:
        """The same as the rule takes it."""
        return QuietHours(time.fromisoformat(self.begin), time.fromisoformat(self.end))


class KeptChoices(msgspec.Struct, frozen=True, kw_only=True):
    """The column `notifications` of an account, as far as notices go by it."""

    group_closing: bool = True
    price_dropped: bool = True
    kinds: dict[Kind, dict[Channel, bool]] = msgspec.field(default_factory=dict)
    quiet_hours: KeptQuietHours | None = None

    def choices(self) -> Choices:
        """The same as the rule takes it."""
        off = (_GROUP_CLOSING if not self.group_closing else frozenset()) | (
            frozenset({Kind.PRICE_DROPPED}) if not self.price_dropped else frozenset()
        )
        quiet = self.quiet_hours.hours() if self.quiet_hours else None
        return Choices(switched_off=off, by_kind=self.kinds, quiet_hours=quiet)

    def effective(self) -> dict[Kind, dict[Channel, bool]]:
        """Which kinds come by which way, whether that was chosen or not."""
        choices = self.choices()
        return {kind: {channel: choices.wants(kind, channel) for channel in Channel} for kind in Kind}

    def due(self, kind: Kind, channel: Channel, moment: datetime) -> datetime | None:
        """When to send a notice that could be sent at a moment; None: never."""
        if self.quiet_hours is None:  # whatever the clock shows there
            return None if when_to_deliver(kind, channel, self.choices(), moment) is None else moment
        local = local_time(moment, self.quiet_hours.time_zone)
        then = when_to_deliver(kind, channel, self.choices(), local)
        if then is None or then == local:
            return None if then is None else moment
        # where a clock is put back the end comes twice, and the first may be over
        return max(moment, moment_of(then, self.quiet_hours.time_zone))


decode_choices: Final = msgspec.json.Decoder(KeptChoices).decode


@lru_cache(maxsize=CHOICES_REMEMBERED_MAX)
def choices_in(column: str) -> KeptChoices:
    """What stands in an account's column; what nobody can read keeps nobody else from being told."""
    try:
        kept = decode_choices(column)
        kept.choices()  # with the hours of the clock that are in it
    except ValueError:
        _log.exception("choices_cannot_be_read")
        return KeptChoices()
    return kept
