"""The caller's address book."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy.ext.asyncio import AsyncEngine

from api.access import caller_of
from api.answers import PRIVATE, Answer, NothingToSay, answered
from api.bodies import read_json
from api.place_body import AddressBody, as_address
from api.refused import AccountNotFound, AddressNotFound
from api.requests import AnyRequest, invalid, path_id, runtime_of
from api.routing import route
from domain.errors import FieldProblems
from domain.groupbuy.text import check_line
from infra.identity.accounts import hold_account
from infra.identity.address_book import (
    LABEL_CHARACTERS_MAX,
    Entry,
    add_address,
    change_address,
    find_entry,
    remove_address,
)
from infra.reading.belongings import AddressEntry, list_addresses

_Label = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": LABEL_CHARACTERS_MAX})]


class NewAddressBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An address for the book; `label` is what its owner calls it. The first one is the default."""

    address: AddressBody
    label: _Label | None = None
    is_default: bool = False


class EditAddressBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is to change; fields left out stay as they are. `address` is the whole of it."""

    address: AddressBody | UnsetType = UNSET
    label: _Label | UnsetType | None = UNSET
    is_default: bool | UnsetType = UNSET


class AddressBook(msgspec.Struct, frozen=True, kw_only=True):
    """All addresses, the default first."""

    items: list[AddressEntry]


_new_body: Final = msgspec.json.Decoder(NewAddressBody)
_edit_body: Final = msgspec.json.Decoder(EditAddressBody)


@route("GET", "/v1/me/addresses")
async def addresses(request: AnyRequest) -> Answer:
    items = await list_addresses(runtime_of(request).engine, caller_of(request).subject)
    return answered(AddressBook(items=items), headers=PRIVATE)


@route("POST", "/v1/me/addresses")
async def add_to_book(request: AnyRequest) -> Answer:
    """A new address; one that is in the book already under the same label is answered as it is."""
    body = await read_json(request, _new_body)
    wanted = Entry(_label(body.label), as_address(body.address), body.is_default)
    engine, account_id = runtime_of(request).engine, caller_of(request).subject
    async with engine.begin() as connection:
        if await hold_account(connection, account_id) is None:
            raise AccountNotFound
        address_id, is_new = await add_address(connection, account_id, wanted)
    return await _shown(engine, account_id, address_id, 201 if is_new else 200)


@route("PATCH", "/v1/me/addresses/{address_id}")
async def change_in_book(request: AnyRequest) -> Answer:
    address_id = path_id(request, "address_id")
    body = await read_json(request, _edit_body)
    label = body.label if body.label is UNSET else _label(body.label)
    address = body.address if body.address is UNSET else as_address(body.address)
    engine, account_id = runtime_of(request).engine, caller_of(request).subject
    async with engine.begin() as connection:
        await hold_account(connection, account_id)
        entry = await find_entry(connection, account_id, address_id)
        if entry is None:
            raise AddressNotFound(address_id)
        if body.is_default is False and entry.is_default:
            raise invalid("is_default", "must be true: make another address the default instead")
        changed = Entry(
            label=entry.label if label is UNSET else label,
            address=entry.address if address is UNSET else address,
            is_default=entry.is_default or body.is_default is True,
        )
        await change_address(connection, account_id, address_id, changed)
    return await _shown(engine, account_id, address_id, 200)


@route("DELETE", "/v1/me/addresses/{address_id}")
async def remove_from_book(request: AnyRequest) -> Answer:
    """Forget an address; orders keep the copies they have."""
    address_id, account_id = path_id(request, "address_id"), caller_of(request).subject
    async with runtime_of(request).engine.begin() as connection:
        await hold_account(connection, account_id)
        if not await remove_address(connection, account_id, address_id):
            raise AddressNotFound(address_id)
    return NothingToSay()


def _label(label: str | None) -> str | None:
    problems = FieldProblems()
    if label is not None:
        check_line(problems, "label", label, 1, LABEL_CHARACTERS_MAX)
    problems.raise_if_any()
    return label


async def _shown(engine: AsyncEngine, account_id: UUID, address_id: UUID, status: int) -> Answer:
    entries = await list_addresses(engine, account_id)
    entry = next((entry for entry in entries if entry.id == address_id), None)
    if entry is None:  # removed by another phone in this very moment
        raise AddressNotFound(address_id)
    return answered(entry, status, PRIVATE)
