"""Links as QR codes, with the quiet zone that scanners need around them."""

import io
from typing import Final

import segno
from PIL import Image

QUIET_MODULES: Final = 4
"""As ISO/IEC 18004 asks for."""
ERROR_CORRECTION: Final = "Q"
"""A quarter of the code may be covered or torn."""
LINK_BYTES_MAX: Final = 1_000
_DARK, _LIGHT = "#1d1b20", "#ffffff"


def qr_svg(link: str) -> bytes:
    """A code that can be shown in any size."""
    drawn = io.BytesIO()
    _code(link).save(
        drawn, kind="svg", border=QUIET_MODULES, dark=_DARK, light=_LIGHT, svgns=True, scale=10, omitsize=True
    )
    return drawn.getvalue()


def qr_image(link: str, size_max: int) -> Image.Image:
    """A code of whole pixels per module, as large as fits into a square of this size."""
    matrix = [list(row) for row in _code(link).matrix_iter(border=QUIET_MODULES)]
    small = Image.new("1", (len(matrix), len(matrix)))
    small.putdata([not dark for row in matrix for dark in row])
    scale = max(size_max // len(matrix), 1)
    return small.resize((len(matrix) * scale,) * 2, Image.Resampling.NEAREST).convert("RGB")


def _code(link: str) -> segno.QRCode:
    if len(link.encode()) > LINK_BYTES_MAX:
        raise ValueError(f"a link of more than {LINK_BYTES_MAX} bytes makes no code that anybody could scan")
    return segno.make_qr(link, error=ERROR_CORRECTION, boost_error=False)
