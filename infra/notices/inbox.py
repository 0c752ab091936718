"""What somebody was told, the newest first, and what of it they have read."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.notices.kinds import Kind
from domain.sharing.language import Language, language_of
from infra.notices.told import NOTICE_JSON, NoticeRow
from infra.reading.cursors import MomentUs, Position, decode, microseconds, moment
from infra.reading.fetching import fetch_json
from infra.reading.page import Page, page_of
from infra.reading.selves import SELVES

READ_AT_ONCE_MAX: Final = 200
"""As many as are kept."""

_UNREAD: Final = f"""(SELECT count(*) FROM notices n
  WHERE n.account_id = ANY(ARRAY(SELECT id FROM {SELVES} selves)) AND n.read_at IS NULL)"""  # noqa: S608 - a constant
_COUNT: Final = text(f"SELECT {_UNREAD}::text")
_MINE: Final = f"n.account_id = ANY(ARRAY(SELECT id FROM {SELVES} selves))"  # noqa: S608 - a constant


def _reading(which: str) -> TextClause:
    """Marks some of one's notices as read, if they are as they were shown; locked in the order in which they change."""
    return text(f"""
      WITH unread AS MATERIALIZED (
        SELECT id FROM notices n WHERE {_MINE} AND n.read_at IS NULL AND {which}
          AND n.at <= coalesce(CAST(:shown_at AS timestamptz), 'infinity')
        ORDER BY account_id, about, kind, stage FOR NO KEY UPDATE)
      UPDATE notices n SET read_at = now() FROM unread WHERE n.id = unread.id""")  # noqa: S608 - constants


_READ: Final = _reading("n.id = ANY(CAST(:ids AS uuid[]))")
_READ_UP_TO: Final = _reading(f"(n.at, n.id) <= (SELECT n.at, n.id FROM notices n WHERE n.id = :id AND {_MINE})")  # noqa: S608 - a constant


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as its person sees it: `text` in their language, `title` the deal's, and what it says as fields.

    Amounts are minor units of `currency`. `link` is a page of the group, null for what is bought alone.
    """

    id: UUID
    kind: Kind
    title: str
    text: str
    deal_id: UUID
    group_id: UUID | None
    order_id: UUID | None
    currency: str
    participants: int | None
    seats_left: int | None
    unit_price: int | None
    joined: int | None
    pays: int | None
    amount: int | None
    pay_by: datetime | None
    expires_at: datetime | None
    is_money_back: bool | None
    link: str | None
    at: datetime
    is_read: bool


class Notices(Page[NoticeView], frozen=True, kw_only=True):
    """A page of notices, and how many of all are unread."""

    unread: int


class NoticePosition(Position, frozen=True, tag="notice"):
    """The place behind a notice."""

    at_us: MomentUs
    id: UUID


class _Inbox(msgspec.Struct, frozen=True):
    rows: list[NoticeRow]
    unread: int
    locale: str | None


_decode: Final = msgspec.json.Decoder(_Inbox).decode


async def list_notices(
    engine: AsyncEngine, account_id: UUID, *, origin: str, limit: int, cursor: str | None
) -> Notices:
    """A page of somebody's notices, those of guests they were among them. Raises `WrongCursor`, `Unavailable`."""
    asked: dict[str, object] = {"shopper_id": account_id, "rows_max": limit + 1}
    if cursor is not None:
        place = decode(cursor, NoticePosition)
        asked |= {"after_at": moment(place.at_us), "after_id": place.id}
    inbox = _decode(await fetch_json(engine, _page(is_first=cursor is None), asked))
    language = language_of(inbox.locale)
    page = page_of(inbox.rows, limit, lambda row: notice_view(row, language, origin), _position)
    return Notices(items=page.items, next_cursor=page.next_cursor, unread=inbox.unread)


async def count_unread(engine: AsyncEngine, account_id: UUID) -> int:
    """How many notices somebody has not read."""
    return int(await fetch_json(engine, _COUNT, {"shopper_id": account_id}))


async def mark_read(
    connection: AsyncConnection, account_id: UUID, ids: Sequence[UUID], shown_at: datetime | None = None
) -> None:
    """These are read, but what has changed since `shown_at`; what is not theirs stays as it is."""
    await connection.execute(_READ, {"shopper_id": account_id, "ids": list(ids), "shown_at": shown_at})


async def mark_read_up_to(
    connection: AsyncConnection, account_id: UUID, notice_id: UUID, shown_at: datetime | None = None
) -> None:
    """This one and all that are older are read, but what has changed, or come, since `shown_at`."""
    await connection.execute(_READ_UP_TO, {"shopper_id": account_id, "id": notice_id, "shown_at": shown_at})


def notice_view(row: NoticeRow, language: Language, origin: str) -> NoticeView:
    """A notice in somebody's language."""
    facts, standing = row.facts, row.facts.standing
    return NoticeView(
        id=row.id,
        kind=row.kind,
        title=row.shown_title(),
        text=row.text(language),
        deal_id=row.deal_id,
        group_id=row.group_id,
        order_id=row.order_id,
        currency=row.currency,
        participants=None if standing is None else standing.participants,
        seats_left=None if standing is None else standing.seats_left,
        unit_price=None if standing is None else standing.unit_price,
        joined=facts.joined,
        pays=facts.pays_minor,
        amount=facts.amount_minor,
        pay_by=facts.pay_by,
        expires_at=None if standing is None else standing.expires_at,
        is_money_back=row.is_money_back,
        link=row.link(origin),
        at=row.at,
        is_read=row.read_at is not None,
    )


@cache
def _page(*, is_first: bool) -> TextClause:
    after = "" if is_first else "AND (n.at, n.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))"
    # the newest of each of their ids along its index, then the newest of all these
    return text(f"""
      WITH found AS MATERIALIZED (
        SELECT own.* FROM {SELVES} selves CROSS JOIN LATERAL (
          SELECT n.* FROM notices n WHERE n.account_id = selves.id {after}
          ORDER BY n.at DESC, n.id DESC LIMIT :rows_max) own
        ORDER BY own.at DESC, own.id DESC LIMIT :rows_max)
      SELECT json_build_object(
        'rows', (SELECT coalesce(json_agg({NOTICE_JSON} ORDER BY n.at DESC, n.id DESC), '[]') FROM found n),
        'unread', {_UNREAD},
        'locale', (SELECT locale FROM accounts WHERE id = CAST(:shopper_id AS uuid)))::text""")  # noqa: S608 - constants


def _position(row: NoticeRow) -> NoticePosition:
    return NoticePosition(microseconds(row.at), row.id)
