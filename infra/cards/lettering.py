"""Text on pictures: measured, wrapped, shortened and drawn, each character in a font that has it."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from PIL import ImageDraw

from infra.cards.fonts import cleaned, font, runs_of

CHARACTERS_MAX: Final = 300
"""What is looked at of a text: more fits on no picture."""
ELLIPSIS: Final = "…"
_SIZE_STEP: Final = 0.94

_WIDE: Final = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_CLOSING: Final = re.escape("、。，．：；！？）］｝」』】》〉’”…·%,.:;!?)]}")  # noqa: RUF001 - Chinese marks are meant
_OPENING: Final = re.escape("（［｛「『【《〈‘“([{")  # noqa: RUF001 - as above
_PIECE: Final = re.compile(
    rf"\s+|[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENING}]+)[{_CLOSING}]*|[{_OPENING}]+|.", re.DOTALL
)
"""What stays on one line: a word, or a Chinese character, with the marks that belong to it."""

Anchor = Literal["left", "middle", "right"]


class Style(NamedTuple):
    """Letters of a size in pixels, a weight from 100 to 900, and a colour."""

    size: int
    weight: int
    colour: str


def width_of(text: str, style: Style) -> float:
    """How wide a cleaned text is."""
    return _width(text, style.size, style.weight)


@lru_cache(2_048)
def _width(text: str, size: int, weight: int) -> float:
    return sum(font(run.font, size, weight).getlength(run.text) for run in runs_of(text))


def write(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, style: Style, anchor: Anchor = "left") -> None:
    """Draw a cleaned text in one line; `at` is on its base line, at its left, its middle or its right."""
    x, y = at
    if anchor != "left":
        x -= width_of(text, style) / (2 if anchor == "middle" else 1)
    for run in runs_of(text):
        drawn_in = font(run.font, style.size, style.weight)
        draw.text((x, y), run.text, fill=style.colour, font=drawn_in, anchor="ls")
        x += drawn_in.getlength(run.text)


def clean(text: str) -> str:
    """What can be drawn of the beginning of a text."""
    return cleaned(text[:CHARACTERS_MAX])


def fitted(text: str, style: Style, width: float, size_min: int) -> tuple[str, Style]:
    """A text in smaller letters, down to `size_min`, and then shortened, until it is as narrow as this."""
    while width_of(text, style) > width and style.size > size_min:
        style = style._replace(size=max(int(style.size * _SIZE_STEP), size_min))
    return shortened(text, style, width), style


def shortened(text: str, style: Style, width: float) -> str:
    """A text, or as much of it as fits with an ellipsis behind."""
    if width_of(text, style) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of(text[:middle].rstrip() + ELLIPSIS, style) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + ELLIPSIS


def wrapped(text: str, style: Style, width: float, lines_max: int) -> list[str]:
    """A text in lines as narrow as this; the last one ends with an ellipsis where there is more."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text, style, width):
        if width_of((line + piece).rstrip(), style) <= width:
            line += piece
            continue
        if len(lines) == lines_max - 1:
            return [*lines, shortened(line + piece, style, width)]
        lines.append(line.rstrip())
        line = piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str, style: Style, width: float) -> Iterator[str]:
    """The pieces of a text; one that fits on no line comes in characters."""
    for piece in _PIECE.findall(text):
        if width_of(piece, style) <= width:
            yield piece
        else:
            yield from piece
