"""The audit log, newest first."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.cursors import Position, decode
from infra.reading.fetching import fetch_json
from infra.reading.page import LIMIT_DEFAULT, Page, page_of

ACTION_CHARACTERS_MAX = 60
_BIGINT_MAX = 2**63 - 1


class AuditActor(msgspec.Struct, frozen=True):
    """Who acted: `administrator`, `staff`, `api_key`, `operator` or `worker`; nobody's name, phone or address."""

    kind: str
    id: UUID | None


class AuditThing(msgspec.Struct, frozen=True):
    """What was acted on."""

    kind: str
    id: UUID


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to which thing; `before` and `after` hold what differs, and the reason that was given.

    Of what people write freely only the names of the fields are told, as `rewritten`.
    What an administrator looked for is not told to the merchant whose it is: only that it was, and what was shown.
    `request_id` is the `X-Request-Id` of the request that asked for it; null where none did.
    """

    id: int
    at: datetime
    actor: AuditActor
    merchant_id: UUID | None
    action: str
    thing: AuditThing
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


class AuditPosition(Position, frozen=True, tag="audit"):
    """A place in the log."""

    id: Annotated[int, msgspec.Meta(ge=0, le=_BIGINT_MAX)]


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of the log is asked for; None: all."""

    merchant_id: UUID | None = None
    actor_id: UUID | None = None
    thing_id: UUID | None = None
    action: str | None = None


_decode = msgspec.json.Decoder(list[AuditEntry]).decode


async def list_audit(
    engine: AsyncEngine,
    query: AuditQuery,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
    *,
    is_for_merchant: bool = False,
) -> Page[AuditEntry]:
    """What was done, the last first, as far as whoever reads may know it; raises `Unavailable`."""
    asked = {name: value for name, value in msgspec.structs.asdict(query).items() if value is not None}
    parameters = asked | {"rows_max": limit + 1}
    if cursor is not None:
        parameters["after_id"] = decode(cursor, AuditPosition).id
    statement = _entries(tuple(asked), is_first=cursor is None, is_for_merchant=is_for_merchant)
    entries = _decode(await fetch_json(engine, statement, parameters))
    return page_of(entries, limit, lambda entry: entry, lambda entry: AuditPosition(entry.id))


@cache
def _entries(names: tuple[str, ...], *, is_first: bool, is_for_merchant: bool) -> TextClause:
    """Entries of which these are given, after `after_id`."""
    conditions = [f"{name} = :{name}" for name in names] + ([] if is_first else ["id < :after_id"])
    after = "after - 'sought' AS after" if is_for_merchant else "after"
    narrowed = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return text(f"""
      SELECT coalesce(json_agg(e), '[]')::text FROM (
        SELECT id, at, json_build_object('kind', actor_kind, 'id', actor_id) AS actor, merchant_id, action,
          json_build_object('kind', thing_kind, 'id', thing_id) AS thing, before, {after}, request_id
        FROM audit {narrowed} ORDER BY id DESC LIMIT :rows_max) e""")  # noqa: S608 - names of columns
