"""A merchant's API keys, for its own systems."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from api.access import caller_of, merchant_of
from api.answers import PRIVATE, Answer, NothingToSay, answered
from api.bodies import read_json
from api.deeds import deed_of
from api.requests import AnyRequest, path_id, runtime_of
from api.rights import lock_for
from api.routing import route
from domain.identity.merchant import (
    KEY_LIFETIME_MAX_S,
    KEY_LIFETIME_MIN_S,
    KEY_NAME_CHARACTERS_MAX,
    KeyTerms,
    read_scopes,
)
from domain.identity.permissions import KEYS_MAY
from infra.identity.api_keys import make_key, revoke_key
from infra.identity.audit import Thing, ThingKind, record
from infra.reading.api_keys import ApiKeyView, list_keys

NOT_STORED: Final = ((b"cache-control", b"no-store"),)

_Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": KEY_NAME_CHARACTERS_MAX})]
_Scope = Annotated[str, Meta(extra_json_schema={"enum": sorted(KEYS_MAY)})]
_Scopes = Annotated[list[_Scope], Meta(max_length=len(KEYS_MAY), extra_json_schema={"minItems": 1})]
_Lifetime = Annotated[int, Meta(extra_json_schema={"minimum": KEY_LIFETIME_MIN_S, "maximum": KEY_LIFETIME_MAX_S})]


class ApiKeyBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the key is for, what it may do, and for how many seconds; left out: until it is revoked."""

    name: _Name
    scopes: _Scopes
    expires_in_s: _Lifetime | None = None


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, shown this once: send it as `Authorization: Bearer <key>`."""

    id: UUID
    name: str
    prefix: str
    key: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None


class ApiKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Keys, those that are not revoked first, newest first."""

    items: list[ApiKeyView]


_key_body: Final = msgspec.json.Decoder(ApiKeyBody)


@route("POST", "/v1/merchants/{merchant_id}/api-keys")
async def make_api_key(request: AnyRequest) -> Answer:
    body = await read_json(request, _key_body)
    terms = KeyTerms(name=body.name, scopes=read_scopes(body.scopes), lifetime_s=body.expires_in_s)
    merchant_id, deed = merchant_of(request), deed_of(request, "api_key.make")
    async with runtime_of(request).engine.begin() as connection:
        await lock_for(request, connection, deed, merchant_id)
        made = await make_key(connection, merchant_id, terms, caller_of(request).subject)
        told = {"prefix": made.prefix, "scopes": sorted(terms.scopes)}
        await record(connection, deed, Thing(ThingKind.API_KEY, made.id, merchant_id), None, told)
    shown = NewApiKey(
        id=made.id,
        name=terms.name,
        prefix=made.prefix,
        key=made.key,
        scopes=sorted(terms.scopes),
        created_at=made.created_at,
        expires_at=made.expires_at,
    )
    return answered(shown, 201, NOT_STORED)


@route("GET", "/v1/merchants/{merchant_id}/api-keys")
async def api_keys(request: AnyRequest) -> Answer:
    items = await list_keys(runtime_of(request).engine, merchant_of(request))
    return answered(ApiKeys(items=items), headers=PRIVATE)


@route("DELETE", "/v1/merchants/{merchant_id}/api-keys/{key_id}")
async def revoke_api_key(request: AnyRequest) -> Answer:
    runtime, key_id = runtime_of(request), path_id(request, "key_id")
    merchant_id, deed = merchant_of(request), deed_of(request, "api_key.revoke")
    async with runtime.engine.begin() as connection:
        await lock_for(request, connection, deed, merchant_id)
        gone = await revoke_key(connection, merchant_id, key_id)
        await record(connection, deed, Thing(ThingKind.API_KEY, key_id, merchant_id), {"prefix": gone.prefix}, None)
    runtime.revocations.learn(gone.revoked)
    return NothingToSay()
