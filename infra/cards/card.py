"""The card: the product at the left, at the right what it costs now and what one more person changes."""

from PIL import Image

from infra.cards.canvas import Box
from infra.cards.parts import Sheet, eyebrow, headline, ladder, panel, price, title
from infra.cards.picture import Picture
from infra.cards.sizes import CARD_HEIGHT, CARD_WIDTH

_PANEL_WIDTH = 540


def draw_card(picture: Picture, product: Image.Image | None) -> Image.Image:
    """A card of `CARD_WIDTH` x `CARD_HEIGHT`."""
    sheet = Sheet((CARD_WIDTH, CARD_HEIGHT), picture, 1, _PANEL_WIDTH + 50, CARD_WIDTH - 50)
    panel(sheet, Box(0, 0, _PANEL_WIDTH, CARD_HEIGHT), product)
    eyebrow(sheet, 70)
    end = title(sheet, 92)
    price(sheet, end + (325 - end) // 2 + 62)
    ladder(sheet, 410)
    headline(sheet, 526)
    return sheet.image
