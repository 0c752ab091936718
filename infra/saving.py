"""Saving a batch's changes: one statement for all a join touches; leaving, invites and deals have their own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from uuid import UUID

import msgspec

from domain.groupbuy.events import Event, ParticipantJoined, PlaceReserved
from domain.groupbuy.group import Group, Place
from domain.groupbuy.world import World
from infra.changes import Changes, PlaceKey
from infra.identity.audit import Entry
from infra.rows import terms_column
from infra.rows_money import Row
from infra.saving_deals import saving_deals
from infra.saving_money import MONEY_PARTS, money_rows
from infra.statement import Bound, Statement, json_text

_encode = msgspec.json.Encoder().encode

_PARTS = {
    "opened": """
      INSERT INTO groups (deal_id, id, leader_id, terms, group_size_max, status, participants, units_by_variant,
                          next_tier_at, version, opened_at, expires_at, closed_at, closed_by, awaiting, settled,
                          captured_minor, refunded_minor, leader_is_in)
      SELECT * FROM json_to_recordset(CAST(:opened AS json)) AS new (
        deal_id uuid, id uuid, leader_id uuid, terms jsonb, group_size_max int, status text, participants int,
        units_by_variant jsonb, next_tier_at int, version int, opened_at timestamptz, expires_at timestamptz,
        closed_at timestamptz, closed_by text, awaiting int, settled int, captured_minor bigint,
        refunded_minor bigint, leader_is_in boolean)""",
    "changed": """
      UPDATE groups SET status = new.status, participants = new.participants,
             units_by_variant = new.units_by_variant, next_tier_at = new.next_tier_at, version = new.version,
             closed_at = new.closed_at, closed_by = new.closed_by, awaiting = new.awaiting, settled = new.settled,
             captured_minor = new.captured_minor, refunded_minor = new.refunded_minor, leader_is_in = new.leader_is_in
      FROM json_to_recordset(CAST(:changed AS json)) AS new (
        deal_id uuid, id uuid, status text, participants int, units_by_variant jsonb, next_tier_at int, version int,
        closed_at timestamptz, closed_by text, awaiting int, settled int, captured_minor bigint,
        refunded_minor bigint, leader_is_in boolean)
      WHERE groups.deal_id = new.deal_id AND groups.id = new.id""",
    "stock": """
      UPDATE variants SET stock_left = new.stock_left
      FROM json_to_recordset(CAST(:stock AS json)) AS new (deal_id uuid, id uuid, stock_left bigint)
      WHERE variants.deal_id = new.deal_id AND variants.id = new.id AND variants.stock_left <> new.stock_left""",
    "joined": """
      INSERT INTO participants (deal_id, shopper_id, group_id, variant_id, quantity, hold_minor, number, joined_at,
                                invite_code, display_name, order_id)
      SELECT * FROM json_to_recordset(CAST(:joined AS json)) AS new (
        deal_id uuid, shopper_id uuid, group_id uuid, variant_id uuid, quantity int, hold_minor bigint, number int,
        joined_at timestamptz, invite_code text, display_name text, order_id uuid)""",
    "invited": """
      UPDATE invites SET joins = joins + new.change
      FROM json_to_recordset(CAST(:invited AS json)) AS new (code text, change int)
      WHERE invites.code = new.code""",
    "answered": """
      INSERT INTO idempotency_keys (subject_id, key, request_hash, answer, created_at)
      SELECT subject_id, key, decode(request_hash, 'base64'), decode(answer, 'base64'), created_at
      FROM json_to_recordset(CAST(:answered AS json)) AS new (
        subject_id uuid, key text, request_hash text, answer text, created_at timestamptz)""",
    **MONEY_PARTS,
    "done": """
      INSERT INTO audit (at, actor_kind, actor_id, merchant_id, action, thing_kind, thing_id, before, after, request_id)
      SELECT * FROM json_to_recordset(CAST(:done AS json)) AS new (
        at timestamptz, actor_kind text, actor_id uuid, merchant_id uuid, action text, thing_kind text, thing_id uuid,
        before jsonb, after jsonb, request_id text)""",
    "told": """
      INSERT INTO outbox (deal_id, group_id, version, events, at)
      SELECT * FROM json_to_recordset(CAST(:told AS json)) AS new (
        deal_id uuid, group_id uuid, version int, events json, at timestamptz)""",
}
"""Each part takes its rows as one JSON text: asyncpg turns a value at a time into an array's bytes, in Python."""

_DELETE_LEFT = Statement("""
  DELETE FROM participants
  USING json_to_recordset(CAST(:left AS json)) AS gone (deal_id uuid, shopper_id uuid, group_id uuid)
  WHERE participants.deal_id = gone.deal_id AND participants.shopper_id = gone.shopper_id
    AND participants.group_id = gone.group_id""")

_INSERT_INVITES = Statement("""
  INSERT INTO invites (code, deal_id, group_id, sharer_id, channel, parent_code, joins, created_at, revoked_at)
  SELECT * FROM json_to_recordset(CAST(:invites AS json)) AS new (
    code text, deal_id uuid, group_id uuid, sharer_id uuid, channel text, parent_code text, joins int,
    created_at timestamptz, revoked_at timestamptz)""")

_REVOKE_INVITES = Statement("""
  UPDATE invites SET revoked_at = revoked.revoked_at
  FROM json_to_recordset(CAST(:revoked AS json)) AS revoked (code text, revoked_at timestamptz)
  WHERE invites.code = revoked.code""")


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """The answer an idempotency key is to be stored with."""

    subject_id: UUID
    key: str
    request_hash: bytes
    answer: bytes


