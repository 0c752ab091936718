"""The poster: the product above, the price below it, and a QR code to scan."""

from PIL import Image

from infra.cards.canvas import Box, fill
from infra.cards.lettering import Style, clean, fitted, shortened, wrapped, write
from infra.cards.parts import INK, MUTED, PAPER, Sheet, eyebrow, headline, ladder, panel, price, title
from infra.cards.picture import Picture
from infra.cards.qr import qr_image
from infra.cards.sizes import POSTER_HEIGHT, POSTER_WIDTH

_MARGIN = 72
_SCALE = 1.5
_PANEL_HEIGHT = 816
_FOOT_TOP = 1_560
_CODE_SIZE_MAX = 310


def draw_poster(picture: Picture, product: Image.Image | None) -> Image.Image:
    """A poster of `POSTER_WIDTH` x `POSTER_HEIGHT`."""
    sheet = Sheet((POSTER_WIDTH, POSTER_HEIGHT), picture, _SCALE, _MARGIN, POSTER_WIDTH - _MARGIN)
    panel(sheet, Box(0, 0, POSTER_WIDTH, _PANEL_HEIGHT), product)
    fill(sheet.image, Box(0, _PANEL_HEIGHT - 56, POSTER_WIDTH, _PANEL_HEIGHT + 100), 56, PAPER)
    eyebrow(sheet, _PANEL_HEIGHT + 34)
    end = title(sheet, _PANEL_HEIGHT + 54)
    price(sheet, end + (1_170 - end) // 2 + 76)
    ladder(sheet, 1_266)
    headline(sheet, 1_418)
    _foot(sheet)
    return sheet.image


def _foot(sheet: Sheet) -> None:
    """The code, and beside it what scanning it does and where it leads."""
    code = qr_image(sheet.picture.link, _CODE_SIZE_MAX)
    sheet.image.paste(sheet.tone.soft, (0, _FOOT_TOP, POSTER_WIDTH, POSTER_HEIGHT))
    top = _FOOT_TOP + (POSTER_HEIGHT - _FOOT_TOP - code.height - 32) // 2
    fill(sheet.image, Box(_MARGIN, top, _MARGIN + code.width + 32, top + code.height + 32), 28, PAPER)
    sheet.image.paste(code, (_MARGIN + 16, top + 16))
    _beside_code(sheet, _MARGIN + code.width + 84, top + code.height // 2 + 16)


def _beside_code(sheet: Sheet, left: int, middle: int) -> None:
    room = sheet.right - left
    bold, note = Style(54, 800, INK), Style(29, 500, MUTED)
    slogan, over = fitted(clean(sheet.picture.slogan), Style(31, 650, sheet.tone.strong), room, 20)
    lines = wrapped(clean(sheet.picture.invitation), bold, room, 2)
    base = middle - 34 * (len(lines) - 1) + 12
    write(sheet.draw, (left, base - 74), slogan, over)
    for number, line in enumerate(lines):
        write(sheet.draw, (left, base + 68 * number), line, bold)
    address = clean(sheet.picture.link.split("://", 1)[-1])
    write(sheet.draw, (left, base + 68 * len(lines) - 8), shortened(address, note, room), note)
