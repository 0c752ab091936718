"""What an account is still needed for, and what it can let go of."""

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.identity.freshness import IS_FRESH
from infra.reading.fetching import fetch_json

NEEDS_MAX: Final = 100
"""So many are told; who has dealt with them is told the rest."""
LET_GO_AT_ONCE: Final = 500
"""So many places, and so many awaited payments, are found at once; after them the next."""


class NeededFor(StrEnum):
    """Why an account cannot be deleted now."""

    GROUP_TIPPED = "group_tipped"
    GROUP_CLOSING = "group_closing"
    PAYMENT_SETTLING = "payment_settling"
    ORDER_TO_SHIP = "order_to_ship"
    REFUND_UNDER_WAY = "refund_under_way"
    ONLY_OWNER = "only_owner"


_ADVICE: Final = {
    NeededFor.GROUP_TIPPED: "The group has reached its first tier: wait until it closes and the order is shipped.",
    NeededFor.GROUP_CLOSING: "The group's time is up and its fate is being decided: try again in a few seconds.",
    NeededFor.PAYMENT_SETTLING: "The payment is being taken: try again when the order has been shipped.",
    NeededFor.ORDER_TO_SHIP: "The order has not been shipped: wait for it, or ask the merchant to cancel it.",
    NeededFor.REFUND_UNDER_WAY: "Money of this order is on its way back to you: try again when it has arrived.",
    NeededFor.ONLY_OWNER: "Nobody else owns this merchant: make another member of its staff an owner.",
}


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stands in the way, `id` being the group's, the order's or the merchant's; and what can be done."""

    kind: NeededFor
    id: UUID
    advice: str


class OwnPlace(msgspec.Struct, frozen=True):
    """A place in a group that can be left."""

    group_id: UUID
    shopper_id: UUID


class OwnPayment(msgspec.Struct, frozen=True):
    """A payment that is awaited."""

    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    order_id: UUID


class Standing(msgspec.Struct, frozen=True):
    """How an account stands: what it can let go of first, and what it is needed for.

    `status` is None where there is none.
    """

    status: str | None
    is_fresh: bool
    places: list[OwnPlace]
    awaited: list[OwnPayment]
    needed: list[tuple[NeededFor, UUID]]

    @property
    def needs(self) -> list[Need]:
        """What it is needed for, in words."""
        return [Need(kind=kind, id=id_, advice=_ADVICE[kind]) for kind, id_ in self.needed]


_STANDING = text(f"""
WITH me AS MATERIALIZED (SELECT id FROM accounts WHERE id = :account_id OR merged_into = :account_id),
paid AS MATERIALIZED (
  SELECT deal_id, group_id, shopper_id, order_id, status, left_at FROM payments
  WHERE shopper_id IN (SELECT id FROM me)),
placed AS MATERIALIZED (
  SELECT p.group_id, p.shopper_id, p.order_id,
    CASE WHEN CAST(g.terms -> 'tiers' -> 0 ->> 'participants' AS int) <= g.participants THEN 'group_tipped'
         WHEN g.expires_at <= clock_timestamp() THEN 'group_closing' END AS needed_for
  FROM participants p JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
  WHERE p.shopper_id IN (SELECT id FROM me) AND g.status = 'open'),
needed AS (
  SELECT 1 AS rank, needed_for AS kind, group_id AS id FROM placed WHERE needed_for IS NOT NULL
  UNION ALL
  SELECT 2, 'payment_settling', paid.order_id FROM paid
  LEFT JOIN groups g ON g.deal_id = paid.deal_id AND g.id = paid.group_id
  WHERE paid.status = 'held' AND paid.left_at IS NULL AND coalesce(g.status, 'succeeded') = 'succeeded'
  UNION ALL
  SELECT 3, 'order_to_ship', o.id FROM paid JOIN orders o ON o.deal_id = paid.deal_id AND o.id = paid.order_id
  WHERE o.status = 'to_ship'
  UNION ALL
  SELECT DISTINCT 4, 'refund_under_way', r.order_id FROM paid JOIN refunds r ON r.order_id = paid.order_id
  WHERE r.status <> 'done'
  UNION ALL
  SELECT 5, 'only_owner', s.merchant_id FROM staff s JOIN merchants m ON m.id = s.merchant_id
  WHERE s.account_id IN (SELECT id FROM me) AND s.role = 'owner' AND m.status IN ('approved', 'suspended')
    AND NOT EXISTS (SELECT FROM staff other WHERE other.merchant_id = s.merchant_id AND other.role = 'owner'
      AND other.account_id NOT IN (SELECT id FROM me)))
SELECT json_build_object(
  'status', (SELECT status FROM accounts WHERE id = :account_id),
  'is_fresh', {IS_FRESH},
  'places', (SELECT coalesce(json_agg(q), '[]') FROM (
    SELECT group_id, shopper_id FROM placed WHERE needed_for IS NULL
    ORDER BY group_id, shopper_id LIMIT :let_go_max) q),
  'awaited', (SELECT coalesce(json_agg(q), '[]') FROM (
    SELECT deal_id, group_id, shopper_id, order_id FROM paid WHERE status = 'awaiting'
    ORDER BY order_id LIMIT :let_go_max) q),
  'needed', (SELECT coalesce(json_agg(json_build_array(kind, id)), '[]') FROM (
    SELECT kind, id FROM needed ORDER BY rank, id LIMIT {NEEDS_MAX}) q)
)::text""")  # noqa: S608 - a constant

_decode = msgspec.json.Decoder(Standing).decode


async def read_standing(engine: AsyncEngine, account_id: UUID, session_id: UUID | None, fresh_s: int) -> Standing:
    """How an account stands now; raises `Unavailable`."""
    return _decode(await fetch_json(engine, _STANDING, _asked(account_id, session_id, fresh_s)))


async def standing_of(connection: AsyncConnection, account_id: UUID, session_id: UUID | None, fresh_s: int) -> Standing:
    """As `read_standing`, within a transaction."""
    return _decode((await connection.execute(_STANDING, _asked(account_id, session_id, fresh_s))).scalar_one())


def _asked(account_id: UUID, session_id: UUID | None, fresh_s: int) -> dict[str, object]:
    whose = {"account_id": account_id, "session_id": session_id}
    return {**whose, "fresh_s": fresh_s, "let_go_max": LET_GO_AT_ONCE}
