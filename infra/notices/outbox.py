"""Reading the outbox for what is to be told: each row once, in one transaction with what follows from it.

Rows are found by their ids and never marked, so writing them costs nothing more than it did, and the relay, which marks
them, is not waited for (docs/decisions/0027).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.groupbuy.events import Event, PaymentCameLate, PaymentSettled, ReservationLapsed
from domain.groupbuy.group import Group
from domain.notices.happenings import NEWS, RESTS_S, Happening, happening_of_order, happenings
from domain.notices.kinds import GATHERED
from infra.loading_sql import GROUP_COLUMNS
from infra.notices.beginning import begin_due
from infra.notices.runs import Reading, Run, advanced, confirmed
from infra.rows import GroupRow, group_from
from infra.statement import json_text

READER: Final = "notices"
ROWS_AT_ONCE: Final = 1_000
BYTES_AT_ONCE: Final = 4 << 20
"""A row holds what a batch did to a group: with a thousand joins it is half a megabyte."""
RUNS_MAX: Final = 1_000
"""With more runs of missing ids nothing further is read until some are over: late, but nothing is lost."""

# Looking changes nothing: where nothing happens it costs no transaction id.
_IS_ANYTHING: Final = text("""
  SELECT EXISTS (SELECT FROM outbox_readings WHERE reader = :reader AND (
      missing <> '[]' OR through < (SELECT id FROM outbox ORDER BY id DESC LIMIT 1)))
    OR EXISTS (SELECT FROM tellings WHERE begun_at IS NULL AND done_at IS NULL AND due_at <= now())""")
_LOCK: Final = text("""
  SELECT through, missing::text AS missing, pg_current_xact_id()::text::bigint AS own FROM outbox_readings
  WHERE reader = :reader FOR NO KEY UPDATE SKIP LOCKED""")
# one statement, so that what is there and who is still at work are seen at the same moment
_LOOK: Final = text("""
  SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_active, clock_timestamp() AS at,
    ARRAY(SELECT ARRAY[o.id, pg_column_size(o.events)::bigint]
      FROM unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[])) AS run (first, last)
      CROSS JOIN LATERAL (
        SELECT id, events FROM outbox WHERE id BETWEEN run.first AND run.last ORDER BY id LIMIT :rows_max) o
      LIMIT :rows_max) AS late,
    ARRAY(SELECT ARRAY[o.id, pg_column_size(o.events)::bigint] FROM (
      SELECT id, events FROM outbox WHERE id > :through ORDER BY id LIMIT :fresh_max) o ORDER BY o.id) AS fresh""")
# Types are found by their text: quotes within a value are escaped, so nobody can write one into a name. Taking the
# documents apart would cost many times as much.
_READ: Final = text("""
  SELECT o.deal_id, o.group_id,
    ARRAY(SELECT type FROM unnest(CAST(:types AS text[])) AS type
      WHERE strpos(told.events, '"type":"' || type || '"') > 0) AS types,
    CASE WHEN EXISTS (SELECT FROM unnest(CAST(:marks AS text[])) AS mark WHERE strpos(told.events, mark) > 0)
      THEN told.events END AS events
  FROM outbox o CROSS JOIN LATERAL (SELECT o.events::text AS events OFFSET 0) told
  WHERE o.id = ANY(CAST(:ids AS bigint[])) ORDER BY o.id""")
_GROUPS: Final = text(f"""
  SELECT row_to_json(g)::text FROM (
    SELECT {GROUP_COLUMNS} FROM groups WHERE id = ANY(CAST(:ids AS uuid[]))) g""")  # noqa: S608 - a constant
_ADVANCE: Final = text("""
  UPDATE outbox_readings SET through = :through, missing = CAST(:missing AS jsonb) WHERE reader = :reader""")
# Nobody else begins tellings or adds any while the reading is locked, so the last one of a group is known.
_TO_BE_TOLD: Final = text("""
  INSERT INTO tellings (about, kind, stage, deal_id, group_id, due_at)
  SELECT new.group_id, new.kind, CASE WHEN new.is_gathered THEN coalesce(last.stage, 0) + 1 ELSE 0 END,
    new.deal_id, new.group_id, greatest(new.due_at, last.begun_at + make_interval(
      secs => (CAST(:rests_s AS float[]))[least(last.stage, cardinality(CAST(:rests_s AS float[])))]))
  FROM json_to_recordset(CAST(:new AS json)) AS new (
    group_id uuid, deal_id uuid, kind text, due_at timestamptz, is_gathered boolean)
  LEFT JOIN LATERAL (
    SELECT stage, begun_at, done_at FROM tellings t WHERE t.about = new.group_id AND t.kind = new.kind
    ORDER BY stage DESC LIMIT 1) last ON new.is_gathered
  WHERE last.stage IS NULL OR last.begun_at IS NOT NULL OR last.done_at IS NOT NULL
  ON CONFLICT DO NOTHING""")
_TO_BE_TOLD_OF_ORDERS: Final = text("""
  INSERT INTO tellings (about, kind, stage, deal_id, group_id, order_id, due_at, begun_at)
  SELECT order_id, kind, 0, deal_id, group_id, order_id, clock_timestamp() + make_interval(secs => after_s),
    clock_timestamp()
  FROM json_to_recordset(CAST(:new AS json)) AS new (
    kind text, after_s float, deal_id uuid, group_id uuid, order_id uuid)
  ON CONFLICT DO NOTHING""")

_TYPES: Final[Mapping[str, type[Event]]] = {type_.__name__: type_ for type_ in NEWS}
_TYPES_OF_ORDERS: Final[Mapping[str, type[Event]]] = {
    type_.__name__: type_ for type_ in (PaymentCameLate, ReservationLapsed, PaymentSettled)
}
_MARKS: Final = (
    f'"type":"{PaymentCameLate.__name__}"',
    f'"type":"{ReservationLapsed.__name__}"',
    '"refused_because":"',  # nearly all settlements are as they should be: there it is null
)
_decode_group: Final = msgspec.json.Decoder(GroupRow).decode


class _EventOfOrder(msgspec.Struct, frozen=True):
    """As much of an event as tells whose payment did not go as they think."""

    type: str
    deal_id: UUID
    group_id: UUID | None = None
    order_id: UUID | None = None
    because: str | None = None
    refused_because: str | None = None


class Look(NamedTuple):
    """Ids to read now, ids that are there and left to the next look, and the moment of it.

    `oldest_active` is 0 where not all of what came late was seen.
    """

    ids: list[int]
    left: list[int]
    oldest_active: int
    at: datetime


_decode_runs: Final = msgspec.json.Decoder(list[tuple[int, int, int | None]]).decode
_decode_events: Final = msgspec.json.Decoder(list[_EventOfOrder]).decode


async def read_outbox(engine: AsyncEngine) -> bool:
    """Read the next rows and begin what is due; answers whether there may be more to do at once."""
    async with engine.begin() as connection:
        if not (await connection.execute(_IS_ANYTHING, {"reader": READER})).scalar_one():
            return False
        locked = (await connection.execute(_LOCK, {"reader": READER})).one_or_none()
        if locked is None:  # somebody else is at it
            return False
        before = Reading(locked.through, tuple(Run(*run) for run in _decode_runs(locked.missing)))
        reading = before._replace(missing=confirmed(before.missing, locked.own))
        look = await _look(connection, reading)
        if look.ids:
            await _note(connection, look.ids, look.at)
        after = advanced(reading, look.ids, look.left, look.oldest_active)
        if after != before:
            values = {"reader": READER, "through": after.through, "missing": json_text(after.missing)}
            await connection.execute(_ADVANCE, values)
        begun = await begin_due(connection, look.at)
    return bool(look.left) or len(look.ids) >= ROWS_AT_ONCE or begun


async def _look(connection: AsyncConnection, reading: Reading) -> Look:
    """What is there, as much as is read at once: what came late first."""
    asked = {
        "firsts": [run.first for run in reading.missing],
        "lasts": [run.last for run in reading.missing],
        "through": reading.through,
        "rows_max": ROWS_AT_ONCE,
        "fresh_max": ROWS_AT_ONCE if len(reading.missing) < RUNS_MAX else 0,
    }
    row = (await connection.execute(_LOOK, asked)).one()
    ids: list[int] = []
    left: list[int] = []
    size = 0
    for number, bytes_ in (*row.late, *row.fresh):
        size += bytes_
        (left if ids and (left or size > BYTES_AT_ONCE) else ids).append(number)
    # there may be more that came late than were looked for: then no run is over yet
    oldest_active = 0 if len(row.late) >= ROWS_AT_ONCE else row.oldest_active
    return Look(ids, left, oldest_active, row.at)


async def _note(connection: AsyncConnection, ids: Sequence[int], now: datetime) -> None:
    """Write down what is to be told of what these rows say."""
    asked = {"ids": ids, "types": list(_TYPES), "marks": list(_MARKS)}
    rows = (await connection.execute(_READ, asked)).all()
    said: dict[UUID, set[type[Event]]] = {}
    for row in rows:
        if row.group_id is not None and row.types:
            said.setdefault(row.group_id, set()).update(_TYPES[name] for name in row.types)
    groups = await _groups(connection, list(said)) if said else []
    new = [_row(group, happening) for group in groups for happening in happenings(said[group.id], group, now)]
    if new:
        await connection.execute(_TO_BE_TOLD, {"new": json_text(new), "rests_s": list(RESTS_S)})
    of_orders = [row for row in map(_row_of_order, _events_of_orders(rows)) if row is not None]
    if of_orders:
        await connection.execute(_TO_BE_TOLD_OF_ORDERS, {"new": json_text(of_orders)})


async def _groups(connection: AsyncConnection, group_ids: list[UUID]) -> list[Group]:
    rows = (await connection.execute(_GROUPS, {"ids": group_ids})).scalars()
    return [group_from(_decode_group(row)) for row in rows]


def _row(group: Group, happening: Happening) -> dict[str, object]:
    return {
        "group_id": group.id,
        "deal_id": group.deal_id,
        "kind": happening.kind,
        "due_at": happening.due_at,
        "is_gathered": happening.kind in GATHERED,
    }


def _events_of_orders(rows: Sequence[Any]) -> Iterator[_EventOfOrder]:
    for row in rows:
        if row.events is not None:
            yield from (event for event in _decode_events(row.events) if event.type in _TYPES_OF_ORDERS)


def _row_of_order(event: _EventOfOrder) -> dict[str, object] | None:
    happening = happening_of_order(_TYPES_OF_ORDERS[event.type], event.because, event.refused_because)
    if happening is None:
        return None
    ids = {"deal_id": event.deal_id, "group_id": event.group_id, "order_id": event.order_id}
    return {"kind": happening.kind, "after_s": happening.after_s, **ids}
