"""Pictures by what they show: drawn once, kept as long as there is room."""

from typing import Final, NamedTuple

from infra.cards.artist import Artist
from infra.cards.fetching import ImageFetcher
from infra.cards.picture import Picture
from infra.cards.products import Product, Products
from infra.cards.shelf import Shelf
from infra.cards.single_flight import SingleFlight

KEPT_BYTES_MAX: Final = 64 * 1024 * 1024
KEPT_S: Final = 24 * 3_600.0


class Drawn(NamedTuple):
    """A picture as it is sent; it is not `whole` while its product's image could not be had."""

    content: bytes
    is_whole: bool


class Pictures:
    """Draws and keeps pictures; costs nothing until the first is asked for."""

    def __init__(self, artist: Artist | None = None, fetcher: ImageFetcher | None = None) -> None:
        self.artist = artist or Artist()
        self._products = Products(fetcher or ImageFetcher(), self.artist)
        self._shelf: Shelf[Drawn] = Shelf(KEPT_BYTES_MAX)
        self._under_way: SingleFlight[Drawn] = SingleFlight()

    def must_draw(self, picture: Picture) -> bool:
        """Whether it is neither kept nor under way."""
        return self._shelf.get(picture.key) is None and not self._under_way.has(picture.key)

    async def get(self, picture: Picture) -> Drawn:
        """A picture; raises `CannotDraw`."""
        kept = self._shelf.get(picture.key)
        return kept or await self._under_way.run(picture.key, lambda: self._drawn(picture))

    async def stop(self) -> None:
        """End what is under way and the process that draws."""
        await self._under_way.stop()
        await self._products.stop()
        await self.artist.stop()

    async def _drawn(self, picture: Picture) -> Drawn:
        product = await self._products.get(picture.image_url) if picture.image_url else Product(None, KEPT_S)
        content = await self.artist.draw(picture, product.image)
        drawn = Drawn(content, is_whole=product.image is not None or not picture.image_url)
        self._shelf.put(picture.key, drawn, len(content), KEPT_S if drawn.is_whole else product.kept_s)
        return drawn
