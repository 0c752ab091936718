"""The poster: the product above, the price below it, and a QR code to scan."""

from PIL import Image

from infra.cards.canvas import Box, fill
from infra.cards.lettering import Style, clean, fitted, shortened, width_of, wrapped, write
from infra.cards.parts import INK, MUTED, PAPER, Sheet, eyebrow, headline, ladder, panel, price, title
from infra.cards.picture import Picture
from infra.cards.qr import qr_image
from infra.cards.sizes import POSTER_HEIGHT, POSTER_WIDTH

_MARGIN = 72
_SCALE = 1.5
_PANEL_HEIGHT = 760
_FOOT_TOP = 1_500
_CODE_SIZE_MAX = 340


def draw_poster(picture: Picture, product: Image.Image | None) -> Image.Image:
    """A poster of `POSTER_WIDTH` x `POSTER_HEIGHT`."""
    sheet = Sheet((POSTER_WIDTH, POSTER_HEIGHT), picture, _SCALE, _MARGIN, POSTER_WIDTH - _MARGIN)
    panel(sheet, Box(0, 0, POSTER_WIDTH, _PANEL_HEIGHT), product)
    _slogan(sheet)
    fill(sheet.image, Box(0, _PANEL_HEIGHT - 56, POSTER_WIDTH, _PANEL_HEIGHT + 200), 56, PAPER)
    eyebrow(sheet, _PANEL_HEIGHT + 38)
    end = title(sheet, _PANEL_HEIGHT + 62)
    price(sheet, end + (1_130 - end) // 2 + 78)
    ladder(sheet, 1_228)
    headline(sheet, 1_374)
    _foot(sheet)
    return sheet.image


def _slogan(sheet: Sheet) -> None:
    text, style = fitted(clean(sheet.picture.slogan), Style(36, 700, INK), sheet.width - 64, 20)
    right = _MARGIN + round(width_of(text, style)) + 64
    fill(sheet.image, Box(_MARGIN, 64, right, 136), 36, PAPER)
    write(sheet.draw, (_MARGIN + 32, 113), text, style)


def _foot(sheet: Sheet) -> None:
    """The code, and beside it what scanning it does and where it leads."""
    code = qr_image(sheet.picture.link, _CODE_SIZE_MAX)
    sheet.image.paste(sheet.tone.soft, (0, _FOOT_TOP, POSTER_WIDTH, POSTER_HEIGHT))
    top = _FOOT_TOP + (POSTER_HEIGHT - _FOOT_TOP - code.height - 32) // 2
    fill(sheet.image, Box(_MARGIN, top, _MARGIN + code.width + 32, top + code.height + 32), 28, PAPER)
    sheet.image.paste(code, (_MARGIN + 16, top + 16))
    left = _MARGIN + code.width + 84
    bold, note = Style(58, 800, INK), Style(30, 500, MUTED)
    lines = wrapped(clean(sheet.picture.invitation), bold, sheet.right - left, 3)
    base = top + code.height // 2 - 34 * len(lines) + 34
    for number, line in enumerate(lines):
        write(sheet.draw, (left, base + 72 * number), line, bold)
    address = clean(sheet.picture.link.split("://", 1)[-1])
    write(sheet.draw, (left, base + 72 * len(lines)), shortened(address, note, sheet.right - left), note)
