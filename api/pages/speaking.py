"""Which language a page speaks to whom, and its words."""

from functools import lru_cache
from typing import Final

from api.pages import words_de, words_en, words_es, words_join_de, words_join_en, words_join_es, words_join_zh, words_zh
from api.requests import AnyRequest, header
from domain.sharing.language import Language, by_language, first_fitting

WORDS: Final = by_language(en=words_en.ENGLISH, zh=words_zh.CHINESE, de=words_de.GERMAN, es=words_es.SPANISH)
JOIN_WORDS: Final = by_language(
    en=words_join_en.ENGLISH, zh=words_join_zh.CHINESE, de=words_join_de.GERMAN, es=words_join_es.SPANISH
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
