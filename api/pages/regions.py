"""Where somebody may be at home: a first guess at the country of a phone number or an address, for them to change."""

import re
from collections.abc import Mapping
from typing import Final

from api.requests import AnyRequest, header
from domain.sharing.language import Language, by_language
from infra.identity.recipients import dial_codes

READ_BYTES_MAX: Final = 100
_REGION: Final = re.compile(rb"\b[A-Za-z]{2,3}(?:-[A-Za-z]{4})?-([A-Za-z]{2})\b")
_OF_LANGUAGE: Final = by_language(en="US", zh="CN", de="DE", es="ES")


def region_of(request: AnyRequest, language: Language, typed: Mapping[str, str]) -> str:
    """The region whose dial code they chose, else the first that the browser's languages name (`de-AT`).

    Where they name none it is the one that most who read the language are of.
    """
    if _is_region(typed.get("dial", "")):
        return typed["dial"]
    said = (header(request, b"accept-language") or b"")[:READ_BYTES_MAX]
    found = _REGION.search(said)
    region = found[1].decode().upper() if found else ""
    return region if _is_region(region) else _OF_LANGUAGE[language]


def _is_region(text: str) -> bool:
    """Whether it has telephones."""
    return text in _KNOWN


_KNOWN: Final = frozenset(region for region, _ in dial_codes())
