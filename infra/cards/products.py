"""Products' images, small and ready to be drawn: kept for a while by where they come from, misses for a moment."""

from typing import Final

import structlog

from infra.cards.artist import Artist
from infra.cards.fetching import ImageFetcher, NotFetched
from infra.cards.shelf import Shelf
from infra.cards.single_flight import SingleFlight

KEPT_BYTES_MAX: Final = 16 * 1024 * 1024
KEPT_S: Final = 3_600.0
MISSED_S: Final = 60.0

_log = structlog.get_logger(__name__)


class Products:
    """Fetches images and has them made small."""

    def __init__(self, fetcher: ImageFetcher, artist: Artist) -> None:
        self._fetcher = fetcher
        self._artist = artist
        self._shelf: Shelf[bytes] = Shelf(KEPT_BYTES_MAX)
        self._under_way: SingleFlight[bytes] = SingleFlight()

    async def get(self, url: str) -> bytes | None:
        """A small JPEG; None where there is none to be had now. Raises `CannotDraw`."""
        kept = self._shelf.get(url)
        if kept is None:
            kept = await self._under_way.run(url, lambda: self._fetched(url))
        return kept or None

    async def stop(self) -> None:
        await self._under_way.stop()
        await self._fetcher.close()

    async def _fetched(self, url: str) -> bytes:
        """The image, or nothing of it."""
        try:
            small = await self._artist.reduce(await self._fetcher.fetch(url)) or b""
        except NotFetched as reason:
            _log.info("product_image_missed", reason=str(reason))
            small = b""
        self._shelf.put(url, small, len(url) + len(small), KEPT_S if small else MISSED_S)
        return small
