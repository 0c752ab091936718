"""Answers: a status, a few headers and bytes, sent as they are."""

import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

from api.requests import AnyRequest, header

JSON = b"application/json"
NOT_KEPT = ((b"cache-control", b"no-cache"), (b"vary", b"Authorization"))
"""Lists change with every join: nobody keeps them."""
PRIVATE = ((b"cache-control", b"private, no-cache"), (b"vary", b"Authorization"))

encode = msgspec.json.Encoder().encode

Headers = Sequence[tuple[bytes, bytes]]


class Answer:
    """A whole answer, ready to be sent: an ASGI app, so the framework sends it without looking inside."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes, headers: Headers = (), media_type: bytes = JSON) -> None:
        self.status = status
        self.body = body
        self.headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), *headers]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - part of ASGI
        """Send it; without the body where only the head was asked for."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        body = b"" if scope.get("method") == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def to_asgi_response(self, **_: object) -> "Answer":
        """What the framework asks of an answer made by an exception handler."""
        return self


class NothingToSay(Answer):
    """204: it is done."""

    __slots__ = ()

    def __init__(self, headers: Headers = ()) -> None:
        self.status, self.body, self.headers = 204, b"", list(headers)


def answered(value: Any, status: int = 200, headers: Headers = ()) -> Answer:  # noqa: ANN401 - whatever JSON can say
    """A value as JSON."""
    return Answer(status, encode(value), headers)


def resource(request: AnyRequest, body: bytes, version: int, *, is_private: bool) -> Answer:
    """A single resource with its weak ETag; 304 where the caller has this state already."""
    tag = tag_of(body, version)
    cache_control = b"private, no-cache" if is_private else b"no-cache"
    headers = ((b"etag", tag), (b"cache-control", cache_control), (b"vary", b"Authorization"))
    known = header(request, b"if-none-match")
    if known is None or not names_tag(known, tag):
        return Answer(200, body, headers)
    unchanged = Answer(304, b"", headers)
    unchanged.headers = list(headers)
    return unchanged


def tag_of(body: bytes, version: int) -> bytes:
    """The weak ETag of a state: its row's version and a checksum of what is shown.

    Stock, time and the caller's own place change a representation without a new version.
    """
    return b'W/"%d.%08x"' % (version, zlib.crc32(body))


def names_tag(tags: bytes, tag: bytes) -> bool:
    """Weak comparison (RFC 9110, 8.8.3.2) with any of a list of tags."""
    opaque = tag.removeprefix(b"W/")
    return any(one == b"*" or one.removeprefix(b"W/") == opaque for one in map(bytes.strip, tags.split(b",")))
