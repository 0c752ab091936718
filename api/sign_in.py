"""Signing in: a code sent to a phone or an address, a device as a guest, and tokens that follow from those before."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from api.access import caller_if_known
from api.answers import Answer, answered
from api.bodies import read_json
from api.client_address import is_at_home
from api.limiting import limit_recipient
from api.recipients import Email, Phone, recipient_of
from api.refused import CodeNotSent, NothingHere, RefreshTokenRefused, WrongCode
from api.requests import AnyRequest, invalid, runtime_of
from api.routing import route
from domain.errors import FieldProblems
from domain.groupbuy.text import check_line
from domain.identity.code import DIGITS
from domain.identity.profile import NAME_CHARACTERS_MAX, check_name
from infra.identity.evidence import Evidence
from infra.identity.sessions import DEVICE_CHARACTERS_MAX, Ended
from infra.identity.sign_in import Arriving, Tokens
from infra.messages.console_rules import is_inbox_for_all
from infra.messages.port import MessageNotSent
from infra.token_keys import ACCESS_LIFETIME_S

REFRESH_TOKEN_CHARACTERS_MAX: Final = 100
NOT_STORED: Final = ((b"cache-control", b"no-store"),)

Code = Annotated[str, Meta(extra_json_schema={"pattern": f"^[0-9]{{{DIGITS}}}$"})]
Device = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": DEVICE_CHARACTERS_MAX})]
Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": NAME_CHARACTERS_MAX})]


class CodeWantedBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where a code is to go: a phone number with its country code, or an e-mail address."""

    phone: Phone | None = None
    email: Email | None = None


class CodeBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A code, and where it went; `device` is what the session will be called in the list of sessions."""

    phone: Phone | None = None
    email: Email | None = None
    code: Code
    device: Device | None = None
    display_name: Name | None = None


class GuestBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A device that wants to look around and join before anybody says who they are."""

    device: Device | None = None


class RefreshBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The refresh token that came last."""

    refresh_token: Annotated[str, Meta(extra_json_schema={"maxLength": REFRESH_TOKEN_CHARACTERS_MAX})]


class CodeSent(msgspec.Struct, frozen=True, kw_only=True):
    """A code is on its way; the same for numbers that are known here and those that are not."""

    expires_in: int


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens (RFC 6749, 5.1): `access_token` is good for `expires_in` seconds, `refresh_token` once."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    account_id: UUID
    session_id: UUID
    is_guest: bool
    is_new: bool


class InboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that went to the console."""

    to: str
    text: str
    code: str
    at: datetime


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """The last messages, newest first."""

    items: list[InboxMessage]


_wanted_body: Final = msgspec.json.Decoder(CodeWantedBody)
_code_body: Final = msgspec.json.Decoder(CodeBody)
_guest_body: Final = msgspec.json.Decoder(GuestBody)
_refresh_body: Final = msgspec.json.Decoder(RefreshBody)
_NO_NAME: Final = GuestBody()


@route("POST", "/v1/sign-in/codes")
async def send_code(request: AnyRequest) -> Answer:
    body = await read_json(request, _wanted_body)
    recipient = recipient_of(body.phone, body.email)
    await limit_recipient(request, recipient)
    try:
        lifetime = await runtime_of(request).sign_in.send_code(recipient)
    except MessageNotSent as error:
        raise CodeNotSent from error
    return answered(CodeSent(expires_in=int(lifetime.total_seconds())), status=202, headers=NOT_STORED)


@route("POST", "/v1/sign-in/code")
async def sign_in_by_code(request: AnyRequest) -> Answer:
    body = await read_json(request, _code_body)
    recipient = recipient_of(body.phone, body.email)
    check_code(body.code)
    check_names(body.device, body.display_name)
    evidence = await runtime_of(request).sign_in.by_code(recipient, body.code)
    tokens = evidence and await sign_in(request, evidence, body.device, body.display_name)
    if tokens is None:
        raise WrongCode
    return signed_in(tokens)


@route("POST", "/v1/sign-in/guest")
async def sign_in_as_guest(request: AnyRequest) -> Answer:
    body = await read_json(request, _guest_body, empty=_NO_NAME)
    check_names(body.device)
    return signed_in(await runtime_of(request).sign_in.as_guest(body.device), status=201)


@route("POST", "/v1/sign-in/refresh")
async def refresh_tokens(request: AnyRequest) -> Answer:
    body = await read_json(request, _refresh_body)
    runtime = runtime_of(request)
    tokens = await runtime.sign_in.refresh(body.refresh_token)
    runtime.revocations.learn(tokens.revoked)
    if isinstance(tokens, Ended):
        raise RefreshTokenRefused
    return signed_in(tokens)


@route("GET", "/dev/inbox")
async def read_inbox(request: AnyRequest) -> Answer:
    runtime = runtime_of(request)
    console = runtime.messages.console
    if console is None or not console.has_inbox or not (is_inbox_for_all(runtime.settings) or is_at_home(request)):
        raise NothingHere
    items = [InboxMessage(**msgspec.structs.asdict(each)) for each in await console.inbox()]
    return answered(Inbox(items=items), headers=NOT_STORED)


def check_code(code: str) -> None:
    """What cannot be a code is told, and costs no try."""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        raise invalid("code", f"must be the {DIGITS} digits that were sent")


def check_names(device: str | None, display_name: str | None = None) -> None:
    problems = FieldProblems()
    if device is not None:
        check_line(problems, "device", device, 1, DEVICE_CHARACTERS_MAX)
    check_name(problems, display_name)
    problems.raise_if_any()


async def sign_in(
    request: AnyRequest, evidence: Evidence, device: str | None, display_name: str | None = None
) -> Tokens | None:
    """Sign in whoever the evidence is of; a guest's token that came along makes the guest one with them.

    None where the evidence was used up before.
    """
    guest, runtime = caller_if_known(request), runtime_of(request)
    arriving = Arriving(None if guest is None else guest.subject, device, display_name)
    tokens = await runtime.sign_in.sign_in(evidence, arriving)
    if tokens is not None:
        runtime.revocations.learn(tokens.revoked)
    return tokens


def signed_in(tokens: Tokens, status: int = 200) -> Answer:
    """Tokens, for their owner alone."""
    told = SignedIn(
        access_token=tokens.access_token,
        token_type="Bearer",  # noqa: S106 - the kind of token, RFC 6750
        expires_in=ACCESS_LIFETIME_S,
        refresh_token=tokens.refresh_token,
        account_id=tokens.account.id,
        session_id=tokens.session_id,
        is_guest=tokens.account.is_guest,
        is_new=tokens.is_new,
    )
    return answered(told, status=status, headers=NOT_STORED)
