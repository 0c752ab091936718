"""Leasing what is due to be sent, and looking once more at whether, and when, it is still to be.

What waited for the end of quiet hours, or for a service to come back, may be of no use any more: its group has closed,
it was paid, nobody wants it. And whoever has quiet hours now did perhaps not have them when it was written down.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.notices.kinds import Channel, Kind
from infra.notices.choices import choices_in
from infra.notices.kinds_sql import KINDS_OF_OPEN_GROUPS
from infra.notices.told import NOTICE_JSON, NoticeRow

GATHERED_AHEAD_S: Final = 10.0
"""What is due so soon for the same target comes with it."""
NOTICES_PER_PARCEL_MAX: Final = 20

# Rows that somebody else is sending are locked only while they claim them; after that their lease is in `due_at`.
_CLAIM: Final = text(f"""
WITH due AS MATERIALIZED (
  SELECT target, channel FROM deliveries WHERE state = 'pending' AND channel = :channel AND due_at <= now()
  ORDER BY due_at LIMIT :targets_max
), targets AS (SELECT DISTINCT target, channel FROM due),
claimed AS MATERIALIZED (
  SELECT found.* FROM targets CROSS JOIN LATERAL (
    SELECT notice_id, channel, target FROM deliveries d
    WHERE d.state = 'pending' AND d.target = targets.target AND d.channel = targets.channel
      AND d.due_at <= now() + make_interval(secs => :ahead_s)
    ORDER BY d.due_at LIMIT :notices_max FOR NO KEY UPDATE SKIP LOCKED) found
), leased AS (
  UPDATE deliveries d SET due_at = now() + make_interval(secs => :lease_s), attempts = d.attempts + 1 FROM claimed c
  WHERE d.notice_id = c.notice_id AND d.channel = c.channel AND d.target = c.target
  RETURNING d.notice_id, d.channel, d.target, d.due_at, d.attempts
)
SELECT coalesce(json_agg(json_build_object(
  'target', l.target, 'channel', l.channel, 'lease', l.due_at, 'attempts', l.attempts,
  'account_id', whose.id, 'locale', whose.locale, 'platform', device.platform, 'push_token', device.push_token,
  'address', (SELECT subject FROM identities WHERE account_id = whose.id AND provider = 'email'),
  'choices', whose.notifications::text,
  'is_moot', n.read_at IS NOT NULL OR coalesce(n.useful_until <= now(), false)
    OR (l.channel = 'push' AND device.id IS NULL) OR whose.status NOT IN ('guest', 'full')
    OR (n.kind IN {KINDS_OF_OPEN_GROUPS} AND NOT EXISTS (
      SELECT FROM groups g JOIN participants p ON p.deal_id = g.deal_id AND p.group_id = g.id
      WHERE g.deal_id = n.deal_id AND g.id = n.group_id AND g.status = 'open' AND p.shopper_id = ANY(ARRAY(
        SELECT whose.id UNION ALL SELECT id FROM accounts WHERE merged_into = whose.id))))
    OR (n.kind = '{Kind.PAYMENT_NEEDED}' AND NOT EXISTS (
      SELECT FROM payments p WHERE p.deal_id = n.deal_id AND p.order_id = n.order_id AND p.status = 'awaiting')),
  'notice', {NOTICE_JSON}) ORDER BY n.at, n.id), '[]')::text
FROM leased l JOIN notices n ON n.id = l.notice_id
JOIN accounts told ON told.id = n.account_id
JOIN accounts whose ON whose.id = coalesce(told.merged_into, told.id)
LEFT JOIN devices device ON l.channel = 'push' AND device.id = l.target AND device.account_id = whose.id""")  # noqa: S608 - a constant
_END_MOOT: Final = text("""
  UPDATE deliveries d SET state = 'moot', ended_at = clock_timestamp()
  FROM unnest(CAST(:notice_ids AS uuid[]), CAST(:channels AS text[]), CAST(:targets AS uuid[]))
    AS moot (notice_id, channel, target)
  WHERE d.notice_id = moot.notice_id AND d.channel = moot.channel AND d.target = moot.target AND d.state = 'pending'""")
_PUT_OFF: Final = text("""
  UPDATE deliveries d SET due_at = new.due_at, attempts = d.attempts - 1
  FROM unnest(CAST(:notice_ids AS uuid[]), CAST(:channels AS text[]), CAST(:targets AS uuid[]),
    CAST(:due_ats AS timestamptz[])) AS new (notice_id, channel, target, due_at)
  WHERE d.notice_id = new.notice_id AND d.channel = new.channel AND d.target = new.target AND d.state = 'pending'""")


class Leased(msgspec.Struct, frozen=True):
    """A notice for a target, ours until `lease`; `attempts` counts this one too."""

    target: UUID
    channel: Channel
    lease: datetime
    attempts: int
    account_id: UUID
    locale: str | None
    platform: str | None
    push_token: str | None
    address: str | None
    choices: str
    is_moot: bool
    notice: NoticeRow

    def due(self, now: datetime) -> datetime | None:
        """When it is to be sent: now, or when quiet hours are over; None where nobody needs it any more."""
        if self.is_moot or (self.channel is Channel.EMAIL and self.address is None):
            return None
        return choices_in(self.choices).due(self.notice.kind, self.channel, now)


_decode: Final = msgspec.json.Decoder(list[Leased]).decode


class Lease(NamedTuple):
    """What is to be sent of a lease, and whether there was anything due at all."""

    rows: list[Leased]
    is_any: bool


async def lease(connection: AsyncConnection, channel: Channel, targets_max: int, lease_s: float) -> Lease:
    """Lease all that is due for so many targets, the longest due first; what is not to be sent now is taken out."""
    asked = {
        "channel": channel,
        "targets_max": targets_max,
        "notices_max": NOTICES_PER_PARCEL_MAX,
        "ahead_s": GATHERED_AHEAD_S,
        "lease_s": lease_s,
    }
    rows = _decode((await connection.execute(_CLAIM, asked)).scalar_one())
    if not rows:
        return Lease([], is_any=False)
    now = rows[0].lease - timedelta(seconds=lease_s)
    due = [(row, row.due(now)) for row in rows]
    if moot := [row for row, at in due if at is None]:
        await connection.execute(_END_MOOT, _keys(moot))
    if waiting := [(row, at) for row, at in due if at is not None and at > now]:
        put_off = _keys([row for row, _ in waiting]) | {"due_ats": [at for _, at in waiting]}
        await connection.execute(_PUT_OFF, put_off)
    return Lease([row for row, at in due if at == now], is_any=True)


def _keys(rows: Sequence[Leased]) -> dict[str, object]:
    return {
        "notice_ids": [row.notice.id for row in rows],
        "channels": [row.channel for row in rows],
        "targets": [row.target for row in rows],
    }
