"""Accounts: persons, and devices whose person is not known yet, found by what proves who they are.

Locks are taken in one order, so that nobody waits for somebody who waits for them: merchants, by id; proofs, that a
sign-in or a linking looks for the owner of; accounts, by id, a person's before those of guests who become part of them;
then all else that is an account's: codes and id_tokens that are used up, sessions, addresses, devices.
"""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.ids import new_id

_OPEN = text("INSERT INTO accounts (id, status, display_name) VALUES (:id, :status, :display_name)")
_HOLD = text("SELECT status FROM accounts WHERE id = :id AND status IN ('guest', 'full') FOR NO KEY UPDATE")
_READ = text("""
  SELECT id, status, display_name, is_admin, EXISTS (SELECT FROM accounts WHERE merged_into = :id) AS has_merged
  FROM accounts WHERE id = :id AND status IN ('guest', 'full')""")


class Provider(StrEnum):
    """Who vouches for a person; for a phone number and an address it is the code sent there."""

    PHONE = "phone"
    EMAIL = "email"
    APPLE = "apple"
    GOOGLE = "google"
    FACEBOOK = "facebook"
    WECHAT = "wechat"


class Proof(NamedTuple):
    """What was proven: that the caller is this subject of a provider's."""

    provider: Provider
    subject: str


class Account(NamedTuple):
    """An account that can sign in; `has_merged` where guests turned out to be this person."""

    id: UUID
    status: str
    display_name: str | None
    is_admin: bool
    has_merged: bool

    @property
    def is_guest(self) -> bool:
        return self.status == "guest"


async def open_account(connection: AsyncConnection, status: str, display_name: str | None = None) -> UUID:
    """A new account: a `guest` is a device's, a `full` one is somebody's whose proof comes next."""
    account_id = new_id()
    await connection.execute(_OPEN, {"id": account_id, "status": status, "display_name": display_name})
    return account_id


async def hold_account(connection: AsyncConnection, account_id: UUID) -> str | None:
    """Lock an account until the transaction ends and answer its status; None where nobody can sign in to it."""
    status: str | None = (await connection.execute(_HOLD, {"id": account_id})).scalar_one_or_none()
    return status


async def find_account(connection: AsyncConnection, account_id: UUID) -> Account | None:
    """An account that can sign in."""
    row = (await connection.execute(_READ, {"id": account_id})).one_or_none()
    return None if row is None else Account(*row)


async def read_account(connection: AsyncConnection, account_id: UUID) -> Account:
    """An account that this transaction holds, or has opened."""
    found = await find_account(connection, account_id)
    assert found is not None, "it is locked"
    return found
