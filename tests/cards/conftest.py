"""What pictures are made from, and a process that draws them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image

from domain.sharing.language import Language
from infra.cards.artist import Artist
from infra.cards.picture import Kind, Picture
from infra.cards.picturing import picture_of
from tests.pages.scene import CODE, ORIGIN, landing

LINK = f"{ORIGIN}/i/{CODE}"


@pytest.fixture
async def artist() -> AsyncIterator[Artist]:
    made = Artist(answer_timeout_s=20)
    yield made
    await made.stop()


def picture(kind: Kind = Kind.CARD, state: str = "tipped", language: Language = Language.EN, **changes: Any) -> Picture:
    """A picture of a group in a state, with changes; without its product's image."""
    shown = picture_of(kind, landing(state), language, LINK)
    return replace(shown, **({"image_url": None} | changes))


def product(size: tuple[int, int] = (640, 480), colour: str = "#2f5d50") -> Image.Image:
    return Image.new("RGB", size, colour)
