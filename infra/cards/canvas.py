"""Shapes with smooth edges, and pictures put into them."""

import colorsys
import hashlib
from functools import lru_cache
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageOps

from infra.cards.lettering import Style, clean, write

SMOOTHNESS: Final = 4
"""Shapes are drawn so many times larger and reduced: that is what makes their edges smooth."""
MASKS_KEPT_MAX: Final = 64


class Box(NamedTuple):
    """A rectangle; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@lru_cache(MASKS_KEPT_MAX)
def _rounded(width: int, height: int, radius: int) -> Image.Image:
    """The mask of a rounded rectangle."""
    large = Image.new("L", (width * SMOOTHNESS, height * SMOOTHNESS), 0)
    outside = (0, 0, width * SMOOTHNESS - 1, height * SMOOTHNESS - 1)
    ImageDraw.Draw(large).rounded_rectangle(outside, radius * SMOOTHNESS, fill=255)
    return large.reduce(SMOOTHNESS)


def fill(onto: Image.Image, box: Box, radius: int, colour: str) -> None:
    """Draw a rounded rectangle, or a circle where the radius is half its width."""
    onto.paste(colour, box, _rounded(box.width, box.height, radius))


def disc(onto: Image.Image, centre: tuple[int, int], radius: int, colour: str) -> None:
    x, y = centre
    fill(onto, Box(x - radius, y - radius, x + radius, y + radius), radius, colour)


def tick(onto: Image.Image, centre: tuple[int, int], radius: int, colour: str) -> None:
    """Draw the sign for done, to stand on a disc of this radius."""
    x, y = centre
    onto.paste(colour, (x - radius, y - radius, x + radius, y + radius), _ticked(radius))


@lru_cache(MASKS_KEPT_MAX)
def _ticked(radius: int) -> Image.Image:
    unit = radius * SMOOTHNESS
    large = Image.new("L", (2 * unit, 2 * unit), 0)
    corners = [(round(unit * x), round(unit * y)) for x, y in ((0.60, 1.02), (0.90, 1.32), (1.44, 0.72))]
    ImageDraw.Draw(large).line(corners, fill=255, width=round(unit * 0.25), joint="curve")
    return large.reduce(SMOOTHNESS)


def place(onto: Image.Image, box: Box, picture: Image.Image) -> None:
    """Fill a box with the middle of a picture."""
    onto.paste(ImageOps.fit(picture, (box.width, box.height), Image.Resampling.BICUBIC), box)


def place_letter(onto: Image.Image, box: Box, title: str) -> None:
    """Fill a box with a calm colour of the title's own and the character it begins with."""
    hue = hashlib.blake2b(title.encode(errors="replace"), digest_size=1).digest()[0] / 256
    upper, lower = _colour(hue, 0.56, 0.30), _colour(hue + 0.06, 0.42, 0.34)
    shade = Image.linear_gradient("L").resize((box.width, box.height))
    onto.paste(Image.composite(Image.new("RGB", shade.size, lower), Image.new("RGB", shade.size, upper), shade), box)
    initial = next((one for one in clean(title) if one.isalnum()), "")
    size = min(box.width, box.height) // 2
    middle = (box.left + box.width / 2, box.top + box.height / 2 + size * 0.36)
    write(ImageDraw.Draw(onto), middle, initial.upper()[:1], Style(size, 700, "#ffffff"), "middle")


def _colour(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
