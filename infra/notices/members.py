"""The people of one chunk of places: who they are now, where they can be reached, and what they were told last."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.notices.kinds import Channel
from infra.notices.choices import KeptChoices, choices_in
from infra.notices.kinds_sql import KINDS_OF_PAYMENTS
from infra.statement import json_text

# A telling goes through the places of its group in the order of their numbers; one of an order is for its shopper.
_CHUNK: Final = text(f"""
WITH claimed AS (
  SELECT * FROM json_to_recordset(CAST(:claimed AS json)) AS c (
    id bigint, kind text, about uuid, deal_id uuid, group_id uuid, order_id uuid, numbers_max int, told_through int,
    passed int, places_max int)
), chunk AS MATERIALIZED (
  SELECT c.id, c.kind, c.about, place.*, c.passed + row_number() OVER (PARTITION BY c.id ORDER BY number) AS rank
  FROM claimed c CROSS JOIN LATERAL (
    SELECT shopper_id, order_id, quantity, number, dropped_at FROM participants p
    WHERE c.order_id IS NULL AND p.group_id = c.group_id AND p.number > c.told_through AND p.number <= c.numbers_max
    ORDER BY p.number LIMIT c.places_max) place
  UNION ALL
  SELECT c.id, c.kind, c.about, p.shopper_id, p.order_id, p.quantity, 1, NULL, 1
  FROM claimed c JOIN payments p ON p.deal_id = c.deal_id AND p.order_id = c.order_id
)
SELECT false AS is_member, json_build_object(
  'telling_id', id, 'told_through', max(number), 'places', count(*))::text AS document
FROM chunk GROUP BY id
UNION ALL
SELECT true, json_build_object(
  'telling_id', chunk.id, 'number', chunk.number, 'rank', chunk.rank, 'quantity', chunk.quantity,
  'order_id', chunk.order_id, 'is_dropped', chunk.dropped_at IS NOT NULL, 'account_id', whose.id,
  'choices', whose.notifications::text,
  'devices', ARRAY(SELECT id FROM devices WHERE account_id = whose.id AND platform IN ('ios', 'android')),
  'has_address', EXISTS (SELECT FROM identities WHERE account_id = whose.id AND provider = 'email'),
  'last', (SELECT json_build_object('is_read', read_at IS NOT NULL, 'facts', facts) FROM notices n
    WHERE chunk.kind = 'joined' AND n.account_id = whose.id AND n.about = chunk.about AND n.kind = chunk.kind
    ORDER BY n.stage DESC LIMIT 1),
  'payment', (SELECT json_build_object('amount_minor', hold_minor, 'pay_by', pay_by, 'status', status,
      'is_late', late_at IS NOT NULL,
      'is_tried_again', EXISTS (SELECT FROM payments other WHERE other.deal_id = p.deal_id
        AND other.shopper_id = p.shopper_id AND other.created_at > p.created_at
        AND other.status IN ('awaiting', 'held', 'captured')))
    FROM payments p WHERE chunk.kind IN {KINDS_OF_PAYMENTS} AND p.order_id = chunk.order_id))::text
FROM chunk JOIN accounts asked ON asked.id = chunk.shopper_id
JOIN accounts whose ON whose.id = coalesce(asked.merged_into, asked.id) AND whose.status IN ('guest', 'full')""")  # noqa: S608 - a constant


class LastCount(msgspec.Struct, frozen=True):
    """What of a notice's facts says how many there were."""

    participants_before: int | None = None
    standing: "LastStanding | None" = None


class LastStanding(msgspec.Struct, frozen=True):
    """What of a standing does."""

    participants: int = 0


class LastTold(msgspec.Struct, frozen=True):
    """The last notice of the same."""

    is_read: bool
    facts: LastCount

    @property
    def participants_before(self) -> int:
        """How many the person knows of: those of the last notice they read."""
        if self.is_read:
            return self.facts.standing.participants if self.facts.standing else 0
        return self.facts.participants_before or 0


class PaymentNow(msgspec.Struct, frozen=True):
    """How a payment stands; `is_late`: it came when it was no longer waited for.

    `is_tried_again`: its shopper has made another for the same deal since, which is awaited or came.
    """

    amount_minor: int
    pay_by: datetime
    status: str
    is_late: bool
    is_tried_again: bool


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A place and its person; `rank` counts the places of the group in the order of joining."""

    telling_id: int
    number: int
    rank: int
    quantity: int
    order_id: UUID
    is_dropped: bool
    account_id: UUID
    choices: str
    devices: list[UUID]
    has_address: bool
    last: LastTold | None
    payment: PaymentNow | None

    def targets(self) -> list[tuple[Channel, UUID]]:
        """Where notices can be sent."""
        letters = [(Channel.EMAIL, self.account_id)] if self.has_address else []
        return [*((Channel.PUSH, device_id) for device_id in self.devices), *letters]

    def kept_choices(self) -> KeptChoices:
        return choices_in(self.choices)


class Passed(msgspec.Struct, frozen=True):
    """How many places a chunk has of a telling, and the last of them."""

    telling_id: int
    told_through: int
    places: int


class Chunk(NamedTuple):
    """The next places: of every telling how far they go, and those behind whom there is an account."""

    passed: dict[int, Passed]
    members: list[Member]


_decode: Final = msgspec.json.Decoder(Member).decode
_decode_passed: Final = msgspec.json.Decoder(Passed).decode


async def read_chunk(connection: AsyncConnection, claimed: Sequence[object]) -> Chunk:
    """The next places of each telling."""
    rows = (await connection.execute(_CHUNK, {"claimed": json_text(claimed)})).all()
    passed = [_decode_passed(document) for is_member, document in rows if not is_member]
    members = [_decode(document) for is_member, document in rows if is_member]
    members.sort(key=lambda member: (member.telling_id, member.number))
    return Chunk({one.telling_id: one for one in passed}, members)
