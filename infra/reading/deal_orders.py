"""The orders deals are browsed in.

An order is a sequence of stretches, each walked along one index. A stretch is a sort key, and a position in it is what
a cursor carries.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, true, tuple_

from domain.groupbuy.deal import DealStatus
from infra.reading.cursors import BigCount, MomentUs, Position, microseconds, moment
from infra.reading.deal_rows import ListedDealRow
from infra.reading.deal_status import has_end
from infra.reading.documents import now
from infra.tables import deals


class DealSort(StrEnum):
    """What a list of deals begins with."""

    ENDING_SOON = "ending_soon"
    NEWEST = "newest"
    POPULAR = "popular"


class DealPosition(Position, frozen=True):
    """A place in a stretch of deals."""

    id: UUID

    @classmethod
    @abstractmethod
    def of(cls, row: ListedDealRow) -> Self:
        """Where a deal of this stretch stands."""

    @classmethod
    def within(cls, status: DealStatus) -> ColumnElement[bool]:  # noqa: ARG003 - one stretch asks
        """Which rows of a status belong to the stretch."""
        return true()

    @classmethod
    @abstractmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        """The sort key, ending with what makes it unique."""

    @classmethod
    @abstractmethod
    def follows(cls) -> ColumnElement[bool]:
        """Whether a row comes after the place given by `parameters`."""

    @abstractmethod
    def parameters(self) -> Mapping[str, object]:
        """This place as `follows` wants it."""


class Newest(DealPosition, frozen=True, tag="deals_newest"):
    """Last written first."""

    created_at_us: MomentUs

    @classmethod
    def of(cls, row: ListedDealRow) -> Self:
        return cls(row.id, microseconds(row.created_at))

    @classmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        return deals.c.created_at.desc(), deals.c.id.desc()

    @classmethod
    def follows(cls) -> ColumnElement[bool]:
        return tuple_(deals.c.created_at, deals.c.id) < tuple_(_after("created_at"), _after("id"))

    def parameters(self) -> Mapping[str, object]:
        return {"after_created_at": moment(self.created_at_us), "after_id": self.id}


class Popular(DealPosition, frozen=True, tag="deals_popular"):
    """Most units taken first."""

    units_taken: BigCount

    @classmethod
    def of(cls, row: ListedDealRow) -> Self:
        return cls(row.id, row.units_taken)

    @classmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        return deals.c.units_taken.desc(), deals.c.id.desc()

    @classmethod
    def follows(cls) -> ColumnElement[bool]:
        return tuple_(deals.c.units_taken, deals.c.id) < tuple_(_after("units_taken"), _after("id"))

    def parameters(self) -> Mapping[str, object]:
        return {"after_units_taken": self.units_taken, "after_id": self.id}


class Ending(DealPosition, frozen=True, tag="deals_ending"):
    """First to end first; deals that have ended already are not even walked past where running ones are asked for."""

    ends_at_us: MomentUs

    @classmethod
    def of(cls, row: ListedDealRow) -> Self:
        assert row.ends_at is not None
        return cls(row.id, microseconds(row.ends_at))

    @classmethod
    def within(cls, status: DealStatus) -> ColumnElement[bool]:
        return has_end(status, now())

    @classmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        return deals.c.ends_at.asc(), deals.c.id.asc()

    @classmethod
    def follows(cls) -> ColumnElement[bool]:
        return tuple_(deals.c.ends_at, deals.c.id) > tuple_(_after("ends_at"), _after("id"))

    def parameters(self) -> Mapping[str, object]:
        return {"after_ends_at": moment(self.ends_at_us), "after_id": self.id}


class Endless(DealPosition, frozen=True, tag="deals_endless"):
    """Deals without an end, which stand behind all that have one."""

    @classmethod
    def of(cls, row: ListedDealRow) -> Self:
        return cls(row.id)

    @classmethod
    def within(cls, status: DealStatus) -> ColumnElement[bool]:  # noqa: ARG003 - of any status
        return deals.c.ends_at.is_(None)

    @classmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        return deals.c.ends_at.asc(), deals.c.id.asc()  # the same null for all; said so that the index is walked

    @classmethod
    def follows(cls) -> ColumnElement[bool]:
        return deals.c.id > _after("id")

    def parameters(self) -> Mapping[str, object]:
        return {"after_id": self.id}


STRETCHES: Mapping[DealSort, tuple[type[DealPosition], ...]] = {
    DealSort.ENDING_SOON: (Ending, Endless),
    DealSort.NEWEST: (Newest,),
    DealSort.POPULAR: (Popular,),
}


def position_in(sort: DealSort, row: ListedDealRow) -> DealPosition:
    """Where a deal stands in an order."""
    if sort is DealSort.ENDING_SOON and row.ends_at is None:
        return Endless.of(row)
    return STRETCHES[sort][0].of(row)


def _after(column: str) -> ColumnElement[Any]:
    return bindparam(f"after_{column}", type_=deals.c[column].type)
