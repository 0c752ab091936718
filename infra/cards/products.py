"""Products' images, small and ready to be drawn: kept for a while by where they come from, misses for a moment."""

from typing import Final, NamedTuple

import structlog

from infra.cards.artist import Artist
from infra.cards.fetching import ImageFetcher, NotFetched, OthersInTheWay
from infra.cards.shelf import Shelf
from infra.cards.single_flight import SingleFlight

KEPT_BYTES_MAX: Final = 16 * 1024 * 1024
KEPT_S: Final = 3_600.0
MISSED_S: Final = 60.0
IN_THE_WAY_S: Final = 5.0
"""How long a picture goes without an image that was not tried, as others were in the way."""

_log = structlog.get_logger(__name__)


class Product(NamedTuple):
    """A product's image, None where there is none to be had now, and how long that is so."""

    image: bytes | None
    kept_s: float


class Products:
    """Fetches images and has them made small."""

    def __init__(self, fetcher: ImageFetcher, artist: Artist) -> None:
        self._fetcher = fetcher
        self._artist = artist
        self._shelf: Shelf[Product] = Shelf(KEPT_BYTES_MAX)
        self._under_way: SingleFlight[Product] = SingleFlight()

    async def get(self, url: str) -> Product:
        """Its image as a small JPEG. Raises `CannotDraw`."""
        return self._shelf.get(url) or await self._under_way.run(url, lambda: self._fetched(url))

    async def stop(self) -> None:
        await self._under_way.stop()
        await self._fetcher.close()

    async def _fetched(self, url: str) -> Product:
        """The image, or nothing of it; what was not tried is not kept as a miss."""
        product = Product(None, MISSED_S)
        try:
            image = await self._artist.reduce(await self._fetcher.fetch(url))
            product = Product(image, KEPT_S) if image else product
        except OthersInTheWay as reason:
            _log.info("product_image_not_tried", reason=str(reason))
            return Product(None, IN_THE_WAY_S)
        except NotFetched as reason:
            _log.info("product_image_missed", reason=str(reason))
        self._shelf.put(url, product, len(url) + len(product.image or b""), product.kept_s)
        return product
