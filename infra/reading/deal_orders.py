"""The orders deals are browsed in; each is a sort key, and a position in it that a cursor can carry."""

from abc import abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, tuple_

from infra.reading.cursors import BigCount, MomentUs, Position, microseconds, moment
from infra.reading.deal_rows import ListedDealRow
from infra.tables import deals


class DealSort(StrEnum):
    """What a list of deals begins with."""

    ENDING_SOON = "ending_soon"
    NEWEST = "newest"
    POPULAR = "popular"


class DealPosition(Position, frozen=True):
    """A place in a list of deals."""

    @classmethod
    @abstractmethod
    def of(cls, row: ListedDealRow) -> Self:
        """Where a deal stands."""

    @classmethod
    @abstractmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        """The sort key, ending with what makes it unique."""

    @abstractmethod
    def follows(self) -> ColumnElement[bool]:
        """Whether a row comes after this place."""


class Newest(DealPosition, frozen=True, tag="deals_newest"):
    """Last written first."""

    created_at_us: MomentUs
    id: UUID

    @classmethod
    def of(cls, row: ListedDealRow) -> Self:
        return cls(microseconds(row.created_at), row.id)

    @classmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        return deals.c.created_at.desc(), deals.c.id.desc()

    def follows(self) -> ColumnElement[bool]:
        return tuple_(deals.c.created_at, deals.c.id) < (moment(self.created_at_us), self.id)


class Popular(DealPosition, frozen=True, tag="deals_popular"):
    """Most units taken first."""

    units_taken: BigCount
    id: UUID

    @classmethod
    def of(cls, row: ListedDealRow) -> Self:
        return cls(row.units_taken, row.id)

    @classmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        return deals.c.units_taken.desc(), deals.c.id.desc()

    def follows(self) -> ColumnElement[bool]:
        return tuple_(deals.c.units_taken, deals.c.id) < (self.units_taken, self.id)


class EndingSoon(DealPosition, frozen=True, tag="deals_ending_soon"):
    """First to end first, those without an end last."""

    ends_at_us: MomentUs | None
    id: UUID

    @classmethod
    def of(cls, row: ListedDealRow) -> Self:
        return cls(None if row.ends_at is None else microseconds(row.ends_at), row.id)

    @classmethod
    def order(cls) -> Sequence[ColumnElement[Any]]:
        return deals.c.ends_at.asc(), deals.c.id.asc()  # ascending, PostgreSQL puts nulls last, as its index does

    def follows(self) -> ColumnElement[bool]:
        if self.ends_at_us is None:
            return and_(deals.c.ends_at.is_(None), deals.c.id > self.id)
        dated = tuple_(deals.c.ends_at, deals.c.id) > (moment(self.ends_at_us), self.id)
        return or_(dated, deals.c.ends_at.is_(None))


POSITIONS: dict[DealSort, type[DealPosition]] = {
    DealSort.ENDING_SOON: EndingSoon,
    DealSort.NEWEST: Newest,
    DealSort.POPULAR: Popular,
}
