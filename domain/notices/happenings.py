"""Which happenings of a group are to be told, when, and whether they still are news when their time has come."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.groupbuy.events import (
    Event,
    GroupCancelled,
    GroupFailed,
    GroupOpened,
    GroupSucceeded,
    ParticipantJoined,
    PaymentCameLate,
    PaymentSettled,
    PlaceReserved,
    ReservationLapsed,
    TierReached,
)
from domain.groupbuy.group import Group, GroupStatus
from domain.groupbuy.payment import LapsedBecause
from domain.notices.kinds import FATES, Kind

GATHERED_FOR_S: Final = 10.0
"""So long is waited for more of the same before the first is told."""
RESTS_S: Final = (60.0, 300.0, 900.0, 3_600.0, 14_400.0)
"""Between one telling of what gathers and the next; after the last of these always that. A group that is joined all day
long is told of about ten times a day, however many come."""

ONE_HOUR: Final = timedelta(hours=1)
LIVES_AT_LEAST: Final = timedelta(hours=2)
"""Groups that live shorter have been opened about an hour ago when one is left: whoever is in knows."""
STILL_ABOUT_AN_HOUR: Final = timedelta(minutes=45)
LAST_PLACES: Final = 2
LAST_PLACES_FROM_SIZE: Final = 5
"""In smaller groups two places left are no news: it has hardly begun."""
WAITS_FOR_MORE_S: Final = 5.0
"""So long a push waits for others to the same phone."""

NEWS: Final = (
    GroupOpened,
    PlaceReserved,
    ParticipantJoined,
    TierReached,
    GroupSucceeded,
    GroupFailed,
    GroupCancelled,
)
"""Events of a group that something may follow from."""

TRIED_AGAIN_WITHIN_S: Final = 60.0
"""Whoever makes a new attempt so soon, or pays after all, needs not be told that the last one came to nothing."""

_FATES: Final = {GroupSucceeded: Kind.SUCCEEDED, GroupFailed: Kind.FAILED, GroupCancelled: Kind.CANCELLED}
_SAID_ANYWAY: Final = frozenset({LapsedBecause.LEFT, LapsedBecause.TOO_LATE})
"""It was their own wish, or is said of the money that came late."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something of a group that is to be told to everybody in it."""

    kind: Kind
    due_at: datetime


def happenings(events: Collection[type[Event]], group: Group, now: datetime) -> Iterator[Happening]:
    """What is to be told after events of these types, the group being as it is now."""
    for event, kind in _FATES.items():
        if event in events:
            yield Happening(kind, now)
    if not group.is_open:
        return
    if GroupOpened in events and group.expires_at - group.opened_at >= LIVES_AT_LEAST:
        yield Happening(Kind.ONE_HOUR_LEFT, group.expires_at - ONE_HOUR)
    gathered_at = now + timedelta(seconds=GATHERED_FOR_S)
    if ParticipantJoined in events and group.participants > 1:
        yield Happening(Kind.JOINED, gathered_at)
    if TierReached in events:
        yield Happening(Kind.PRICE_DROPPED, gathered_at)
    if _has_few_places(group) and (ParticipantJoined in events or PlaceReserved in events):
        yield Happening(Kind.TWO_PLACES_LEFT, now)


@dataclass(frozen=True, slots=True)
class OrderHappening:
    """Something of one order that is to be told to its shopper, `after_s` later."""

    kind: Kind
    after_s: float = 0.0


def happening_of_order(event: type[Event], because: str | None, refused_because: str | None) -> OrderHappening | None:
    """What is to be told after an event of a payment; `because` and `refused_because` are its own, where it has any."""
    if event is PaymentCameLate:
        return OrderHappening(Kind.PAYMENT_LATE)
    if event is ReservationLapsed and because not in _SAID_ANYWAY:
        return OrderHappening(Kind.PAYMENT_MISSED, TRIED_AGAIN_WITHIN_S)
    if event is PaymentSettled and refused_because is not None:
        return OrderHappening(Kind.PAYMENT_REFUSED)
    return None


def is_still_news(kind: Kind, group: Group, now: datetime, stock_left: int | None = None) -> bool:
    """Whether what was to be told is so when it is told, there being so many units left of the deal."""
    if kind in FATES:
        return group.status is GroupStatus(kind)
    if not group.is_open or now >= group.expires_at:
        return False  # its fate says more, and is told itself
    match kind:
        case Kind.ONE_HOUR_LEFT:
            return group.expires_at - now >= STILL_ABOUT_AN_HOUR
        case Kind.TWO_PLACES_LEFT:
            return _has_few_places(group) and stock_left != 0
        case Kind.PRICE_DROPPED:
            return group.is_tipped
        case _:
            return group.participants > 1


def push_waits_s(kind: Kind) -> float:
    """How long a push waits for others: what somebody waits for themselves goes at once."""
    return 0.0 if kind in {Kind.SUCCEEDED, Kind.PAYMENT_NEEDED, Kind.PAYMENT_LATE} else WAITS_FOR_MORE_S


def _has_few_places(group: Group) -> bool:
    return group.terms.group_size_max >= LAST_PLACES_FROM_SIZE and 0 < group.seats_left <= LAST_PLACES
