"""What people may say of themselves: a name, a picture, a language and what they want to be told."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from domain.errors import FieldProblems
from domain.groupbuy.text import DISPLAY_NAME_CHARACTERS_MAX, check_image_url, check_line

NAME_CHARACTERS_MAX: Final = DISPLAY_NAME_CHARACTERS_MAX
LOCALE_CHARACTERS_MAX: Final = 35
"""What RFC 5646, 4.4.1 asks to have room for at least."""
LOCALE_PATTERN: Final = (
    "^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
    "(-[0-9A-WY-Za-wy-z](-[A-Za-z0-9]{2,8})+)*(-[xX](-[A-Za-z0-9]{1,8})+)?$"
)
"""A language tag of BCP 47 (RFC 5646, 2.1) that begins with a language: `zh-Hans-CN`, `en-US-u-hc-h12`."""

_LOCALE: Final = re.compile(LOCALE_PATTERN.removesuffix("$"), re.ASCII)


class Notice(StrEnum):
    """What somebody may be told of, or not."""

    GROUP_CLOSING = "group_closing"
    PRICE_DROPPED = "price_dropped"
    MARKETING = "marketing"


NOTICES_DEFAULT: Final[Mapping[Notice, bool]] = MappingProxyType(
    {Notice.GROUP_CLOSING: True, Notice.PRICE_DROPPED: True, Notice.MARKETING: False}
)
"""Until somebody chooses otherwise; nobody is sent advertising who did not ask for it."""


def check_name(problems: FieldProblems, name: str | None) -> None:
    """Note a problem unless the name can be shown beside those of others."""
    if name is not None:
        check_line(problems, "display_name", name, 1, NAME_CHARACTERS_MAX)


def check_avatar(problems: FieldProblems, url: str | None) -> None:
    """Note a problem unless the picture is absent or at an absolute https address: every phone that shows it asks."""
    if url is None:
        return
    if problems.require(url.lower().startswith("https://"), "avatar_url", "must be an https address"):
        check_image_url(problems, "avatar_url", url)


def check_locale(problems: FieldProblems, locale: str | None) -> None:
    """Note a problem unless the language is absent or a well-formed tag."""
    is_tag = locale is None or (len(locale) <= LOCALE_CHARACTERS_MAX and _LOCALE.fullmatch(locale) is not None)
    problems.require(is_tag, "locale", "must be a language tag (BCP 47) such as en, pt-BR or zh-Hans-CN")
