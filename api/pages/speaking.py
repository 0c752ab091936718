"""Which language a page speaks to whom, and its words."""

from collections.abc import Mapping
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


def spoken_to(request: AnyRequest, sharers_locale: str | None = None) -> Language:
    """`?lang=` where it is one of ours, else what the browser asks for, else what the sharer speaks, else English."""
    chosen = request.scope["query_string"]
    asked = header(request, b"accept-language")
    if not chosen and sharers_locale is None:
        return first_fitting(None if asked is None else asked.decode("latin-1"))
    return first_fitting(_chosen(chosen), None if asked is None else asked.decode("latin-1"), sharers_locale)


def _chosen(query: bytes) -> str | None:
    """The value of `lang`, if there is one that may be a language; whatever else the query says is nobody's here."""
    for field in query.split(b"&"):
        if field.startswith(b"lang="):
            return field[len(b"lang=") :].decode("latin-1")
    return None
