"""Clocks where people live, by the names of the IANA time zone database."""

from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

ZONE_CHARACTERS_MAX: Final = 64
ZONES_KEPT_MAX: Final = 700
"""More than there are."""


def is_time_zone(name: str) -> bool:
    """Whether this names a time zone: `Europe/Berlin`."""
    return name in _names()


def local_time(moment: datetime, zone: str) -> datetime:
    """What a clock there shows at a moment, without an offset."""
    return moment.astimezone(_zone(zone)).replace(tzinfo=None)


def moment_of(local: datetime, zone: str) -> datetime:
    """When a clock there shows this; where it does twice, the first time, and where never, so much later."""
    return local.replace(tzinfo=_zone(zone)).astimezone(UTC)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}


@lru_cache(maxsize=ZONES_KEPT_MAX)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name) if is_time_zone(name) else ZoneInfo("UTC")
