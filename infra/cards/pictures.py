"""Pictures by what they show: drawn once, kept as long as there is room."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from infra.cards.artist import Artist
from infra.cards.fetching import ImageFetcher
from infra.cards.picture import Kind, Picture
from infra.cards.products import PATIENCE_S, Product, Products, reducer
from infra.cards.shelf import Shelf
from infra.cards.single_flight import SingleFlight

KEPT_S: Final = 24 * 3_600.0


class Bounds(NamedTuple):
    """How long a picture waits for its image, and how much is kept: of cards, and of what one link has for itself.

    The two are apart, so that no number of posters pushes a card out.
    """

    patience_s: float = PATIENCE_S
    cards_bytes: int = 40 * 1024 * 1024
    own_bytes: int = 8 * 1024 * 1024


DEFAULT: Final = Bounds()


class Drawn(NamedTuple):
    """A picture as it is sent; it is not `whole` while its product's image could not be had."""

    content: bytes
    is_whole: bool


class Pictures:
    """Draws and keeps pictures; costs nothing until the first is asked for."""

    def __init__(
        self,
        artist: Artist | None = None,
        fetcher: ImageFetcher | None = None,
        *,
        reducing: Artist | None = None,
        bounds: Bounds = DEFAULT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._artist = artist or Artist()
        fetches, reduces = fetcher or ImageFetcher(), reducing or reducer()
        self._products = Products(fetches, reduces, patience_s=bounds.patience_s, clock=clock)
        self._cards: Shelf[Drawn] = Shelf(bounds.cards_bytes, clock)
        self._own: Shelf[Drawn] = Shelf(bounds.own_bytes, clock)
        self._under_way: SingleFlight[Drawn] = SingleFlight()

    def must_draw(self, picture: Picture) -> bool:
        """Whether it is neither kept nor under way."""
        return self._shelf_of(picture).get(picture.key) is None and not self._under_way.has(picture.key)

    async def get(self, picture: Picture) -> Drawn:
        """A picture; raises `CannotDraw`."""
        kept = self._shelf_of(picture).get(picture.key)
        return kept or await self._under_way.run(picture.key, lambda: self._drawn(picture))

    async def stop(self) -> None:
        """End what is under way and the processes that do it."""
        await self._under_way.stop()
        await self._products.stop()
        await self._artist.stop()

    async def _drawn(self, picture: Picture) -> Drawn:
        product = await self._products.get(picture.image_url) if picture.image_url else Product(None, KEPT_S)
        content = await self._artist.draw(picture, product.image)
        drawn = Drawn(content, is_whole=product.image is not None or not picture.image_url)
        lifetime_s = KEPT_S if drawn.is_whole else product.kept_s
        self._shelf_of(picture).put(picture.key, drawn, len(content), lifetime_s)
        return drawn

    def _shelf_of(self, picture: Picture) -> Shelf[Drawn]:
        return self._cards if picture.kind is Kind.CARD else self._own
