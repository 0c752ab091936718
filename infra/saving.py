"""Saving what a batch changed: one statement for everything a join touches, more only where a deal itself changed."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from domain.groupbuy.events import Event
from domain.groupbuy.group import Group
from domain.groupbuy.world import World
from infra.changes import Changes
from infra.rows import terms_column
from infra.saving_deals import save_deals
from infra.statement import Statement

Parameters = dict[str, Any]

_PARTS = {
    "opened": """
      INSERT INTO groups (deal_id, id, leader_id, terms, group_size_max, status, participants, units_by_variant,
                          next_tier_at, version, opened_at, expires_at, closed_at, closed_by)
      SELECT deal_id, id, leader_id, terms::jsonb, group_size_max, status, participants, units::jsonb,
             next_tier_at, version, opened_at, expires_at, closed_at, closed_by
      FROM unnest(CAST(:opened_deal_id AS uuid[]), CAST(:opened_id AS uuid[]), CAST(:opened_leader_id AS uuid[]),
                  CAST(:opened_terms AS text[]), CAST(:opened_group_size_max AS int[]),
                  CAST(:opened_status AS text[]), CAST(:opened_participants AS int[]), CAST(:opened_units AS text[]),
                  CAST(:opened_next_tier_at AS int[]), CAST(:opened_version AS int[]),
                  CAST(:opened_opened_at AS timestamptz[]), CAST(:opened_expires_at AS timestamptz[]),
                  CAST(:opened_closed_at AS timestamptz[]), CAST(:opened_closed_by AS text[]))
        AS new (deal_id, id, leader_id, terms, group_size_max, status, participants, units, next_tier_at, version,
                opened_at, expires_at, closed_at, closed_by)""",
    "changed": """
      UPDATE groups SET status = new.status, participants = new.participants, units_by_variant = new.units::jsonb,
             next_tier_at = new.next_tier_at, version = new.version, closed_at = new.closed_at,
             closed_by = new.closed_by
      FROM unnest(CAST(:changed_deal_id AS uuid[]), CAST(:changed_id AS uuid[]), CAST(:changed_status AS text[]),
                  CAST(:changed_participants AS int[]), CAST(:changed_units AS text[]),
                  CAST(:changed_next_tier_at AS int[]), CAST(:changed_version AS int[]),
                  CAST(:changed_closed_at AS timestamptz[]), CAST(:changed_closed_by AS text[]))
        AS new (deal_id, id, status, participants, units, next_tier_at, version, closed_at, closed_by)
      WHERE groups.deal_id = new.deal_id AND groups.id = new.id""",
    "stock": """
      UPDATE variants SET stock_left = new.stock_left
      FROM unnest(CAST(:stock_deal_id AS uuid[]), CAST(:stock_id AS uuid[]), CAST(:stock_left AS bigint[]))
        AS new (deal_id, id, stock_left)
      WHERE variants.deal_id = new.deal_id AND variants.id = new.id AND variants.stock_left <> new.stock_left""",
    "joined": """
      INSERT INTO participants (deal_id, shopper_id, group_id, variant_id, quantity, hold_minor, number, joined_at,
                                invite_code, display_name)
      SELECT * FROM unnest(
        CAST(:joined_deal_id AS uuid[]), CAST(:joined_shopper_id AS uuid[]), CAST(:joined_group_id AS uuid[]),
        CAST(:joined_variant_id AS uuid[]), CAST(:joined_quantity AS int[]), CAST(:joined_hold_minor AS bigint[]),
        CAST(:joined_number AS int[]), CAST(:joined_joined_at AS timestamptz[]),
        CAST(:joined_invite_code AS text[]), CAST(:joined_display_name AS text[]))""",
    "invited": """
      UPDATE invites SET joins = joins + new.change
      FROM unnest(CAST(:invited_code AS text[]), CAST(:invited_change AS int[])) AS new (code, change)
      WHERE invites.code = new.code""",
    "answered": """
      INSERT INTO idempotency_keys (subject_id, key, request_hash, answer, created_at)
      SELECT * FROM unnest(
        CAST(:answered_subject_id AS uuid[]), CAST(:answered_key AS text[]), CAST(:answered_request_hash AS bytea[]),
        CAST(:answered_answer AS bytea[]), CAST(:answered_created_at AS timestamptz[]))""",
    "told": """
      INSERT INTO outbox (deal_id, group_id, version, events, at)
      SELECT deal_id, group_id, version, events::json, :now
      FROM unnest(CAST(:told_deal_id AS uuid[]), CAST(:told_group_id AS uuid[]), CAST(:told_version AS int[]),
                  CAST(:told_events AS text[])) AS new (deal_id, group_id, version, events)""",
}

_DELETE_LEFT = Statement("""
  DELETE FROM participants USING unnest(
    CAST(:left_deal_id AS uuid[]), CAST(:left_shopper_id AS uuid[]), CAST(:left_group_id AS uuid[])
  ) AS gone (deal_id, shopper_id, group_id)
  WHERE participants.deal_id = gone.deal_id AND participants.shopper_id = gone.shopper_id
    AND participants.group_id = gone.group_id""")

_INSERT_INVITES = Statement("""
  INSERT INTO invites (code, deal_id, group_id, sharer_id, channel, parent_code, joins, created_at)
  SELECT code, deal_id, group_id, sharer_id, channel, parent_code, joins, :now
  FROM unnest(CAST(:code AS text[]), CAST(:deal_id AS uuid[]), CAST(:group_id AS uuid[]),
              CAST(:sharer_id AS uuid[]), CAST(:channel AS text[]), CAST(:parent_code AS text[]),
              CAST(:joins AS int[]))
    AS new (code, deal_id, group_id, sharer_id, channel, parent_code, joins)""")


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """The answer an idempotency key is to be stored with."""

    subject_id: UUID
    key: str
    request_hash: bytes
    answer: bytes


async def save(
    connection: Any,  # noqa: ANN401  asyncpg ships no types
    world: World,
    changes: Changes,
    answers: list[NewAnswer],
    now: datetime,
) -> None:
    """Write what changed, and the events, inside the caller's transaction."""
    if changes.created_deals or changes.changed_deals:
        await save_deals(connection, world, changes)
    if changes.left:
        await _DELETE_LEFT.execute(connection, _columns("left", ("deal_id", "shopper_id", "group_id"), changes.left))
    columns = _columns_by_part(world, changes, answers, now)
    if columns:
        parameters: Parameters = {"now": now} if "told" in columns else {}
        for values in columns.values():
            parameters |= values
        await _statement(tuple(columns)).execute(connection, parameters)
    if changes.invites:
        await _save_invites(connection, world, changes, now)


