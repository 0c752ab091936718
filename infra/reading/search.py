"""Finding deals by words, without an extension of PostgreSQL: every word must occur, in whatever case."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_

from domain.errors import FieldProblems
from domain.groupbuy.text import check_text
from infra.tables import deals

SEARCH_CHARACTERS_MAX = 100
SEARCH_WORDS_MAX = 8


def search_words(query: str) -> Sequence[str]:
    """The words of a search; raises `InvalidInput` naming `q`.

    Words are what blanks part: Chinese is written without, so there a whole phrase is one word and must occur as such.
    """
    problems = FieldProblems()
    check_text(problems, "q", query, 0, SEARCH_CHARACTERS_MAX)
    words = tuple(dict.fromkeys(query.lower().split()))
    problems.require(len(words) <= SEARCH_WORDS_MAX, "q", f"must have at most {SEARCH_WORDS_MAX} words")
    problems.raise_if_any()
    return words


def has_words(words: Sequence[str]) -> ColumnElement[bool]:
    """Whether the title or the description of a row holds each word."""
    return and_(*(or_(_holds(deals.c.title, word), _holds(deals.c.description, word)) for word in words))


def _holds(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """`strpos` knows no wildcards, so nothing needs escaping, and it costs less than ILIKE."""
    return func.strpos(func.lower(column), func.lower(word)) > 0
