"""Images of strangers, made small: opened only here, in the process that draws, and only in formats we know."""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps

PIXELS_MAX: Final = 25_000_000
SIDE_MAX: Final = 1_200
QUALITY: Final = 88
_FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP")


class BadImage(Exception):  # noqa: N818 - named after what it is about
    """It cannot be used, and why."""


def reduce(content: bytes) -> bytes:
    """A JPEG with no side above `SIDE_MAX`, of the first frame, on white; raises `BadImage`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of bombs too: the size is looked at here, before a pixel is
        try:
            return _reduced(content)
        except BadImage:
            raise
        except Exception as error:  # noqa: BLE001 - there is no list of what Pillow says of broken files
            raise BadImage(type(error).__name__) from None


def _reduced(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        if image.width * image.height > PIXELS_MAX:
            raise BadImage("too many pixels")
        image.draft("RGB", (SIDE_MAX, SIDE_MAX))  # a JPEG is decoded at a fraction of its size
        image.thumbnail((SIDE_MAX, SIDE_MAX), Image.Resampling.BICUBIC, reducing_gap=2.0)
        upright = ImageOps.exif_transpose(image)
        opaque = _on_white(upright)
    small = io.BytesIO()
    opaque.save(small, "JPEG", quality=QUALITY)
    return small.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "#ffffff")
    return Image.alpha_composite(white, layer).convert("RGB")
