"""Finding deals by words, without an extension of PostgreSQL: every word must occur, in whatever case."""

import re
from collections.abc import Sequence

from sqlalchemy import ARRAY, ColumnElement, Text, all_, bindparam, cast, false, func, select

from domain.errors import FieldProblems
from domain.groupbuy.text import check_text
from infra.tables import deals

SEARCH_CHARACTERS_MAX = 100
SEARCH_WORDS_MAX = 8

_WILDCARDS = re.compile(r"([%_\\])")


def search_patterns(query: str) -> Sequence[str]:
    """What `holds_every_word` looks for, as its parameter `patterns`; raises `InvalidInput` naming `q`.

    Words are what blanks part: Chinese is written without, so there a whole phrase is one word and must occur as such.
    """
    problems = FieldProblems()
    check_text(problems, "q", query, 0, SEARCH_CHARACTERS_MAX)
    words = dict.fromkeys(query.split())
    problems.require(len(words) <= SEARCH_WORDS_MAX, "q", f"must have at most {SEARCH_WORDS_MAX} words")
    problems.raise_if_any()
    return ["%" + _WILDCARDS.sub(r"\\\1", word) + "%" for word in words]


def holds_every_word() -> ColumnElement[bool]:
    """Whether the title or the description of a row holds each word.

    PostgreSQL changes the case of both sides, by one law; of the text once, however many the words are.
    """
    line_end = func.chr(10)  # no word holds one, so none is found half in the title and half in the description
    text = func.lower(deals.c.title.concat(line_end).concat(deals.c.description))
    given = func.unnest(bindparam("patterns", type_=ARRAY(Text))).column_valued("pattern")
    lowered = select(func.array_agg(func.lower(given))).scalar_subquery()
    holds_all = text.like(all_(cast(lowered, ARRAY(Text))))
    # PostgreSQL takes LIKE ALL for rare and would read and sort every deal; so it takes it for a coin's toss, walks the
    # list's own index and stops when the page is full
    return func.coalesce(holds_all, false())
