"""Which language a page speaks to whom, and its words."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from api.pages.words import Words
from api.pages.words_de import GERMAN
from api.pages.words_en import ENGLISH
from api.pages.words_es import SPANISH
from api.pages.words_zh import CHINESE
from api.requests import AnyRequest, header
from domain.sharing.language import Language, first_fitting

WORDS: Final[Mapping[Language, Words]] = MappingProxyType(
    {Language.EN: ENGLISH, Language.ZH: CHINESE, Language.DE: GERMAN, Language.ES: SPANISH}
)

WISHES_REMEMBERED_MAX: Final = 1_024
REMEMBERED_BYTES_MAX: Final = 256
"""Of longer ones there are more than browsers send."""

_LANG: Final = b"lang="


def spoken_to(request: AnyRequest, sharers_locale: str | None = None) -> Language:
    """`?lang=` where it is one of ours, else what the browser asks for, else what the sharer speaks, else English."""
    query, asked = request.scope["query_string"], header(request, b"accept-language") or b""
    if len(query) + len(asked) <= REMEMBERED_BYTES_MAX:
        return _remembered(query, asked, sharers_locale)
    return _best(query, asked, sharers_locale)


def _best(query: bytes, asked: bytes, sharers_locale: str | None) -> Language:
    chosen = next((field[len(_LANG) :] for field in query.split(b"&") if field.startswith(_LANG)), b"")
    return first_fitting(chosen.decode("latin-1"), asked.decode("latin-1"), sharers_locale)


_remembered = lru_cache(WISHES_REMEMBERED_MAX)(_best)
