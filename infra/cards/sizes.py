"""How large pictures are, in pixels."""

CARD_WIDTH, CARD_HEIGHT = 1200, 630
POSTER_WIDTH, POSTER_HEIGHT = 1080, 1920
