"""What every answer carries, errors and 404 included: headers of security, of limits, and for pages of other origins.

They are put on as the head leaves, in one place: whoever makes an answer cannot forget them.
"""

from typing import Final

from litestar.types import Message, Scope

from api.pages.web_cookies import with_cookies
from api.request_ids import HEADER as REQUEST_ID
from api.request_ids import request_id_of
from infra.settings import Settings

JSON_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY: Final = (
    b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""For the pages we make: styles of their own, a form to themselves, no script at all."""

ANY_ORIGIN: Final = "*"
PREFLIGHT_KEPT_S: Final = 600
READABLE: Final = (
    b"ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"
)
SENDABLE: Final = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Tuan-Merchant, X-Request-Id"
)

OURS_ALONE: Final = ("/dev/", "/i/", "/g/")
"""What no page of another origin reads: our own pages, which know people by cookies, and the inbox of development."""

_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"server", b"tuan"),  # else the server writes its own name here
)
_Pairs = tuple[tuple[bytes, bytes], ...]


class ResponseHeaders:
    """Adds what belongs on every answer to its head."""

    def __init__(self, settings: Settings) -> None:
        always: _Pairs = _ALWAYS
        if settings.hsts_s:
            always = (*always, (b"strict-transport-security", b"max-age=%d" % settings.hsts_s))
        self._always = always
        self._of_data: _Pairs = (*always, (b"content-security-policy", JSON_POLICY))
        self._of_pages: _Pairs = (*always, (b"content-security-policy", PAGE_POLICY))
        self._origins = frozenset(origin.encode() for origin in settings.cors_origins)

    async def add(self, message: Message, scope: Scope) -> None:
        """Called with every message that leaves; only heads are changed."""
        if message["type"] != "http.response.start":
            return
        headers = list(message["headers"])  # an answer's own list may be sent again
        if "set_cookies" in scope:
            headers = with_cookies(scope, headers)
        is_page = headers and headers[0][1].startswith(b"text/html")  # answers begin with their content type
        has_policy = any(name == b"content-security-policy" for name, _ in headers)
        headers += self._always if has_policy else self._of_pages if is_page else self._of_data
        headers.append((REQUEST_ID, request_id_of(scope).encode()))
        if "rate_limit" in scope:
            headers += scope["rate_limit"]  # type: ignore[typeddict-item]  # ours, see api.limiting
        if self._origins and not scope["path"].startswith(OURS_ALONE):
            headers += self._of_origin(scope, headers)
        message["headers"] = headers

    def _of_origin(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> _Pairs:
        """What lets a page of another origin read the answer (WHATWG Fetch, 3.3)."""
        anyone = ANY_ORIGIN.encode() in self._origins
        varies: _Pairs = () if anyone else ((b"vary", b"Origin"),)
        origin = _header(scope, b"origin")
        if origin is None or not (anyone or origin in self._origins):
            return varies
        allowed = (b"access-control-allow-origin", ANY_ORIGIN.encode() if anyone else origin)
        if scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method") is not None:  # type: ignore[typeddict-item]  # only heads of HTTP come here
            return (*varies, allowed, *_of_preflight(headers))
        return (*varies, allowed, (b"access-control-expose-headers", READABLE))


def _of_preflight(headers: list[tuple[bytes, bytes]]) -> _Pairs:
    """What may be sent to this address: the methods that its own answer to OPTIONS tells."""
    methods = next((value for name, value in headers if name == b"allow"), b"")
    return (
        (b"access-control-allow-methods", methods),
        (b"access-control-allow-headers", SENDABLE),
        (b"access-control-max-age", b"%d" % PREFLIGHT_KEPT_S),
    )


def _header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            return value
    return None