@cache
def _statement(parts: tuple[str, ...]) -> Statement:
    """One statement of the parts a batch needs; there are few combinations, so each is prepared once."""
    *before, last = parts
    steps = ",".join(f"{part} AS ({_PARTS[part]})" for part in before)
    return Statement(f"WITH {steps} {_PARTS[last]}" if steps else _PARTS[last])


def _columns_by_part(world: World, changes: Changes, answers: list[NewAnswer], now: datetime) -> dict[str, Parameters]:
    """The columns of each part that has rows, in the order of the parts."""
    groups = changes.groups_in(world)
    invited = [
        (code, change) for code, change in changes.invite_joins.items() if change and code not in changes.invites
    ]
    answered = [(answer.subject_id, answer.key, answer.request_hash, answer.answer, now) for answer in answers]
    columns = {
        "opened": _group_columns("opened", [group for group in groups if group.id in changes.opened_groups]),
        "changed": _group_columns("changed", [group for group in groups if group.id not in changes.opened_groups]),
        "stock": _stock_columns(world, changes),
        "joined": _joined_columns(world, changes),
        "invited": _columns("invited", ("code", "change"), invited),
        "answered": _columns("answered", ("subject_id", "key", "request_hash", "answer", "created_at"), answered),
        "told": _event_columns(world, changes),
    }
    return {part: values for part, values in columns.items() if values}


