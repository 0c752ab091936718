"""Accounts: persons, and devices whose person is not known yet, found by what proves who they are."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.ids import new_id

_FIND = text("SELECT account_id FROM identities WHERE provider = :provider AND subject = :subject")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:provider || ' ' || :subject, 0))")
_OPEN = text("INSERT INTO accounts (id, status, display_name, locale) VALUES (:id, :status, :display_name, :locale)")
_LINK = text("INSERT INTO identities (provider, subject, account_id) VALUES (:provider, :subject, :account_id)")
_GROW = text("""
  UPDATE accounts SET status = 'full', display_name = coalesce(display_name, :display_name), version = version + 1
  WHERE id = :id AND status = 'guest'""")
_READ = text("SELECT id, status, display_name, is_admin FROM accounts WHERE id = :id AND status <> 'deleted'")


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
    """An account that can sign in."""

    id: UUID
    status: str
    display_name: str | None
    is_admin: bool

    @property
    def is_guest(self) -> bool:
        return self.status == "guest"


class Found(NamedTuple):
    """The account that a proof leads to, and whether it is new."""

    account: Account
    is_new: bool


async def account_for(
    connection: AsyncConnection, proof: Proof, *, guest: Account | None = None, display_name: str | None = None
) -> Found:
    """The account of a proof: the one that has it, else the guest's, a full one from now on, else a new one."""
    named = proof._asdict()
    await connection.execute(_LOCK, named)
    account_id = (await connection.execute(_FIND, named)).scalar_one_or_none()
    if account_id is not None:
        return Found(await _read(connection, account_id), is_new=False)
    if guest is not None and guest.is_guest:
        account_id = guest.id
        await connection.execute(_GROW, {"id": account_id, "display_name": display_name})
    else:
        account_id = new_id()
        opening = {"id": account_id, "status": "full", "display_name": display_name, "locale": None}
        await connection.execute(_OPEN, opening)
    await connection.execute(_LINK, named | {"account_id": account_id})
    return Found(await _read(connection, account_id), is_new=True)


async def open_guest(connection: AsyncConnection) -> Account:
    """A new account of a device."""
    account_id = new_id()
    await connection.execute(_OPEN, {"id": account_id, "status": "guest", "display_name": None, "locale": None})
    return await _read(connection, account_id)


async def find_account(connection: AsyncConnection, account_id: UUID) -> Account | None:
    """An account that has not been deleted."""
    row = (await connection.execute(_READ, {"id": account_id})).one_or_none()
    return None if row is None else Account(*row)


async def _read(connection: AsyncConnection, account_id: UUID) -> Account:
    found = await find_account(connection, account_id)
    assert found is not None, "its identity would have gone with it"
    return found
