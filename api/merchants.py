"""Merchants: applying to be one, and what one says of itself."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.access import caller_if_known, caller_of, may_for, merchant_of
from api.answers import PRIVATE, Answer, answered, encode, resource
from api.bodies import read_json
from api.deeds import deed_of
from api.refused import AccountNotFound, FullAccountNeeded
from api.requests import AnyRequest, path_id, runtime_of
from api.rights import lock_for
from api.routing import route
from domain.identity.errors import MerchantNotFound
from domain.identity.merchant import (
    ABOUT_CHARACTERS_MAX,
    CONTACT_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    Profile,
)
from domain.identity.permissions import Permission, Standing
from infra.identity.accounts import hold_account
from infra.identity.audit import Thing, ThingKind, record
from infra.identity.merchants import Merchant, apply, change_profile
from infra.reading.merchants import MerchantRow, get_merchant

_Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": NAME_CHARACTERS_MAX})]
_Contact = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": CONTACT_CHARACTERS_MAX})]
_Country = Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Z]{2}$"})]
_About = Annotated[str, Meta(extra_json_schema={"maxLength": ABOUT_CHARACTERS_MAX})]


class ApplicationBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Who wants to sell here; `contact` is how the platform reaches them, `country` is ISO 3166-1 alpha-2."""

    name: _Name
    contact: _Contact
    country: _Country | None = None
    about: _About = ""


class MerchantBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is to change; fields left out stay as they are."""

    name: _Name | UnsetType = UNSET
    contact: _Contact | UnsetType = UNSET
    country: _Country | UnsetType | None = UNSET
    about: _About | UnsetType = UNSET


class MerchantFile(msgspec.Struct, frozen=True, kw_only=True):
    """What only the merchant's staff and the platform see; `standing_reason` is the platform's last word on it."""

    contact: str
    country: str | None
    about: str
    standing: Standing
    standing_reason: str | None
    applied_at: datetime
    decided_at: datetime | None
    version: int


class MerchantView(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant; `file` is null to whoever does not work there."""

    id: UUID
    name: str
    file: MerchantFile | None


_application_body: Final = msgspec.json.Decoder(ApplicationBody)
_merchant_body: Final = msgspec.json.Decoder(MerchantBody)
_SEEN: Final = frozenset({Standing.APPROVED, Standing.SUSPENDED})
"""Whose name anyone sees, or has seen."""


@route("POST", "/v1/merchants")
async def apply_as_merchant(request: AnyRequest) -> Answer:
    """Whoever applies is the owner at once; the next access token says so."""
    body = await read_json(request, _application_body)
    profile = Profile(name=body.name, contact=body.contact, country=body.country, about=body.about)
    runtime, account_id = runtime_of(request), caller_of(request).subject
    async with runtime.engine.begin() as connection:
        status = await hold_account(connection, account_id)
        if status is None:
            raise AccountNotFound
        if status == "guest":
            raise FullAccountNeeded
        applied = await apply(connection, account_id, profile)
        if applied.is_new:
            thing = Thing(ThingKind.MERCHANT, applied.merchant_id, applied.merchant_id)
            await record(connection, deed_of(request, "merchant.apply"), thing, None, {"country": profile.country})
    runtime.revocations.learn(applied.revoked)
    view = await _own(request, applied.merchant_id)
    if not applied.is_new:
        return answered(view, headers=PRIVATE)
    return answered(view, 201, ((b"location", f"/v1/merchants/{view.id}".encode()), *PRIVATE))


@route("GET", "/v1/merchants/{merchant_id}")
async def read_merchant(request: AnyRequest) -> Answer:
    """Anyone sees the name of a merchant who may sell; its staff see all, whatever its standing."""
    merchant_id = path_id(request, "merchant_id")
    row = await get_merchant(runtime_of(request).engine, merchant_id)
    is_own = may_for(caller_if_known(request), merchant_id, Permission.MERCHANT_READ)
    if row is None or not (is_own or row.standing is Standing.APPROVED):
        raise MerchantNotFound(merchant_id)
    view = _view(row) if is_own else MerchantView(id=row.id, name=row.name, file=None)
    return resource(request, encode(view), row.version, is_private=True)


@route("PATCH", "/v1/merchants/{merchant_id}")
async def change_merchant(request: AnyRequest) -> Answer:
    body = await read_json(request, _merchant_body)
    merchant_id, deed = merchant_of(request), deed_of(request, "merchant.change")
    async with runtime_of(request).engine.begin() as connection:
        merchant = await lock_for(request, connection, deed, merchant_id)
        profile = Profile(**merchant.said | msgspec.to_builtins(body))
        if asdict(profile) != merchant.said:
            await change_profile(connection, merchant_id, profile)
            thing = Thing(ThingKind.MERCHANT, merchant_id, merchant_id)
            await record(connection, deed, thing, *_told(merchant, asdict(profile)))
    return answered(await _own(request, merchant_id), headers=PRIVATE)


async def _own(request: AnyRequest, merchant_id: UUID) -> MerchantView:
    row = await get_merchant(runtime_of(request).engine, merchant_id)
    if row is None:
        raise MerchantNotFound(merchant_id)
    return _view(row)


def _told(merchant: Merchant, after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of a change the audit log keeps for ever: the country, and the name once anyone has seen it.

    Of all else that people write it says only that it is different: it may be about them, and theirs to take away.
    """
    before = merchant.said
    public = {"country", "name"} if merchant.standing in _SEEN else {"country"}
    rewritten = sorted(name for name in after if name not in public and after[name] != before[name])
    told = {name: after[name] for name in public} | ({"rewritten": rewritten} if rewritten else {})
    return {name: before[name] for name in public}, told


def _view(row: MerchantRow) -> MerchantView:
    of_file = {name: value for name, value in msgspec.structs.asdict(row).items() if name not in {"id", "name"}}
    return MerchantView(id=row.id, name=row.name, file=MerchantFile(**of_file))
