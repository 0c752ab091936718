"""A deal's status as a condition on its row: the law of `Deal.status_at`, said in SQL."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from domain.groupbuy.deal import DealStatus, Lifecycle
from infra.reading.documents import literal
from infra.tables import deals


def has_status(status: DealStatus, now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a row of `deals` has this status at that moment."""
    match status:
        case DealStatus.DRAFT:
            return _is(Lifecycle.DRAFT)
        case DealStatus.ENDED:
            return or_(_is(Lifecycle.ENDED), and_(~_is(Lifecycle.DRAFT), deals.c.ends_at <= now))
        case DealStatus.PAUSED:
            return and_(_is(Lifecycle.PAUSED), _runs_beyond(now))
        case DealStatus.SCHEDULED:
            return and_(_is(Lifecycle.PUBLISHED), _runs_beyond(now), deals.c.starts_at > now)
        case DealStatus.LIVE:
            begun = or_(deals.c.starts_at.is_(None), deals.c.starts_at <= now)
            return and_(_is(Lifecycle.PUBLISHED), _runs_beyond(now), begun)


def has_end(status: DealStatus, now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a row of this status will end, said so that an index over the ends is entered where the status begins."""
    may_be_past = status in {DealStatus.ENDED, DealStatus.DRAFT}
    return deals.c.ends_at.is_not(None) if may_be_past else deals.c.ends_at > now


def is_public() -> ColumnElement[bool]:
    """Whether anyone may see the row: drafts are their merchant's alone."""
    return ~_is(Lifecycle.DRAFT)


def _is(lifecycle: Lifecycle) -> ColumnElement[bool]:
    return deals.c.lifecycle == literal(lifecycle.value)


def _runs_beyond(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    return or_(deals.c.ends_at.is_(None), deals.c.ends_at > now)
