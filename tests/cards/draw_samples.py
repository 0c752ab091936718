"""`python -m tests.cards.draw_samples`: draw the pictures that the documentation shows, into docs/pictures/."""

import io
from pathlib import Path

from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageFilter

from domain.sharing.language import Language
from infra.cards.easel import draw
from infra.cards.picture import Kind
from infra.cards.picturing import picture_of
from infra.views import GroupView, NextTier
from tests.cards.conftest import LINK
from tests.pages.scene import landing

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def main() -> None:
    """A card in English with a product, one in Chinese without, and a poster."""
    FOLDER.mkdir(exist_ok=True)
    english = landing(merchant_name="Green Hill Tea House", group=_almost_there())
    chinese = landing("succeeded", deal={"title": "福鼎白茶 茉莉花茶 250克 2027年春茶"}, merchant_name="绿山茶庄")
    for name, kind, shown, language, product in (
        ("card.jpg", Kind.CARD, english, Language.EN, tin()),
        ("card-zh.jpg", Kind.CARD, chinese, Language.ZH, None),
        ("poster.jpg", Kind.POSTER, english, Language.EN, tin()),
    ):
        (FOLDER / name).write_bytes(draw(picture_of(kind, shown, language, LINK), product))


def _almost_there() -> GroupView:
    return replace(landing().group, participants=3, seats_left=4, next_tier=NextTier(4, 1, 700))


def tin() -> bytes:
    """A tin of tea, as nobody has photographed it."""
    image = Image.new("RGB", (1_000, 1_000), "#efe6d8")
    ImageDraw.Draw(image).ellipse((170, 740, 830, 880), fill="#cfc0a8")
    image = image.filter(ImageFilter.GaussianBlur(28))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((330, 250, 670, 810), 48, fill="#2f5d50")
    pen.rectangle((330, 420, 670, 650), fill="#f3ead7")
    pen.rounded_rectangle((356, 186, 644, 270), 26, fill="#c59b4a")
    pen.ellipse((430, 465, 570, 605), fill="#2f5d50")
    pen.ellipse((468, 503, 532, 567), fill="#c59b4a")
    file = io.BytesIO()
    image.resize((900, 900), Image.Resampling.LANCZOS).save(file, "JPEG", quality=92)
    return file.getvalue()


if __name__ == "__main__":
    main()
