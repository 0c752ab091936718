"""What two books say differently, and what is to be done about it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class What(StrEnum):
    """What is the matter, for a person."""

    UNKNOWN = "payment without an order"
    UNCONFIRMED = "approved but still awaited"
    UNRELEASED = "money not given back"
    AMOUNT = "amounts differ"
    GONE = "money is not there"
    GIVEN_UP = "given up"
    UNDECIDED = "nothing decided"
    LEDGER = "ledger differs"
    GROUP = "sums of the group differ"


class Repair(StrEnum):
    """What makes the books agree without taking or losing anybody's money; `none` where nobody can be certain."""

    NONE = "none"
    END = "end"
    """The gateway releases, or gives back, all it still has of the payment."""
    CONFIRM = "confirm"
    """The approval is told to the domain, which counts it, or gives the money back as late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference; `theirs` is what the gateway says (or the rows counted anew), `ours` what we say.

    `advice` is what a person should do, or what kept it from being repaired.
    """

    what: What
    theirs: str
    ours: str
    advice: str = ""
    repair: Repair = Repair.NONE
    gateway: str = ""
    order_id: UUID | None = None
    group_id: UUID | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A difference, and whether it is no more."""

    difference: Difference
    is_repaired: bool
