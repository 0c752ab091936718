"""Notices on their way to devices and addresses: whoever sends them claims, sends, and says what became of it.

A parcel holds all that is due for one target, so that a phone makes one noise. A claim is a lease: who dies with it
delays what it had, and it is sent again. Every answer names the lease, so that one that comes late changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.notices.kinds import Channel
from domain.sharing.language import Language, language_of
from infra.notices.told import NOTICE_JSON, NoticeRow

LEASE_S: Final = 60.0
GATHERED_AHEAD_S: Final = 10.0
"""What is due so soon for the same target comes with it."""
NOTICES_PER_PARCEL_MAX: Final = 20
ERROR_CHARACTERS_MAX: Final = 300
CLAIMS_MAX: Final = 10
"""Of a hot group whole claims may hold nothing that anybody still needs: so many are ended in one go."""

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
  'is_moot', n.read_at IS NOT NULL OR coalesce(n.useful_until <= now(), false)
    OR (l.channel = 'push' AND device.id IS NULL) OR whose.status NOT IN ('guest', 'full'),
  'notice', {NOTICE_JSON}) ORDER BY n.at, n.id), '[]')::text
FROM leased l JOIN notices n ON n.id = l.notice_id
JOIN accounts told ON told.id = n.account_id
JOIN accounts whose ON whose.id = coalesce(told.merged_into, told.id)
LEFT JOIN devices device ON l.channel = 'push' AND device.id = l.target AND device.account_id = whose.id""")  # noqa: S608 - a constant

_OURS: Final = """
  FROM unnest(CAST(:notice_ids AS uuid[])) AS mine (notice_id)
  WHERE d.notice_id = mine.notice_id AND d.channel = :channel AND d.target = :target AND d.state = 'pending'
    AND d.due_at = :lease"""
_END: Final = text(f"""
  UPDATE deliveries d SET state = :state, ended_at = clock_timestamp(), last_error = :error
  {_OURS} AND d.attempts >= :attempts_min""")  # noqa: S608 - constants
_END_MOOT: Final = text("""
  UPDATE deliveries d SET state = 'moot', ended_at = clock_timestamp()
  FROM unnest(CAST(:notice_ids AS uuid[]), CAST(:channels AS text[]), CAST(:targets AS uuid[]))
    AS moot (notice_id, channel, target)
  WHERE d.notice_id = moot.notice_id AND d.channel = moot.channel AND d.target = moot.target AND d.state = 'pending'""")
_LATER: Final = text(f"""
  UPDATE deliveries d SET due_at = now() + make_interval(secs => :rest_s), last_error = :error,
    attempts = d.attempts - :untried {_OURS}""")  # noqa: S608 - constants
_FORGET_DEVICE: Final = text("""
  DELETE FROM devices WHERE account_id = :account_id AND id = :target AND push_token = :push_token
    AND seen_at <= :known_at""")
_UNREAD: Final = text("""
  SELECT asked.id, (SELECT count(*) FROM notices WHERE read_at IS NULL AND account_id = ANY(ARRAY(
    SELECT asked.id UNION ALL SELECT id FROM accounts WHERE merged_into = asked.id)))
  FROM unnest(CAST(:ids AS uuid[])) AS asked (id)""")


class Device(msgspec.Struct, frozen=True):
    """Where to push to."""

    id: UUID
    platform: str
    push_token: str


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """All that is to be sent to one target now, the oldest first; `attempts` counts this one too.

    `device` for pushes, `address` for letters; `unread` is what stands on the app's icon.
    """

    channel: Channel
    target: UUID
    account_id: UUID
    language: Language
    device: Device | None
    address: str | None
    notices: tuple[NoticeRow, ...]
    attempts: int
    unread: int
    lease: datetime


class _Row(msgspec.Struct, frozen=True):
    target: UUID
    channel: Channel
    lease: datetime
    attempts: int
    account_id: UUID
    locale: str | None
    platform: str | None
    push_token: str | None
    address: str | None
    is_moot: bool
    notice: NoticeRow

    @property
    def is_sent(self) -> bool:
        return not self.is_moot and (self.channel is Channel.PUSH or self.address is not None)


_decode: Final = msgspec.json.Decoder(list[_Row]).decode


async def claim(connection: AsyncConnection, limit: int, channels: Iterable[Channel] = Channel) -> list[Parcel]:
    """Parcels for up to `limit` targets of each channel that are due, the longest due first.

    What nobody needs any more is ended. The caller commits before it sends anything.
    """
    return [parcel for channel in channels for parcel in await _claim_of(connection, channel, limit)]


