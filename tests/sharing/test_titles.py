"""Titles in texts: hostile ones cannot break lines, turn the writing round or put a link before ours."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sharing.titles import clipped, shown_title

HEBREW = "\u05ea\u05d4"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Jasmine tea, 250 g", "Jasmine tea, 250 g"),
        ("  two\r\nlines\tand\u2028more\x00 ", "two lines and more"),
        ("\u202eeet enimsaJ\u202c", "eet enimsaJ"),
        ("\u2067tea\u2069\u2069\u200f", "tea"),
        ("half \ud83d pair", "half pair"),
        (HEBREW, f"\u2068{HEBREW}\u2069"),
        (f"tea {HEBREW} 250 g", f"\u2068tea {HEBREW} 250 g\u2069"),
        ("Win at https://evil.example/x", "Win at https:\u200b//evil\u200b.example/x"),
        ("evil.example", "evil\u200b.example"),
        ("cafe\u0301.example", "cafe\u0301\u200b.example"),
        ("i\u2764.ws, i\u2764\ufe0f.ws", "i\u2764\u200b.ws, i\u2764\ufe0f\u200b.ws"),
        ("evil.\u092d\u093e\u0930\u0924", "evil\u200b.\u092d\u093e\u0930\u0924"),
        ("a\u200d.com, b.\u00adcom", "a\u200d\u200b.com, b\u200b.\u00adcom"),
        ("at 192.0.2.7:8080/x", "at 192\u200b.0\u200b.2\u200b.7:8080/x"),
        ("1.5 l, No.7, a. b.", "1.5 l, No.7, a. b."),
        ("{price} %s {{x}}", "{price} %s {{x}}"),
    ],
)
def test_a_title_is_one_harmless_line(title: str, shown: str) -> None:
    """Line ends, turns of direction and addresses are neutralised; the words stay."""
    assert shown_title(title, 60) == shown


@given(st.text(max_size=300), st.integers(10, 120))
def test_any_title_is_bounded_and_balanced(title: str, characters_max: int) -> None:
    """At most so many characters, two more where it is isolated; every isolate is closed; it can be sent as UTF-8."""
    shown = shown_title(title, characters_max)
    assert len(shown) <= characters_max + 2
    assert len(shown.splitlines()) <= 1
    assert "\n" not in shown
    assert shown.count("\u2068") == shown.count("\u2069") == (1 if shown.startswith("\u2068") else 0)
    assert not re.search("[\u202a-\u202e\u2066\u2067\u200e\u200f]", shown)
    is_turned = any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in shown)
    assert is_turned == shown.startswith("\u2068")
    shown.encode()


@pytest.mark.parametrize(
    ("line", "short"),
    [
        ("abcdef", "abc…"),
        ("abcd", "abcd"),
        ("ab cdef", "ab…"),
        ("abe\u0301def", "ab…"),
        ("a\U0001f469\u200d\U0001f467bc", "a…"),
        ("ab\U0001f44d\U0001f3fdcd", "ab…"),
        ("\u0301" * 9, "…"),
        ("ab\U0001f1e9\U0001f1eacd", "ab…"),
        ("a\U0001f1e9\U0001f1eabcd", "a\U0001f1e9\U0001f1ea…"),
        ("\U0001f1e9\U0001f1ea" * 3, "\U0001f1e9\U0001f1ea…"),
    ],
)
def test_what_is_one_character_to_people_is_not_cut(line: str, short: str) -> None:
    """Accents, joined emoji, colours of skin and the two letters of a flag stay with what they belong to."""
    assert clipped(line, 4) == short
