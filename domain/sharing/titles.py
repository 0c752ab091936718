"""Titles among words of ours: whatever a merchant calls a product, it stays one line, short, and where it stands."""

import re
import unicodedata
from typing import Final

ELLIPSIS: Final = "…"
FIRST_STRONG_ISOLATE: Final = "\u2068"
POP_ISOLATE: Final = "\u2069"
ZERO_WIDTH_SPACE: Final = "\u200b"
ZERO_WIDTH_JOINER: Final = "\u200d"

_BLANKS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TURNS: Final = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Marks, embeddings, overrides and isolates of direction; and halves of surrogate pairs, which nothing can encode."""
_POINTS: Final = re.compile("[.。．｡]")
_ADDRESS_POINT: Final = re.compile(r"(?<=\S)([.。．｡])(?=[^\s\d!-/:-@\[-`{-~])|(?<=:)(//)")
"""What makes an address of words: a point before whatever a name may begin with, as in `example.com`, and the `//` of a
scheme. Names are of any script, with accents of their own, and emoji may stand before the point."""
_NUMBERED_HOST: Final = re.compile(r"\d{1,3}(?:[.。．｡]\d{1,3}){3}")
_SKINS: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_FLAG_LETTERS: Final = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
"""Two of them are drawn as a flag."""
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})


def shown_title(title: str, characters_max: int) -> str:
    """A title for a text that a chat or a mail shows: one line of at most so many characters.

    No chat makes a link of it: ours is the one that counts. A title that runs from right to left is isolated (Unicode
    Standard Annex 9), which takes two characters more, so that the words and numbers around it stay in their order.
    """
    line = _BLANKS.sub(" ", _TURNS.sub("", title)).strip()
    line = clipped(_without_addresses(line), characters_max)
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in line):
        return f"{FIRST_STRONG_ISOLATE}{line}{POP_ISOLATE}"
    return line


def _without_addresses(line: str) -> str:
    """The same to look at, and nothing in it that is taken for an address."""
    line = _NUMBERED_HOST.sub(lambda found: _POINTS.sub(_parted, found[0]), line)
    return _ADDRESS_POINT.sub(_parted, line)


def _parted(found: re.Match[str]) -> str:
    return f"{ZERO_WIDTH_SPACE}{found[0]}"


def clipped(line: str, characters_max: int) -> str:
    """The beginning of a line, at most so long; what is drawn as one character is not cut in two."""
    if len(line) <= characters_max:
        return line
    end = characters_max - len(ELLIPSIS)
    while end and (_continues(line[end]) or line[end - 1] == ZERO_WIDTH_JOINER or _is_within_a_flag(line, end)):
        end -= 1
    return line[:end].rstrip() + ELLIPSIS


def _continues(character: str) -> bool:
    """Whether it is drawn together with the one before it: accents, joiners, variants and colours of emoji."""
    return unicodedata.category(character) in {"Mn", "Me", "Mc"} or character in {ZERO_WIDTH_JOINER, *_SKINS}


def _is_within_a_flag(line: str, at: int) -> bool:
    """Whether the letters before and after this point make one flag: they pair up from the first of them on."""
    before = at
    while before and line[before - 1] in _FLAG_LETTERS:
        before -= 1
    return line[at] in _FLAG_LETTERS and (at - before) % 2 == 1
