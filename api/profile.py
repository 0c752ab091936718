"""The caller's own profile: what they say of themselves, and what they want to be told."""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.access import caller_of
from api.answers import PRIVATE, Answer, encode, names_tag, tag_of
from api.bodies import read_json
from api.refused import AccountNotFound
from api.requests import AnyRequest, header, runtime_of
from api.routing import route
from domain.errors import FieldProblems
from domain.groupbuy.text import URL_CHARACTERS_MAX
from domain.identity.profile import (
    LOCALE_CHARACTERS_MAX,
    LOCALE_PATTERN,
    NAME_CHARACTERS_MAX,
    check_avatar,
    check_locale,
    check_name,
)
from infra.identity.profiles import ChangedMeanwhile, change_profile
from infra.reading.sessions import AccountView, get_account

_Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": NAME_CHARACTERS_MAX})]
_Avatar = Annotated[
    str, Meta(extra_json_schema={"format": "uri", "pattern": "^https://", "maxLength": URL_CHARACTERS_MAX})
]
_Locale = Annotated[str, Meta(extra_json_schema={"pattern": LOCALE_PATTERN, "maxLength": LOCALE_CHARACTERS_MAX})]


class NotificationsBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What to be told of, or not; what is left out stays as it is."""

    group_closing: bool | UnsetType = UNSET
    price_dropped: bool | UnsetType = UNSET
    marketing: bool | UnsetType = UNSET


class ProfileBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is to change; fields left out stay as they are, null empties a field. `locale` is BCP 47."""

    display_name: _Name | UnsetType | None = UNSET
    avatar_url: _Avatar | UnsetType | None = UNSET
    locale: _Locale | UnsetType | None = UNSET
    notifications: NotificationsBody | UnsetType = UNSET


_profile_body: Final = msgspec.json.Decoder(ProfileBody)


@route("PATCH", "/v1/me")
async def change_me(request: AnyRequest) -> Answer:
    """Change the profile, if it is still the one the caller has; a new name is shown wherever the caller is."""
    body = await read_json(request, _profile_body)
    changes = _checked(body)
    runtime, account_id = runtime_of(request), caller_of(request).subject
    wanted = header(request, b"if-match")
    version = None if wanted is None else _named_version(await get_account(runtime.engine, account_id), wanted)
    async with runtime.engine.begin() as connection:
        revoked = await change_profile(connection, account_id, changes, version)
    if revoked is None:
        raise AccountNotFound
    runtime.revocations.learn(revoked)
    account = await get_account(runtime.engine, account_id)
    if account is None:
        raise AccountNotFound
    shown = encode(account)
    return Answer(200, shown, ((b"etag", tag_of(shown, account.version)), *PRIVATE))


def _checked(body: ProfileBody) -> dict[str, object]:
    """The fields that are to change; raises `InvalidInput`."""
    changes: dict[str, object] = msgspec.to_builtins(body)
    problems = FieldProblems()
    if body.display_name is not UNSET:
        check_name(problems, body.display_name)
        changes["display_name"] = body.display_name and body.display_name.strip()
    if body.avatar_url is not UNSET:
        check_avatar(problems, body.avatar_url)
    if body.locale is not UNSET:
        check_locale(problems, body.locale)
    problems.raise_if_any()
    return changes


def _named_version(account: AccountView | None, tags: bytes) -> int:
    """The account's version, which is of a state the caller names (`If-Match`; weak tags are compared weakly)."""
    if account is None:
        raise AccountNotFound
    if not names_tag(tags, tag_of(encode(account), account.version)):
        raise ChangedMeanwhile
    return account.version
