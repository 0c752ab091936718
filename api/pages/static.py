"""What pages load besides themselves: each file at an address made of its content, so it is kept for ever."""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from litestar.exceptions import NotFoundException

from api.answers import Answer
from api.pages.encodings import packed, takes_gzip
from api.requests import AnyRequest
from api.routing import route

_OURS: Final = Path(__file__).parent / "static"
_HTMX: Final = files("django_htmx") / "static" / "django_htmx"
_SOURCES: Final[dict[str, tuple[Traversable | Path, ...]]] = {
    "page.css": (_OURS / "page.css",),
    "page.js": (_OURS / "page.js",),
    "icon.svg": (_OURS / "icon.svg",),
    "htmx.js": (_HTMX / "htmx-4.min.js", _HTMX / "ext" / "hx-sse-4.min.js"),
}
"""What each file is made of: htmx looks for its extensions as soon as it is there, so the one we use is in its file."""
_TYPES: Final = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
_BEST: Final = 9
_VARY: Final = (b"vary", b"Accept-Encoding")
_KEPT: Final = ((b"cache-control", b"public, max-age=31536000, immutable"), _VARY)
_ASKED_AGAIN: Final = ((b"cache-control", b"no-cache"), _VARY)


@route("GET", "/static/{fingerprint}/{name}")
async def static_file(request: AnyRequest) -> Answer:
    """A file under the address that pages name; under an old fingerprint it is the present one, not kept."""
    path: dict[str, str] = request.scope["path_params"]
    name = path["name"]
    if name not in _SOURCES:
        raise NotFoundException
    content, fingerprint = _read(name)
    headers = _KEPT if path["fingerprint"] == fingerprint else _ASKED_AGAIN
    media_type = _TYPES[name.rsplit(".", 1)[1]]
    if takes_gzip(request):
        return Answer(200, _packed(name), (*headers, (b"content-encoding", b"gzip")), media_type)
    return Answer(200, content, headers, media_type)


def address_of(name: str) -> str:
    """Where a page finds a file."""
    return f"/static/{_read(name)[1]}/{name}"


@cache
def _read(name: str) -> tuple[bytes, str]:
    content = b"\n;\n".join(part.read_bytes() for part in _SOURCES[name])
    return content, hashlib.blake2b(content, digest_size=8).hexdigest()


@cache
def _packed(name: str) -> bytes:
    return packed(_read(name)[0], _BEST)
