"""The steps of the way into a group: what each of them shows and keeps of what was typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from api.pages.sight import Card
from domain.groupbuy.deal import DealStatus, Grouping
from infra.reading.deals import DealView
from infra.tokens import Claims

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Taken(NamedTuple):
    """A place somebody has: how many of what, and what it costs at most, or in the end."""

    quantity: int
    variant: str | None
    amount: str
    is_dropped: bool = False
    is_nothing: bool = False


class Asks(NamedTuple):
    """What a place takes: `ceiling_price` is what one unit costs at most, `units_max` how many one may have."""

    needs_shipping: bool = False
    guests_may_buy: bool = True
    takes_payment: bool = False
    ceiling_price: str = ""
    units_max: int | None = None


NOTHING_MUCH: Final = Asks()


class Paying(NamedTuple):
    """What is still to be paid, until when and where; `address` is None where only the app can."""

    amount: str
    until: datetime
    address: str | None
    is_ready: bool
    look_again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where somebody stands: `choose`, `who`, `code`, `place`, `pay` or `in`; `over` where there is no way in any more.

    `missed`: the group closed before their place was paid for. `parting`: a guest is asked whether to sign out indeed.

    `typed` is what they typed so far, `errors` what is wrong with it by field, `problem` what is wrong altogether and
    `elsewhere` where else to go then. `moves_focus`: it came as the answer to what they did.
    """

    name: Literal["choose", "who", "code", "place", "pay", "in", "over", "missed", "parting"]
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    elsewhere: Sequence[Card] = ()
    moves_focus: bool = False
    visitor: Claims | None = None
    is_guest: bool = False
    # who, place
    asks: Asks = NOTHING_MUCH
    regions: Sequence[tuple[str, str, str]] = ()
    region: str = ""
    # code
    phone: str = ""
    # place
    key: str = ""
    # pay, in
    paying: Paying | None = None
    taken: Taken | None = None
    may_leave: bool = False
    own_code: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether a group of their own is to be opened."""
        return self.typed.get("own") == "1"

    @property
    def is_adding_number(self) -> bool:
        """Whether a guest says who they are for what they have already."""
        return self.typed.get("number") == "1"

    @property
    def may_be_overtaken(self) -> bool:
        """Whether there is no use in going on once the group closes."""
        return self.name in {"who", "code", "place", "pay"} and not self.is_own and not self.is_adding_number

    def where_nothing_is_left(self) -> "Step":
        """The step on the page of a deal that is sold out: no form leads to a place."""
        leads_nowhere = self.name in {"choose", "who", "place"} and not self.is_adding_number
        return replace(self, name="over") if leads_nowhere else self


def may_open(deal: DealView) -> bool:
    """Whether people open groups of their own of a deal now."""
    return deal.grouping == Grouping.TEAM and deal.status == DealStatus.LIVE and deal.units_left > 0


CHOOSING: Final = Step(name="choose")