def saving(
    world: World, changes: Changes, answers: list[NewAnswer], entries: list[Entry], now: datetime
) -> Iterator[Bound]:
    """What writes everything that changed, and the events, in this order."""
    if changes.created_deals or changes.changed_deals:
        yield from saving_deals(world, changes)
    if changes.left:
        yield _DELETE_LEFT.bound(left=json_text([_key_row(key) for key in changes.left]))
    rows = _rows_by_part(world, changes, answers, entries, now)
    if rows:
        bound = _statement(tuple(rows)).bound(**{part: json_text(those) for part, those in rows.items()})
        yield bound._replace(is_private=_has_private(rows))
    if changes.revoked_invites:  # before what takes their channels
        revoked = [world.invites[code] for code in changes.revoked_invites]
        yield _REVOKE_INVITES.bound(revoked=json_text(revoked))
    if changes.invites:
        yield _INSERT_INVITES.bound(invites=json_text([world.invites[code] for code in changes.invites]))


@cache
def _statement(parts: tuple[str, ...]) -> Statement:
    """One statement of the parts a batch needs; there are few combinations, so each is prepared once."""
    *before, last = parts
    steps = ",".join(f"{part} AS ({_PARTS[part]})" for part in before)
    return Statement(f"WITH {steps} {_PARTS[last]}" if steps else _PARTS[last])


def _rows_by_part(
    world: World, changes: Changes, answers: list[NewAnswer], entries: list[Entry], now: datetime
) -> dict[str, list[Row]]:
    """The rows of each part that has any, in the order of the parts."""
    groups = changes.groups_in(world)
    invited = changes.invite_joins.items()
    rows = {
        "opened": [_opened_row(group) for group in groups if group.id in changes.opened_groups],
        "changed": [_group_row(group) for group in groups if group.id not in changes.opened_groups],
        "stock": _stock_rows(world, changes),
        "joined": [_place_row(key, place) for key, place in changes.places_in(world)],
        "invited": [
            {"code": code, "change": change} for code, change in invited if change and code not in changes.invites
        ],
        "answered": [_answer_row(answer, now) for answer in answers],
        **money_rows(world, changes, now),
        "done": [entry.row() | {"at": now} for entry in entries],
        "told": _told_rows(world, changes, now),
    }
    return {part: those for part, those in rows.items() if those}


def _has_private(rows: dict[str, list[Row]]) -> bool:
    """Whether there is an address among the rows, a tracking number or a reason somebody gave."""
    if "orders" in rows or "refunds" in rows or "done" in rows:
        return True
    return any(row["address"] is not None for row in rows.get("reserved", ()))


def _group_row(group: Group) -> Row:
    coming = group.terms.schedule.next_tier(group.participants)
    return {
        "deal_id": group.deal_id,
        "id": group.id,
        "status": group.status,
        "participants": group.participants,
        "units_by_variant": group.units_by_variant,
        "next_tier_at": coming.participants if coming else None,
        "version": group.version,
        "closed_at": group.closed_at,
        "closed_by": group.closed_by,
        "awaiting": group.awaiting,
        "settled": group.settled,
        "captured_minor": group.captured_minor,
        "refunded_minor": group.refunded_minor,
        "leader_is_in": group.leader_is_in,
    }


def _opened_row(group: Group) -> Row:
    return _group_row(group) | {
        "leader_id": group.leader_id,
        "terms": msgspec.Raw(terms_column(group.terms)),
        "group_size_max": group.terms.group_size_max,
        "opened_at": group.opened_at,
        "expires_at": group.expires_at,
    }


def _stock_rows(world: World, changes: Changes) -> list[Row]:
    return [
        {"deal_id": deal_id, "id": variant_id, "stock_left": stock_left}
        for deal_id in changes.stock - changes.created_deals
        for variant_id, stock_left in world.stock_left[deal_id].items()
    ]


def _key_row(key: PlaceKey) -> Row:
    deal_id, shopper_id, group_id = key
    return {"deal_id": deal_id, "shopper_id": shopper_id, "group_id": group_id}


def _place_row(key: PlaceKey, place: Place) -> Row:
    return {
        "deal_id": key[0],
        "shopper_id": key[1],
        "group_id": key[2],
        "variant_id": place.variant_id,
        "quantity": place.quantity,
        "hold_minor": place.hold_minor,
        "number": place.number,
        "joined_at": place.joined_at,
        "invite_code": place.invite_code,
        "display_name": place.display_name,
        "order_id": place.order_id,
    }


def _answer_row(answer: NewAnswer, now: datetime) -> Row:
    return {
        "subject_id": answer.subject_id,
        "key": answer.key,
        "request_hash": answer.request_hash,
        "answer": answer.answer,
        "created_at": now,
    }


def _told_rows(world: World, changes: Changes, now: datetime) -> list[Row]:
    """One row for all that happened to a group, or to a deal itself, in the order it happened."""
    told: dict[tuple[UUID, UUID | None], list[msgspec.Raw]] = {}
    for event in changes.events:
        told.setdefault((event.deal_id, getattr(event, "group_id", None)), []).append(_event_json(event))
    return [
        {
            "deal_id": deal_id,
            "group_id": group_id,
            "version": world.groups[group_id].version if group_id else world.deals[deal_id].version,
            "events": events,
            "at": now,
        }
        for (deal_id, group_id), events in told.items()
    ]


def _event_json(event: Event) -> msgspec.Raw:
    match event:  # personal data lives in one place each, where it can be erased
        case PlaceReserved() if event.address is not None or event.display_name is not None:
            event = replace(event, address=None, display_name=None)
        case ParticipantJoined() if event.display_name is not None:
            event = replace(event, display_name=None)
    return msgspec.Raw(b'{"type":"%b",%b' % (type(event).__name__.encode(), _encode(event)[1:]))
