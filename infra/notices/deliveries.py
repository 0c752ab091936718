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
from infra.notices.leasing import Leased, lease
from infra.notices.told import NoticeRow

LEASE_S: Final = 60.0
ERROR_CHARACTERS_MAX: Final = 300
CLAIMS_MAX: Final = 10
"""Of a hot group whole claims may hold nothing that anybody still needs: so many are ended in one go."""

_OURS: Final = """
  FROM unnest(CAST(:notice_ids AS uuid[])) AS mine (notice_id)
  WHERE d.notice_id = mine.notice_id AND d.channel = :channel AND d.target = :target AND d.state = 'pending'
    AND d.due_at = :lease"""
_END: Final = text(f"""
  UPDATE deliveries d SET state = :state, ended_at = clock_timestamp(), last_error = :error
  {_OURS} AND d.attempts >= :attempts_min""")  # noqa: S608 - constants
_LATER: Final = text(f"""
  UPDATE deliveries d SET due_at = now() + make_interval(secs => :rest_s), last_error = :error,
    attempts = d.attempts - :untried {_OURS}""")  # noqa: S608 - constants
_FORGET_DEVICE: Final = text("""
  DELETE FROM devices WHERE account_id = :account_id AND id = :target AND push_token = :push_token
    AND seen_at <= :known_at""")
_IS_ANY_DUE: Final = text("""
  SELECT EXISTS (SELECT FROM deliveries WHERE state = 'pending' AND channel = :channel AND due_at <= now())""")
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


async def claim(connection: AsyncConnection, limit: int, channels: Iterable[Channel] = Channel) -> list[Parcel]:
    """Parcels for up to `limit` targets of each channel that are due, the longest due first.

    What nobody needs any more is ended. The caller commits before it sends anything.
    """
    return [parcel for channel in channels for parcel in await _claim_of(connection, channel, limit)]


async def is_any_due(connection: AsyncConnection, channel: Channel) -> bool:
    """Whether there is more to claim now: what a claim found may all have been of no use any more."""
    return bool((await connection.execute(_IS_ANY_DUE, {"channel": channel})).scalar_one())


async def _claim_of(connection: AsyncConnection, channel: Channel, limit: int) -> list[Parcel]:
    for _ in range(CLAIMS_MAX):
        leased = await lease(connection, channel, limit, LEASE_S)
        if leased.rows or not leased.is_any:
            return await _parcels(connection, leased.rows)
    return []


async def _parcels(connection: AsyncConnection, rows: Sequence[Leased]) -> list[Parcel]:
    by_target: dict[tuple[Channel, UUID], list[Leased]] = {}
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


def _parcel(rows: Sequence[Leased], unread: dict[UUID, int]) -> Parcel:
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
