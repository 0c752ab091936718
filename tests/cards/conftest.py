"""What pictures are made from, a process that draws them, and a host of images."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image

from domain.sharing.language import Language
from infra.cards.artist import Artist
from infra.cards.fetching import ImageFetcher, NotFetched
from infra.cards.picture import Kind, Picture
from infra.cards.picturing import picture_of
from tests.cards.image_host import ImageHost, image_host
from tests.pages.scene import CODE, ORIGIN, landing

LINK = f"{ORIGIN}/i/{CODE}"
TIMEOUT_S = 0.5
"""For those who are meant to be too slow."""
AMPLE_S = 5
"""For those who are not, also on a busy machine."""


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


@pytest.fixture
async def host() -> AsyncIterator[ImageHost]:
    async with image_host() as made:
        yield made


@pytest.fixture
async def fetcher(host: ImageHost) -> AsyncIterator[ImageFetcher]:
    made = ImageFetcher(may_reach=host.may_reach, resolver=host.resolve, timeout_s=AMPLE_S)
    yield made
    await made.close()


async def reason_of(fetcher: ImageFetcher, url: str) -> str:
    """Why an address is not fetched; in time."""
    begun = time.monotonic()
    with pytest.raises(NotFetched) as refused:
        await fetcher.fetch(url)
    assert time.monotonic() - begun < AMPLE_S
    return str(refused.value)
