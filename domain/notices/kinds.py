"""The kinds of notices, and the ways they reach people."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a notice tells."""

    JOINED = "joined"
    PRICE_DROPPED = "price_dropped"
    TWO_PLACES_LEFT = "two_places_left"
    ONE_HOUR_LEFT = "one_hour_left"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAYMENT_NEEDED = "payment_needed"
    PAYMENT_LATE = "payment_late"
    PAYMENT_MISSED = "payment_missed"
    PAYMENT_REFUSED = "payment_refused"


class Channel(StrEnum):
    """How a notice is brought to somebody; in the inbox every one of them is."""

    PUSH = "push"
    EMAIL = "email"


GATHERED: Final = frozenset({Kind.JOINED, Kind.PRICE_DROPPED})
"""What happens again and again: as long as one is unread it is brought up to date, and no second one is added."""

FATES: Final = frozenset({Kind.SUCCEEDED, Kind.FAILED, Kind.CANCELLED})
OF_PAYMENTS: Final = frozenset({Kind.PAYMENT_NEEDED, Kind.PAYMENT_LATE, Kind.PAYMENT_MISSED, Kind.PAYMENT_REFUSED})
"""What is told of one order, to its shopper alone."""
OF_OPEN_GROUPS: Final = frozenset(Kind) - FATES - OF_PAYMENTS
"""What nobody needs to hear any more of a group that is closed, or that they have left."""
MONEY_GOES_BACK: Final = frozenset({Kind.FAILED, Kind.CANCELLED, Kind.PAYMENT_LATE})
WAITS_FOR_NOBODY: Final = frozenset({Kind.PAYMENT_NEEDED})
"""Whose time is over before quiet hours are: somebody has just asked for the place, and minutes are left to pay.

A group's fate is none of these: nothing can be done about it at night, and in the morning it is as it was.
"""
