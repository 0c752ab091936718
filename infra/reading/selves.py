"""What somebody has under other ids: those of guests who turned out to be this person (docs/decisions/0019).

What stands under such an id only ever becomes less, as nobody can act as that guest any more; so what is read here
before a command is decided is at most too much by what was given up meanwhile.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.fetching import fetch_json
from infra.sharing.lines import lines_from

SELVES: Final = """(
  SELECT CAST(:shopper_id AS uuid) AS id
  UNION ALL
  SELECT id FROM accounts WHERE merged_into = CAST(:shopper_id AS uuid))"""
"""Every id of somebody's, their own among them."""

_LINE: Final = lines_from(
    "SELECT code FROM invites JOIN asked USING (deal_id) WHERE code = :invite_code", "= CAST(:group_id AS uuid)"
)
_STANDING = text(f"""
WITH selves AS {SELVES},
asked AS (
  SELECT coalesce(CAST(:deal_id AS uuid), (SELECT deal_id FROM groups WHERE id = CAST(:group_id AS uuid))) AS deal_id),
had AS (
  SELECT p.shopper_id, p.group_id,
    CASE WHEN g.status IN ('open', 'succeeded') AND p.dropped_at IS NULL THEN p.quantity ELSE 0 END AS units
  FROM asked CROSS JOIN selves
  JOIN participants p ON p.deal_id = asked.deal_id AND p.shopper_id = selves.id
  JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
  UNION ALL
  SELECT p.shopper_id, p.group_id, p.quantity FROM asked CROSS JOIN selves
  JOIN payments p ON p.deal_id = asked.deal_id AND p.shopper_id = selves.id AND p.holds_units)
SELECT json_build_object(
  'in_group', (SELECT shopper_id FROM had WHERE group_id = CAST(:group_id AS uuid)
    ORDER BY shopper_id <> CAST(:shopper_id AS uuid), shopper_id LIMIT 1),
  'units', (SELECT coalesce(json_object_agg(shopper_id, units), '{{}}') FROM (
    SELECT shopper_id, sum(units) AS units FROM had GROUP BY shopper_id) of_each),
  'comes_round', (WITH {_LINE} SELECT EXISTS (SELECT FROM line WHERE sharer_id IN (SELECT id FROM selves))))::text""")  # noqa: S608 - constants
_PAST = text(f"""
WITH selves AS {SELVES}
SELECT coalesce((SELECT shopper_id FROM (
    SELECT shopper_id, 1 AS rank FROM groups g JOIN participants p ON p.deal_id = g.deal_id AND p.group_id = g.id
    WHERE g.id = CAST(:group_id AS uuid) AND shopper_id IN (SELECT id FROM selves)
    UNION ALL
    SELECT shopper_id, 2 FROM payments
    WHERE shopper_id IN (SELECT id FROM selves) AND group_id = CAST(:group_id AS uuid)) had
  ORDER BY rank, shopper_id <> CAST(:shopper_id AS uuid), shopper_id LIMIT 1), CAST(:shopper_id AS uuid))::text""")  # noqa: S608 - as above
_SHARER = text(f"""
WITH selves AS {SELVES}
SELECT coalesce((SELECT sharer_id FROM invites
  WHERE group_id = CAST(:group_id AS uuid) AND channel = :channel AND revoked_at IS NULL
    AND sharer_id IN (SELECT id FROM selves)
  ORDER BY sharer_id <> CAST(:shopper_id AS uuid), sharer_id LIMIT 1)::text, '')""")  # noqa: S608 - as above
_KEY_OWNER = text(f"""
SELECT coalesce((SELECT subject_id FROM idempotency_keys
  WHERE key = :key AND subject_id IN (SELECT id FROM {SELVES} selves)
  ORDER BY subject_id <> CAST(:shopper_id AS uuid), subject_id LIMIT 1), CAST(:shopper_id AS uuid))::text""")  # noqa: S608 - as above
_IS_SELF = text("""
SELECT EXISTS (
  SELECT FROM accounts WHERE id = CAST(:other_id AS uuid) AND merged_into = CAST(:shopper_id AS uuid))::text""")


class Standing(msgspec.Struct, frozen=True):
    """What somebody has of a deal, by id, and the id under which they are in a group, if they are.

    `comes_round`: the invite asked about is theirs, or of somebody they brought.
    """

    in_group: UUID | None
    units: Mapping[UUID, int]
    comes_round: bool


_decode = msgspec.json.Decoder(Standing).decode


async def find_standing(
    engine: AsyncEngine, shopper_id: UUID, deal_id: UUID | None, group_id: UUID | None, invite_code: str | None
) -> Standing:
    """How somebody stands in a deal, or in that of a group, and in whose line an invite is; raises `Unavailable`."""
    asked = {"shopper_id": shopper_id, "deal_id": deal_id, "group_id": group_id, "invite_code": invite_code}
    return _decode(await fetch_json(engine, _STANDING, asked))


async def find_past_self(engine: AsyncEngine, shopper_id: UUID, group_id: UUID) -> UUID:
    """The id under which somebody has, or had, a place in a group; their own where none is."""
    return UUID(await fetch_json(engine, _PAST, {"shopper_id": shopper_id, "group_id": group_id}))


async def find_sharer(engine: AsyncEngine, shopper_id: UUID, group_id: UUID, channel: str) -> UUID | None:
    """The id under which somebody has shared a group over a channel already."""
    found = await fetch_json(engine, _SHARER, {"shopper_id": shopper_id, "group_id": group_id, "channel": channel})
    return UUID(found) if found else None


async def find_key_owner(engine: AsyncEngine, shopper_id: UUID, key: str) -> UUID:
    """The id under which somebody has used an idempotency key; their own where none is."""
    return UUID(await fetch_json(engine, _KEY_OWNER, {"shopper_id": shopper_id, "key": key}))


async def is_self(engine: AsyncEngine, shopper_id: UUID, other_id: UUID) -> bool:
    """Whether an id is that of a guest who turned out to be somebody."""
    return await fetch_json(engine, _IS_SELF, {"shopper_id": shopper_id, "other_id": other_id}) == "true"
