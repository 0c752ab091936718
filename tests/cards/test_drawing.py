"""Cards and posters as they are drawn: their sizes, their letters, their codes, and texts that mean harm."""

import io

import pytest
import segno
from PIL import Image, ImageChops

from domain.pricing.currency import MINOR_DIGITS
from domain.sharing.amounts import amount_text
from domain.sharing.language import Language
from infra.cards.canvas import Box
from infra.cards.easel import PICTURE_BYTES_MAX, draw
from infra.cards.fonts import FONTS, cleaned, font, runs_of
from infra.cards.lettering import Style, clean, width_of, wrapped
from infra.cards.picture import Kind, Picture
from infra.cards.poster import draw_poster
from infra.cards.qr import ERROR_CORRECTION, LINK_BYTES_MAX, qr_image, qr_svg
from infra.cards.sizes import CARD_HEIGHT, CARD_WIDTH, POSTER_HEIGHT, POSTER_WIDTH
from tests.cards.conftest import LINK, picture, product
from tests.pages.scene import STATES

SIZES = {Kind.CARD: (CARD_WIDTH, CARD_HEIGHT), Kind.POSTER: (POSTER_WIDTH, POSTER_HEIGHT)}
HOSTILE = (
    "A" * 10_000,
    "茶" * 10_000,
    "tea\x00\x01\x1b[2J\r\n\t\u2028tea",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "مرحبا بالعالم שלום",
    "Z̴̡̛͓͇" + "\u0336\u0489" * 500,
    "🍵🎁👨‍👩‍👧‍👦",
    "<script>alert(1)</script> {price} %s {0}",
    "\ud800 half a pair",
    " \u200b\u00ad\ufeff",
    "i" * 299 + "茶",
)


def _noise() -> bytes:
    """What compresses worst."""
    file = io.BytesIO()
    Image.effect_noise((1_200, 1_200), 180).convert("RGB").save(file, "JPEG", quality=95)
    return file.getvalue()


def _opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("kind", list(SIZES))
def test_pictures_have_the_size_that_chats_show(kind: Kind) -> None:
    """1200x630 and 1080x1920, a JPEG under 300 KB even where the product is pure noise; the same each time."""
    for state in STATES:
        content = draw(picture(kind, state), None)
        assert _opened(content).size == SIZES[kind]
        assert len(content) < 150_000
    noise = _noise()
    worst = draw(picture(kind), noise)
    assert len(worst) <= PICTURE_BYTES_MAX
    assert worst == draw(picture(kind), noise)


