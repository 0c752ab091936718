"""The fonts of pictures, and which characters each has: Noto Sans for Chinese, Japanese, Korean, with Latin letters."""

import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from PIL import ImageFont

FONTS: Final = ("notosanssc/NotoSansSC", "notosanstc/NotoSansTC", "notosansjp/NotoSansJP", "notosanskr/NotoSansKR")
"""In the order they are asked for a character."""
SIZES_KEPT_MAX: Final = 64
_FULL_UNICODE: Final = 12
_MARKS: Final = {"Mn", "Me", "Mc", "Cc", "Cf", "Cs", "Co", "Cn"}
"""Categories of characters that are left out: what stands on others, what cannot be seen, what means nothing."""
_RIGHT_TO_LEFT: Final = {"R", "AL", "AN"}
_INSTEAD: Final = dict.fromkeys(map(ord, "\t\n\v\f\r\x85\u2028\u2029"), " ") | {
    ord(sign): f" {code} " for sign, code in (("₹", "INR"), ("₪", "ILS"), ("₱", "PHP"), ("฿", "THB"))
}
"""For line ends, and for signs of currencies that none of the fonts has: an amount is nothing without its currency."""


class Run(NamedTuple):
    """Characters of one font."""

    text: str
    font: int


def cleaned(text: str) -> str:
    """The text in one line, without what no font of ours can draw: emoji, marks, scripts that need shaping."""
    composed = unicodedata.normalize("NFC", text.translate(_INSTEAD))
    drawn = (character for character in composed if _font_of(character) is not None)
    return " ".join("".join(drawn).split())


def runs_of(text: str) -> list[Run]:
    """Cleaned text by the fonts its characters are in."""
    return [Run("".join(same), font) for font, same in groupby(text, lambda character: _font_of(character) or 0)]


@lru_cache(SIZES_KEPT_MAX)
def font(number: int, size: int, weight: int) -> ImageFont.FreeTypeFont:
    """A font in a size and weight; laid out character by character, so alike on every machine."""
    opened = ImageFont.truetype(str(_path(number)), size, layout_engine=ImageFont.Layout.BASIC)
    opened.set_variation_by_axes([weight])
    return opened


@lru_cache(4_096)
def _font_of(character: str) -> int | None:
    if unicodedata.category(character) in _MARKS or unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
        return None
    code = ord(character)
    return next((number for number in range(len(FONTS)) if _has(_coverage(number), code)), None)


def _has(coverage: Sequence[int], code: int) -> bool:
    """Whether a code is within one of the stretches, given as begin, end, begin, end ..., ends excluded."""
    return bisect_right(coverage, code) % 2 == 1


@cache
def _path(number: int) -> Path:
    package = find_spec("justmytype_intl_cjk")  # found without being imported: we want its files only
    assert package is not None
    assert package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0]) / "fonts" / "ofl" / f"{FONTS[number]}[wght].ttf"


@cache
def _coverage(number: int) -> Sequence[int]:
    """Stretches of character codes that a font has, from its table `cmap` (OpenType, format 12)."""
    table = _table(_path(number), b"cmap")
    (subtables,) = struct.unpack_from(">2xH", table)
    for at in range(subtables):
        (begin,) = struct.unpack_from(">4xI", table, 4 + 8 * at)
        if struct.unpack_from(">H", table, begin)[0] == _FULL_UNICODE:
            (length,) = struct.unpack_from(">12xI", table, begin)
            stretches = struct.iter_unpack(">II4x", table[begin + 16 : begin + 16 + 12 * length])
            return [edge for first, last in stretches for edge in (first, last + 1)]
    raise ValueError(f"{FONTS[number]} has no table of characters of format {_FULL_UNICODE}")


def _table(path: Path, tag: bytes) -> bytes:
    with path.open("rb") as file:
        (tables,) = struct.unpack(">4xH6x", file.read(12))
        for found, begin, length in struct.iter_unpack(">4s4xII", file.read(16 * tables)):
            if found == tag:
                file.seek(begin)
                return file.read(length)
    raise ValueError(f"{path.name} has no table {tag!r}")
