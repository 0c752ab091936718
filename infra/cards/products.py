"""Products' images, small and ready to be drawn: kept for a while by where they come from, misses for a moment."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import structlog

from infra.cards.artist import Artist, TooCostly
from infra.cards.drawing_turns import CannotDraw
from infra.cards.fetching import ImageFetcher, NotFetched, OthersInTheWay
from infra.cards.shelf import Shelf
from infra.cards.single_flight import SingleFlight

KEPT_BYTES_MAX: Final = 32 * 1024 * 1024
KEPT_S: Final = 6 * 3_600.0
"""After that a new card asks anew, in case another image is there."""
MISSED_S: Final = 60.0
TOO_COSTLY_S: Final = 600.0
"""How long an image is not tried again that kept the process busy which makes images small, or ended it."""
ON_ITS_WAY_S: Final = 5.0
"""How long a picture goes without an image that is not known to be missing: on its way, or not tried yet."""
PATIENCE_S: Final = 3.0
"""How long a picture waits for its image; it is fetched to the end for the next one."""
REDUCING_S: Final = 3.0
"""For making one image small; the largest allowed takes a third of it."""
REDUCER_IDLE_S: Final = 30.0

_log = structlog.get_logger(__name__)


class Product(NamedTuple):
    """A product's image, None where there is none to be had now, and how long that is so."""

    image: bytes | None
    kept_s: float


def reducer() -> Artist:
    """A process only for images of strangers: one that hangs or falls holds up no drawing, and draws nobody's card."""
    return Artist(answer_timeout_s=REDUCING_S, idle_s=REDUCER_IDLE_S)


class Products:
    """Fetches images and has them made small."""

    def __init__(
        self,
        fetcher: ImageFetcher,
        artist: Artist,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetcher = fetcher
        self._artist = artist
        self._patience_s = patience_s
        self._shelf: Shelf[Product] = Shelf(KEPT_BYTES_MAX, clock)
        self._under_way: SingleFlight[Product] = SingleFlight()

    async def get(self, url: str) -> Product:
        """Its image as a small JPEG, if it comes in time."""
        kept = self._shelf.get(url)
        if kept is not None:
            return kept
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._under_way.run(url, lambda: self._fetched(url))
        except TimeoutError:
            return Product(None, ON_ITS_WAY_S)

    async def stop(self) -> None:
        await self._under_way.stop()
        await self._fetcher.close()
        await self._artist.stop()

    async def _fetched(self, url: str) -> Product:
        """The image, or nothing of it; what was not tried is not kept as a miss."""
        product = Product(None, MISSED_S)
        try:
            image = await self._artist.reduce(await self._fetcher.fetch(url))
            product = Product(image, KEPT_S) if image else product
        except (OthersInTheWay, CannotDraw) as reason:
            _log.info("product_image_not_tried", reason=str(reason))
            return Product(None, ON_ITS_WAY_S)
        except NotFetched as reason:
            _log.info("product_image_missed", reason=str(reason))
        except TooCostly:
            _log.warning("product_image_too_costly")
            product = Product(None, TOO_COSTLY_S)
        self._shelf.put(url, product, len(url) + len(product.image or b""), product.kept_s)
        return product