@pytest.mark.parametrize("title", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_a_picture(title: str) -> None:
    """Whatever the title, the merchant and the amounts are, a picture of the right size comes of it."""
    shown = picture(title=title, merchant=title, price=title, headline=title, aside=title, slogan=title)
    assert _opened(draw(shown, None)).size == SIZES[Kind.CARD]


@pytest.mark.parametrize("title", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_leaves_its_column(title: str) -> None:
    """The margin at the right stays white, and so does the line below the pill."""
    drawn = _opened(draw(picture(title=title, merchant=title, headline=title, aside=title, price=title), None))
    for margin in (Box(1_160, 0, CARD_WIDTH, CARD_HEIGHT), Box(560, 604, CARD_WIDTH, CARD_HEIGHT)):
        assert drawn.crop(margin).convert("L").point(lambda value: value < 235).getbbox() is None


def test_chinese_is_drawn_as_chinese() -> None:
    """No character of the four languages comes out as the box that stands for what a font lacks."""
    texts = ["云南古树普洱茶 礼盒装", "Ä Ö Ü ß ñ ¿ é €", "→ ¥ ₩ ₫ £ …", "繁體龍鳳", "かな カナ", "한국어"]
    texts += [value for language in Language for value in vars_of(picture(language=language))]
    for text in texts:
        assert cleaned(text) == " ".join(text.split())
        for run in runs_of(clean(text)):
            for character in run.text.strip():
                box = font(run.font, 40, 400).getmask("\U000f1234")
                assert bytes(font(run.font, 40, 400).getmask(character)) != bytes(box), (character, FONTS[run.font])


def test_every_amount_keeps_its_currency() -> None:
    """Signs that no font has are written as the currency's code."""
    for language in Language:
        for currency in MINOR_DIGITS:
            told = amount_text(123_456, currency, language)
            assert set(cleaned(told)) - set("0123456789., "), told


def vars_of(shown: Picture) -> list[str]:
    return [shown.headline, shown.aside, shown.slogan, shown.invitation, shown.price, shown.alone_label]


def test_what_cannot_be_drawn_is_left_out() -> None:
    """Emoji, marks and letters that must be shaped or turned are not drawn at all, and never as boxes."""
    assert cleaned("Tea 🍵 שלום مرحبا 茶") == "Tea 茶"
    assert cleaned("Z̴̡a͓\u200d\u202e") == "Za"
    assert cleaned("あ\u3099\u20dd\u302a") == "あ"
    assert cleaned("e\u0301\nx\u00a0y") == "é x y"


def test_lines_break_where_a_language_breaks_them() -> None:
    """Chinese breaks between any two characters but not before a comma; too much ends with an ellipsis."""
    style = Style(40, 400, "#000000")
    for text in ("云南古树普洱茶" * 9, "a fine green tea from the hills of Fuding " * 5, "W" * 400):
        lines = wrapped(text, style, 500, 3)
        assert len(lines) == 3
        assert all(width_of(line, style) <= 500 for line in lines)
        assert lines[-1].endswith("…")
        assert text.replace(" ", "").startswith("".join(lines).removesuffix("…").replace(" ", ""))
    assert wrapped("一二三四五六七八九十一二,三", style, 480, 2)[1].startswith("二,")
    assert wrapped("short", style, 500, 3) == ["short"]


def test_a_new_tier_looks_different() -> None:
    """The card of the next tier is another picture, not only another address."""
    before, after = (_opened(draw(picture(state=state), None)) for state in ("open", "tipped"))
    assert ImageChops.difference(before, after).getbbox() is not None


def test_the_product_is_shown() -> None:
    """Its image fills the panel; without one the title's first character stands there."""
    file = io.BytesIO()
    product(colour="#2f5d50").save(file, "JPEG")
    shown = _opened(draw(picture(), file.getvalue())).crop(Box(0, 0, 530, CARD_HEIGHT))
    assert ImageChops.difference(shown, product(shown.size)).point(lambda value: value > 6).getbbox() is None


@pytest.mark.parametrize("link", [LINK, f"https://{'long-' * 10}name.example/i/8WzLFRkGmMYnvdQT"])
def test_the_posters_code_is_the_links_with_its_quiet_zone(link: str) -> None:
    """Read module by module off the finished JPEG, it is the code of the link, with four light modules around it."""
    pixels = _opened(draw(picture(Kind.POSTER, link=link), None)).convert("L").tobytes()
    matrix = [list(row) for row in segno.make_qr(link, error=ERROR_CORRECTION, boost_error=False).matrix_iter(border=4)]
    code = qr_image(link, 310)
    scale = code.width // len(matrix)
    left, top = _found(draw_poster(picture(Kind.POSTER, link=link), None), code)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            at = (top + y * scale + scale // 2) * POSTER_WIDTH + left + x * scale + scale // 2
            assert (pixels[at] < 128) == bool(dark), (x, y)
    assert scale >= 4


def _found(poster: Image.Image, code: Image.Image) -> tuple[int, int]:
    """Where the code is on the poster."""
    for top in range(1_560, POSTER_HEIGHT - code.height):
        box = (88, top, 88 + code.width, top + code.height)
        if ImageChops.difference(poster.crop(box), code).getbbox() is None:
            return 88, top
    raise AssertionError("there is no code on the poster")


def test_a_code_alone_is_an_svg_of_paths() -> None:
    """Nothing in it runs or loads, whatever the link is made of."""
    svg = draw(picture(Kind.QR, link='https://tuan.example/"><script>'), None)
    assert svg.startswith(b"<?xml")
    assert b"script" not in svg
    assert svg.count(b"http") == 1  # the name space
    with pytest.raises(ValueError, match="no code"):
        qr_svg("https://tuan.example/" + "x" * LINK_BYTES_MAX)
