"""The address book: where somebody has things sent. One of the addresses is the default, as long as there is any."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.groupbuy.address import Address
from infra.ids import new_id
from infra.statement import json_text

ADDRESSES_MAX = 20
LABEL_CHARACTERS_MAX = 60

_LIST = text("""
  SELECT id, label, address, is_default FROM addresses
  WHERE account_id = :account_id ORDER BY created_at, id""")
_ADD = text("""
  INSERT INTO addresses (account_id, id, label, address, is_default)
  VALUES (:account_id, :id, :label, CAST(:address AS jsonb), :is_default)""")
_CHANGE = text("""
  UPDATE addresses SET label = :label, address = CAST(:address AS jsonb), is_default = :is_default
  WHERE account_id = :account_id AND id = :id""")
_NO_DEFAULT = text("UPDATE addresses SET is_default = false WHERE account_id = :account_id AND is_default")
_REMOVE = text("DELETE FROM addresses WHERE account_id = :account_id AND id = :id RETURNING is_default")
_OLDEST_IS_DEFAULT = text("""
  UPDATE addresses SET is_default = true WHERE account_id = :account_id AND id = (
    SELECT id FROM addresses WHERE account_id = :account_id ORDER BY created_at, id LIMIT 1)""")

_MOVE = text("""
  UPDATE addresses SET account_id = :into,
    is_default = is_default AND NOT EXISTS (SELECT FROM addresses WHERE account_id = :into AND is_default)
  WHERE account_id = :guest_id AND id IN (
    SELECT id FROM addresses AS brought
    WHERE account_id = :guest_id AND NOT EXISTS (
      SELECT FROM addresses AS own WHERE own.account_id = :into
        AND own.address = brought.address AND own.label IS NOT DISTINCT FROM brought.label)
    ORDER BY created_at DESC, id DESC
    LIMIT greatest(0, :addresses_max - (SELECT count(*) FROM addresses WHERE account_id = :into)))""")
_CLEAR = text("DELETE FROM addresses WHERE account_id = :guest_id")


class TooManyAddresses(Exception):  # noqa: N818 - refusals are named after what is the matter
    """The book is full."""

    def __init__(self) -> None:
        super().__init__(f"You have {ADDRESSES_MAX} addresses, as many as there can be. Delete one first.")


class Entry(NamedTuple):
    """An address in the book, and what its owner calls it."""

    label: str | None
    address: Address
    is_default: bool


async def add_address(connection: AsyncConnection, account_id: UUID, wanted: Entry) -> tuple[UUID, bool]:
    """The id of an address, and whether it is new: one that is there already under its label is not added twice.

    The account must be locked. The first one is the default whatever is wanted. Raises `TooManyAddresses`.
    """
    listed = await _listed(connection, account_id)
    for id_, entry in listed.items():
        if entry[:2] == wanted[:2]:
            if wanted.is_default:
                await _put(connection, account_id, id_, entry._replace(is_default=True))
            return id_, False
    if len(listed) >= ADDRESSES_MAX:
        raise TooManyAddresses
    if wanted.is_default:
        await connection.execute(_NO_DEFAULT, {"account_id": account_id})
    added_id, entry = new_id(), wanted._replace(is_default=wanted.is_default or not listed)
    await connection.execute(_ADD, _values(account_id, added_id, entry))
    return added_id, True


async def find_entry(connection: AsyncConnection, account_id: UUID, address_id: UUID) -> Entry | None:
    """An address of an account, by its id."""
    return (await _listed(connection, account_id)).get(address_id)


async def change_address(connection: AsyncConnection, account_id: UUID, address_id: UUID, entry: Entry) -> None:
    """Put an entry in the place of what an address was; the account must be locked."""
    await _put(connection, account_id, address_id, entry)


async def remove_address(connection: AsyncConnection, account_id: UUID, address_id: UUID) -> bool:
    """Whether there was one to remove; after the default the oldest of the rest is it. The account must be locked."""
    was_default = (await connection.execute(_REMOVE, {"account_id": account_id, "id": address_id})).scalar_one_or_none()
    if was_default:
        await connection.execute(_OLDEST_IS_DEFAULT, {"account_id": account_id})
    return was_default is not None


async def move_addresses(connection: AsyncConnection, guest_id: UUID, into: UUID) -> None:
    """Put a guest's addresses into the book of the account they turned out to be; both are locked.

    The account's own stay, and its default; what it has none of is the guest's. As many of the guest's as there is room
    for go over, the newest first, none that is there already under its label. The rest is deleted: nobody could see it
    or delete it any more. Orders have copies of their own.
    """
    both = {"guest_id": guest_id, "into": into}
    await connection.execute(_MOVE, both | {"addresses_max": ADDRESSES_MAX})
    await connection.execute(_CLEAR, both)


async def _listed(connection: AsyncConnection, account_id: UUID) -> dict[UUID, Entry]:
    rows = await connection.execute(_LIST, {"account_id": account_id})
    return {row.id: Entry(row.label, Address(**row.address), row.is_default) for row in rows}


async def _put(connection: AsyncConnection, account_id: UUID, address_id: UUID, entry: Entry) -> None:
    if entry.is_default:
        await connection.execute(_NO_DEFAULT, {"account_id": account_id})
    await connection.execute(_CHANGE, _values(account_id, address_id, entry))


def _values(account_id: UUID, address_id: UUID, entry: Entry) -> dict[str, object]:
    named = {"account_id": account_id, "id": address_id}
    return named | {"label": entry.label, "address": json_text(entry.address), "is_default": entry.is_default}
