"""Profiles: what an account says of itself, changed by its owner alone."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.identity.accounts import hold_account
from infra.identity.revocations import Revoked, revoke
from infra.statement import json_text

_READ = text("SELECT version, display_name, avatar_url, locale, notifications FROM accounts WHERE id = :id")
_CHANGE = text("""
  UPDATE accounts SET version = version + 1, display_name = :display_name, avatar_url = :avatar_url, locale = :locale,
    notifications = CAST(:notifications AS jsonb)
  WHERE id = :id""")


class ChangedMeanwhile(Exception):  # noqa: N818 - refusals are named after what is the matter
    """A change was meant for a state that is no more."""

    def __init__(self) -> None:
        super().__init__("This has changed since you read it. Read it again, and change what you find.")


class Profile(NamedTuple):
    """What an account says of itself; `notifications` are the choices that were made."""

    display_name: str | None
    avatar_url: str | None
    locale: str | None
    notifications: Mapping[str, Any]


async def change_profile(
    connection: AsyncConnection, account_id: UUID, changes: Mapping[str, Any], version: int | None
) -> Revoked | None:
    """Change some fields of the profile; of `notifications` only the choices named.

    Access tokens with an old name count no more, so that apps get new ones: answers what is for `Revocations.learn`,
    and None where there is no account. Raises `ChangedMeanwhile` where a version is given that is not the present one.
    """
    if await hold_account(connection, account_id) is None:
        return None
    row = (await connection.execute(_READ, {"id": account_id})).one()
    if version is not None and row.version != version:
        raise ChangedMeanwhile
    before = Profile(*row[1:])
    after = before._replace(**changes)
    after = after._replace(notifications=_merged(before.notifications, after.notifications))
    if after == before:
        return {}
    values = after._asdict() | {"id": account_id, "notifications": json_text(after.notifications)}
    await connection.execute(_CHANGE, values)
    if after.display_name == before.display_name:
        return {}
    return await revoke(connection, [account_id])


def _merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The choices before, with those named after; in each kind only the ways that are named."""
    merged = dict(before)
    for name, chosen in after.items():
        had = merged.get(name)
        merged[name] = _merged(had, chosen) if isinstance(had, dict) and isinstance(chosen, dict) else chosen
    return merged