def _columns(prefix: str, names: tuple[str, ...], rows: Any) -> Parameters:  # noqa: ANN401 - any iterable of row tuples
    turned = list(zip(*rows, strict=True))
    return {f"{prefix}_{name}": list(column) for name, column in zip(names, turned, strict=True)} if turned else {}


def _group_columns(prefix: str, groups: list[Group]) -> Parameters:
    names: tuple[str, ...] = ("deal_id", "id", "status", "participants", "units", "next_tier_at", "version")
    names += ("closed_at", "closed_by")
    opened = prefix == "opened"
    if opened:
        names += ("leader_id", "terms", "group_size_max", "opened_at", "expires_at")
    rows = []
    for group in groups:
        coming = group.terms.schedule.next_tier(group.participants)
        row: tuple[object, ...] = (
            group.deal_id,
            group.id,
            group.status.value,
            group.participants,
            msgspec.json.encode(group.units_by_variant).decode(),
            coming.participants if coming else None,
            group.version,
            group.closed_at,
            group.closed_by and group.closed_by.value,
        )
        if opened:
            terms = group.terms
            row += (group.leader_id, terms_column(terms), terms.group_size_max, group.opened_at, group.expires_at)
        rows.append(row)
    return _columns(prefix, names, rows)


def _stock_columns(world: World, changes: Changes) -> Parameters:
    rows = [
        (deal_id, variant_id, stock_left)
        for deal_id in changes.stock - changes.created_deals
        for variant_id, stock_left in world.stock_left[deal_id].items()
    ]
    return _columns("stock", ("deal_id", "id", "left"), rows)


def _joined_columns(world: World, changes: Changes) -> Parameters:
    names: tuple[str, ...] = ("deal_id", "shopper_id", "group_id", "variant_id", "quantity", "hold_minor", "number")
    names += ("joined_at", "invite_code", "display_name")
    rows = [
        (
            *key,
            place.variant_id,
            place.quantity,
            place.hold_minor,
            place.number,
            place.joined_at,
            place.invite_code,
            place.display_name,
        )
        for key, place in changes.places_in(world)
    ]
    return _columns("joined", names, rows)


def _event_columns(world: World, changes: Changes) -> Parameters:
    """One row for all that happened to a group, or to a deal itself, in the order it happened."""
    told: dict[tuple[UUID, UUID | None], list[str]] = {}
    for event in changes.events:
        told.setdefault((event.deal_id, getattr(event, "group_id", None)), []).append(_event_json(event))
    rows = [
        (
            deal_id,
            group_id,
            world.groups[group_id].version if group_id else world.deals[deal_id].version,
            f"[{','.join(events)}]",
        )
        for (deal_id, group_id), events in told.items()
    ]
    return _columns("told", ("deal_id", "group_id", "version", "events"), rows)


def _event_json(event: Event) -> str:
    return f'{{"type":"{type(event).__name__}",{msgspec.json.encode(event).decode()[1:]}'


async def _save_invites(connection: Any, world: World, changes: Changes, now: datetime) -> None:  # noqa: ANN401  asyncpg ships no types
    invites = [world.invites[code] for code in changes.invites]
    parameters: Parameters = {
        "code": [invite.code for invite in invites],
        "deal_id": [invite.deal_id for invite in invites],
        "group_id": [invite.group_id for invite in invites],
        "sharer_id": [invite.sharer_id for invite in invites],
        "channel": [invite.channel for invite in invites],
        "parent_code": [invite.parent_code for invite in invites],
        "joins": [invite.joins for invite in invites],
        "now": now,
    }
    await _INSERT_INVITES.execute(connection, parameters)