async def _claim_of(connection: AsyncConnection, channel: Channel, limit: int) -> list[Parcel]:
    for _ in range(CLAIMS_MAX):
        rows = await _lease(connection, channel, limit)
        parcels = await _parcels(connection, [row for row in rows if row.is_sent])
        if parcels or not rows:
            return parcels
    return []


async def _lease(connection: AsyncConnection, channel: Channel, targets_max: int) -> list[_Row]:
    asked = {
        "channel": channel,
        "targets_max": targets_max,
        "notices_max": NOTICES_PER_PARCEL_MAX,
        "ahead_s": GATHERED_AHEAD_S,
        "lease_s": LEASE_S,
    }
    rows = _decode((await connection.execute(_CLAIM, asked)).scalar_one())
    moot = [row for row in rows if not row.is_sent]
    if moot:
        ended = {
            "notice_ids": [row.notice.id for row in moot],
            "channels": [row.channel for row in moot],
            "targets": [row.target for row in moot],
        }
        await connection.execute(_END_MOOT, ended)
    return rows


async def _parcels(connection: AsyncConnection, rows: Sequence[_Row]) -> list[Parcel]:
    by_target: dict[tuple[Channel, UUID], list[_Row]] = {}
    for row in rows:
        by_target.setdefault((row.channel, row.target), []).append(row)
    unread = await _unread(connection, {row.account_id for row in rows})
    return [_parcel(of_target, unread) for of_target in by_target.values()]


async def done(connection: AsyncConnection, parcel: Parcel) -> None:
    """It has been taken by whoever brings it."""
    await _end(connection, _leased(parcel), "sent")


async def later(
    connection: AsyncConnection, parcel: Parcel, rest_s: float, error: str, *, is_tried: bool = True
) -> None:
    """It could not be sent; it is due again in so many seconds. What was not even tried does not count."""
    postponed = {"rest_s": rest_s, "error": error[:ERROR_CHARACTERS_MAX], "untried": 0 if is_tried else 1}
    await connection.execute(_LATER, {**_leased(parcel), **postponed})


async def dead(connection: AsyncConnection, parcel: Parcel, error: str, *, attempts_min: int = 0) -> None:
    """It cannot be sent, now or later; or only what of it was tried so often."""
    await _end(connection, _leased(parcel), "dead", error, attempts_min)


async def device_gone(connection: AsyncConnection, parcel: Parcel, error: str, since: datetime | None = None) -> None:
    """The push service knows the token no more: nothing is pushed there again, unless the app registers it anew.

    One that the app has registered after that was found out, or after it was claimed, is kept.
    """
    await _end(connection, _leased(parcel), "dead", error)
    if parcel.device is not None:
        gone = {
            "account_id": parcel.account_id,
            "target": parcel.target,
            "push_token": parcel.device.push_token,
            "known_at": since or parcel.lease - timedelta(seconds=LEASE_S),
        }
        await connection.execute(_FORGET_DEVICE, gone)


def _parcel(rows: Sequence[_Row], unread: dict[UUID, int]) -> Parcel:
    first = rows[0]
    device = None
    if first.platform is not None and first.push_token is not None:
        device = Device(first.target, first.platform, first.push_token)
    return Parcel(
        channel=first.channel,
        target=first.target,
        account_id=first.account_id,
        language=language_of(first.locale),
        device=device,
        address=first.address if first.channel is Channel.EMAIL else None,
        notices=tuple(row.notice for row in rows),
        attempts=max(row.attempts for row in rows),
        unread=unread[first.account_id],
        lease=first.lease,
    )


async def _unread(connection: AsyncConnection, account_ids: set[UUID]) -> dict[UUID, int]:
    rows = await connection.execute(_UNREAD, {"ids": list(account_ids)})
    return {row[0]: row[1] for row in rows}


async def _end(
    connection: AsyncConnection,
    which: Mapping[str, object],
    state: str,
    error: str | None = None,
    attempts_min: int = 0,
) -> None:
    ended = {"state": state, "error": error and error[:ERROR_CHARACTERS_MAX], "attempts_min": attempts_min}
    await connection.execute(_END, {**which, **ended})


def _leased(parcel: Parcel) -> Mapping[str, object]:
    notice_ids = sorted(notice.id for notice in parcel.notices)  # the order in which they are made due again
    return {"channel": parcel.channel, "target": parcel.target, "lease": parcel.lease, "notice_ids": notice_ids}
