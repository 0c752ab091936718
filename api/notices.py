"""The caller's inbox: what they were told, in their language, and what of it they have read."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from api.access import caller_of
from api.answers import PRIVATE, Answer, answered
from api.bodies import read_json
from api.requests import AnyRequest, cursor_of, invalid, limit_of, query_of, runtime_of
from api.routing import route
from domain.groupbuy.deal import WINDOW_YEARS
from infra.notices.inbox import READ_AT_ONCE_MAX, count_unread, list_notices, mark_read, mark_read_up_to

_Ids = Annotated[list[UUID], Meta(min_length=1, max_length=READ_AT_ONCE_MAX)]


class ReadBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Which notices are read: `up_to` one and all that are older, or just these `ids`.

    `shown_at` is the newest `at` among those that were shown: what has changed since stays unread.
    """

    up_to: UUID | None = None
    ids: _Ids | None = None
    shown_at: datetime | None = None


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """How many notices are unread."""

    unread: int


_read_body: Final = msgspec.json.Decoder(ReadBody)


@route("GET", "/v1/me/notices")
async def my_notices(request: AnyRequest) -> Answer:
    query, runtime = query_of(request), runtime_of(request)
    page = await list_notices(
        runtime.engine,
        caller_of(request).subject,
        origin=runtime.settings.origin,
        limit=limit_of(query),
        cursor=cursor_of(query),
    )
    return answered(page, headers=PRIVATE)


@route("GET", "/v1/me/notices/unread")
async def my_unread(request: AnyRequest) -> Answer:
    unread = await count_unread(runtime_of(request).engine, caller_of(request).subject)
    return answered(Unread(unread=unread), headers=PRIVATE)


@route("POST", "/v1/me/notices/read")
async def read_notices(request: AnyRequest) -> Answer:
    """Sending it again is safe; what is not the caller's stays as it is."""
    body = await read_json(request, _read_body)
    if (body.up_to is None) == (body.ids is None):
        raise invalid("ids" if body.ids is not None else "up_to", "give either up_to or ids")
    shown_at = _moment(body.shown_at)
    engine, account_id = runtime_of(request).engine, caller_of(request).subject
    async with engine.begin() as connection:
        if body.up_to is not None:
            await mark_read_up_to(connection, account_id, body.up_to, shown_at)
        else:
            await mark_read(connection, account_id, body.ids or [], shown_at)
    return answered(Unread(unread=await count_unread(engine, account_id)), headers=PRIVATE)


def _moment(shown_at: datetime | None) -> datetime | None:
    """The same, if PostgreSQL can know of it; raises `InvalidInput`."""
    if shown_at is not None and (shown_at.tzinfo is None or shown_at.year not in WINDOW_YEARS):
        raise invalid("shown_at", "must be the `at` of a notice, just as it was sent")
    return shown_at
