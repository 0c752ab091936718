"""Signing in with Apple, Google, Facebook and WeChat, and linking several ways to sign in to one account."""

import re
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from api.access import caller_of
from api.answers import Answer, NothingToSay, encode, resource
from api.bodies import read_json
from api.recipients import Email, Phone, recipient_of
from api.refused import AccountNotFound, EvidenceUsed, WrongCode
from api.requests import AnyRequest, runtime_of
from api.routing import route
from api.sign_in import Device, Name, check_code, check_names, sign_in, signed_in
from domain.errors import FieldProblems
from infra.identity.accounts import Provider
from infra.identity.evidence import Evidence
from infra.identity.freshness import require_fresh
from infra.identity.id_tokens import NONCE_CHARACTERS_MAX, NONCE_CHARACTERS_MIN, TOKEN_CHARACTERS_MAX
from infra.identity.linking import IdentityNotFound, link, unlink
from infra.identity.wechat import CODE_CHARACTERS_MAX
from infra.reading.sessions import get_account


class OpenIdName(StrEnum):
    """Who signs people in by id_token."""

    APPLE = "apple"
    GOOGLE = "google"
    FACEBOOK = "facebook"


def _visible(characters_min: int, characters_max: int) -> Meta:
    return Meta(extra_json_schema={"pattern": "^[!-~]+$", "minLength": characters_min, "maxLength": characters_max})


IdToken = Annotated[str, _visible(1, TOKEN_CHARACTERS_MAX)]
Nonce = Annotated[str, _visible(NONCE_CHARACTERS_MIN, NONCE_CHARACTERS_MAX)]
WeChatCode = Annotated[str, _visible(1, CODE_CHARACTERS_MAX)]


class IdTokenBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the provider gave the app, and the nonce the app had asked with: itself, not its hash."""

    provider: OpenIdName
    id_token: IdToken
    nonce: Nonce
    device: Device | None = None
    display_name: Name | None = None


class WeChatBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What WeChat gave the app; `device` is what the session will be called in the list of sessions."""

    code: WeChatCode
    device: Device | None = None
    display_name: Name | None = None


class LinkBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Another way to sign in, proven as for signing in with it.

    With `phone` or `email` the `code` that was sent there; with `wechat` the `code` WeChat gave; else `id_token` and
    `nonce`.
    """

    provider: Provider
    phone: Phone | None = None
    email: Email | None = None
    code: WeChatCode | None = None
    id_token: IdToken | None = None
    nonce: Nonce | None = None


_id_token_body: Final = msgspec.json.Decoder(IdTokenBody)
_wechat_body: Final = msgspec.json.Decoder(WeChatBody)
_link_body: Final = msgspec.json.Decoder(LinkBody)
_NEEDS: Final = {
    Provider.PHONE: {"phone", "code"},
    Provider.EMAIL: {"email", "code"},
    Provider.WECHAT: {"code"},
}
_BY_ID_TOKEN: Final = frozenset({"id_token", "nonce"})


@route("POST", "/v1/sign-in/id-token")
async def sign_in_by_id_token(request: AnyRequest) -> Answer:
    body = await read_json(request, _id_token_body)
    check_names(body.device, body.display_name)
    evidence = await _by_id_token(request, Provider(body.provider), body.id_token, body.nonce)
    tokens = await sign_in(request, evidence, body.device, body.display_name)
    if tokens is None:
        raise EvidenceUsed
    return signed_in(tokens)


@route("POST", "/v1/sign-in/wechat")
async def sign_in_by_wechat(request: AnyRequest) -> Answer:
    body = await read_json(request, _wechat_body)
    check_names(body.device, body.display_name)
    evidence = await _by_wechat(request, body.code)
    tokens = await sign_in(request, evidence, body.device, body.display_name)
    if tokens is None:
        raise EvidenceUsed
    return signed_in(tokens)


@route("POST", "/v1/me/identities")
async def link_identity(request: AnyRequest) -> Answer:
    """The account as it is then; linked already is no refusal."""
    body = await read_json(request, _link_body)
    runtime, caller = runtime_of(request), caller_of(request)
    account_id, session_id = caller.subject, caller.session_id
    _check_fields(body)
    async with runtime.engine.connect() as connection:  # before the proof is looked at: some are good for once
        await require_fresh(connection, account_id, session_id)
    evidence = await _evidence(request, body)
    async with runtime.engine.begin() as connection:
        revoked = await link(connection, account_id, session_id, evidence.proofs)
        if revoked is None:
            raise AccountNotFound
        if not await evidence.use(connection):
            raise EvidenceUsed
    runtime.revocations.learn(revoked)
    account = await get_account(runtime.engine, account_id)
    if account is None:
        raise AccountNotFound
    return resource(request, encode(account), account.version, is_private=True)


@route("DELETE", "/v1/me/identities/{provider}")
async def unlink_identity(request: AnyRequest) -> Answer:
    name: str = request.scope["path_params"]["provider"]
    if name not in set(Provider):
        raise IdentityNotFound(name)
    runtime, caller = runtime_of(request), caller_of(request)
    async with runtime.engine.begin() as connection:
        revoked = await unlink(connection, caller.subject, caller.session_id, Provider(name))
    runtime.revocations.learn(revoked)
    return NothingToSay()


async def _evidence(request: AnyRequest, body: LinkBody) -> Evidence:
    if body.id_token is not None and body.nonce is not None:
        return await _by_id_token(request, body.provider, body.id_token, body.nonce)
    code = body.code or ""
    if body.provider is Provider.WECHAT:
        return await _by_wechat(request, code)
    recipient = recipient_of(body.phone, body.email)
    check_code(code)
    evidence = await runtime_of(request).sign_in.by_code(recipient, code)
    if evidence is None:
        raise WrongCode
    return evidence


async def _by_id_token(request: AnyRequest, provider: Provider, token: str, nonce: str) -> Evidence:
    problems = FieldProblems()
    _check_visible(problems, "id_token", token, 1, TOKEN_CHARACTERS_MAX)
    _check_visible(problems, "nonce", nonce, NONCE_CHARACTERS_MIN, NONCE_CHARACTERS_MAX)
    problems.raise_if_any()
    return await runtime_of(request).vouching.by_id_token(provider, token, nonce)


async def _by_wechat(request: AnyRequest, code: str) -> Evidence:
    problems = FieldProblems()
    _check_visible(problems, "code", code, 1, CODE_CHARACTERS_MAX)
    problems.raise_if_any()
    return await runtime_of(request).vouching.by_wechat(code)


def _check_fields(body: LinkBody) -> None:
    """What a provider's proof consists of is there, and nothing else is."""
    needed = _NEEDS.get(body.provider, _BY_ID_TOKEN)
    given = {name for name in ("phone", "email", "code", "id_token", "nonce") if getattr(body, name) is not None}
    problems = FieldProblems()
    for name in sorted(needed | given):
        problems.require(name in given, name, f"is required with {body.provider}")
        problems.require(name in needed, name, f"is not used with {body.provider}")
    problems.raise_if_any()


def _check_visible(problems: FieldProblems, name: str, value: str, least: int, most: int) -> None:
    fits = least <= len(value) <= most and re.fullmatch("[!-~]*", value) is not None
    problems.require(fits, name, f"must have from {least} to {most} visible ASCII characters without spaces")
