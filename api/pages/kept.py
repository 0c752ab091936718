"""Pages as they are sent, made once for all who open the same link in the same state and language.

Nothing in them is a visitor's own. What a page shows is compared each time, so what is kept is never shown after it has
changed; only making it again is spared.
"""

import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from api.answers import Answer, names_tag
from api.pages.encodings import packed, takes_gzip
from api.pages.showing import HTML, POLICY
from api.requests import AnyRequest, header
from domain.sharing.language import Language

PAGES_MAX: Final = 1_000
"""About 25 MB of them."""
VARY: Final = b"Accept-Language, Accept-Encoding"


class Kept:
    """One page, plain and packed; packed when it is first asked for so."""

    __slots__ = ("_headers", "_packed", "_plain", "_unchanged", "content", "tag")

    def __init__(self, content: bytes, language: Language, version: int, *, is_for_search: bool) -> None:
        self.tag = b'W/"%d.%08x"' % (version, zlib.crc32(content))
        self.content = content
        self._headers = (
            (b"etag", self.tag),
            (b"cache-control", b"no-cache"),
            (b"vary", VARY),
            (b"content-language", language.encode()),
            (b"content-security-policy", POLICY),
            *(() if is_for_search else ((b"x-robots-tag", b"noindex"),)),
        )
        self._plain = Answer(200, content, self._headers, HTML)
        self._packed: Answer | None = None
        self._unchanged = Answer(304, b"")
        self._unchanged.headers = list(self._headers)  # no type and no length: neither would be the page's

    def answer(self, request: AnyRequest) -> Answer:
        """The page, as its reader can take it; 304 for one who has it."""
        known = header(request, b"if-none-match")
        if known is not None and names_tag(known, self.tag):
            return self._unchanged
        if not takes_gzip(request):
            return self._plain
        if self._packed is None:
            self._packed = Answer(200, packed(self.content), ((b"content-encoding", b"gzip"), *self._headers), HTML)
        return self._packed


class _Page(NamedTuple):
    shows: object
    kept: Kept


class Pages:
    """The pages opened last in this process."""

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple[str, Language], _Page] = OrderedDict()

    def get(self, path: str, language: Language, shows: object, make: Callable[[], Kept]) -> Kept:
        """The page at a path, made only if none is kept that shows the same."""
        key = (path, language)
        page = self._pages.get(key)
        if page is None or page.shows != shows:
            page = self._pages[key] = _Page(shows, make())
            if len(self._pages) > PAGES_MAX:
                self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        return page.kept
