"""The caller's own profile: what they say of themselves, and what they want to be told."""

import re
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
from infra.notices.time_zones import ZONE_CHARACTERS_MAX, is_time_zone
from infra.reading.sessions import AccountView, get_account

_Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": NAME_CHARACTERS_MAX})]
_Avatar = Annotated[
    str, Meta(extra_json_schema={"format": "uri", "pattern": "^https://", "maxLength": URL_CHARACTERS_MAX})
]
_Locale = Annotated[str, Meta(extra_json_schema={"pattern": LOCALE_PATTERN, "maxLength": LOCALE_CHARACTERS_MAX})]


_CLOCK_PATTERN: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
_Clock = Annotated[str, Meta(extra_json_schema={"pattern": _CLOCK_PATTERN})]
_Zone = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": ZONE_CHARACTERS_MAX})]


class ChannelsBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """By which ways a kind of notice is to come; in the inbox it is anyway."""

    push: bool | UnsetType = UNSET
    email: bool | UnsetType = UNSET


class KindsBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Each kind of notice; what is left out stays as it is."""

    joined: ChannelsBody | UnsetType = UNSET
    price_dropped: ChannelsBody | UnsetType = UNSET
    two_places_left: ChannelsBody | UnsetType = UNSET
    one_hour_left: ChannelsBody | UnsetType = UNSET
    succeeded: ChannelsBody | UnsetType = UNSET
    failed: ChannelsBody | UnsetType = UNSET
    cancelled: ChannelsBody | UnsetType = UNSET
    payment_needed: ChannelsBody | UnsetType = UNSET
    payment_late: ChannelsBody | UnsetType = UNSET
    payment_missed: ChannelsBody | UnsetType = UNSET
    payment_refused: ChannelsBody | UnsetType = UNSET


class QuietHoursBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """From when to when nothing is pushed, by the clock of an IANA time zone; past midnight is meant too."""

    begin: _Clock
    end: _Clock
    time_zone: _Zone


class NotificationsBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What to be sent, or not; what is left out stays as it is. What the first two switch off comes no way at all."""

    group_closing: bool | UnsetType = UNSET
    price_dropped: bool | UnsetType = UNSET
    marketing: bool | UnsetType = UNSET
    kinds: KindsBody | UnsetType = UNSET
    quiet_hours: QuietHoursBody | UnsetType | None = UNSET


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
    if body.notifications is not UNSET and body.notifications.quiet_hours is not UNSET:
        _check_quiet_hours(problems, body.notifications.quiet_hours)
    problems.raise_if_any()
    return changes


def _check_quiet_hours(problems: FieldProblems, quiet: QuietHoursBody | None) -> None:
    if quiet is None:
        return
    clock = re.compile(_CLOCK_PATTERN.removesuffix("$"))
    for name in ("begin", "end"):
        is_clock = clock.fullmatch(getattr(quiet, name)) is not None
        problems.require(is_clock, f"notifications.quiet_hours.{name}", "must be a time of the clock, such as 22:00")
    known = "must be the name of a time zone, such as Europe/Berlin"
    problems.require(is_time_zone(quiet.time_zone), "notifications.quiet_hours.time_zone", known)
    problems.require(quiet.begin != quiet.end, "notifications.quiet_hours.end", "must be another time than begin")


def _named_version(account: AccountView | None, tags: bytes) -> int:
    """The account's version, which is of a state the caller names (`If-Match`; weak tags are compared weakly)."""
    if account is None:
        raise AccountNotFound
    if not names_tag(tags, tag_of(encode(account), account.version)):
        raise ChangedMeanwhile
    return account.version
