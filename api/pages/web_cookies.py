"""Cookies of the pages: read with care, as anybody can send any, and written for no script and no other site.

The API itself never looks at them: whoever asks `/v1` shows a token in a header, which no other site's page can send.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from litestar.types import Scope

from api.requests import AnyRequest, runtime_of
from infra.settings import Settings

HEADER_BYTES_MAX: Final = 8_192
"""Of all cookies of a request together; of more, as browsers hardly send, none is read."""
VALUE_CHARACTERS_MAX: Final = 3_800
"""With name and attributes it stays below the 4,096 bytes that browsers keep (RFC 6265, 6.1)."""

_VALUE: Final = re.compile(rf"[A-Za-z0-9._~-]{{1,{VALUE_CHARACTERS_MAX}}}")


def cookie_of(request: AnyRequest, name: str) -> str | None:
    """The value of a cookie of ours; None for what we never wrote."""
    wanted = _full_name(runtime_of(request).settings, name)
    value = next((value for found, value in _pairs(request) if found == wanted), None)
    return value if value is not None and _VALUE.fullmatch(value) else None


def set_cookie(request: AnyRequest, name: str, value: str, lifetime_s: int) -> None:
    """Send a cookie with whatever answers this request; with an empty value it is taken away."""
    settings = runtime_of(request).settings
    secure = "; Secure" if is_secure(settings) else ""
    lifetime = lifetime_s if value else 0
    written = f"{_full_name(settings, name)}={value}; Path=/; Max-Age={lifetime}; HttpOnly; SameSite=Lax{secure}"
    request.scope.setdefault("set_cookies", {})[name] = written.encode()  # type: ignore[typeddict-item]  # ours


def with_cookies(scope: Scope, head: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The head of an answer with the cookies that were set on the way to it; no cache then gives it to anybody else.

    What is new goes out with refusals and faults, too: a refresh token whose successor got lost would end its session.
    """
    written: dict[str, bytes] = scope["set_cookies"]  # type: ignore[typeddict-item]  # ours, see set_cookie
    kept = next((value for name, value in head if name == b"cache-control"), b"no-store")
    private = kept if b"no-store" in kept else b"private, no-cache"
    others = [(name, value) for name, value in head if name != b"cache-control"]
    return [*others, (b"cache-control", private), *((b"set-cookie", cookie) for cookie in written.values())]


def is_secure(settings: Settings) -> bool:
    """Whether people know us by https."""
    return settings.origin.startswith("https://")


def _full_name(settings: Settings, name: str) -> str:
    """`__Host-` lets browsers take it from this very host alone, over TLS; they refuse it in the clear."""
    return f"__Host-{name}" if is_secure(settings) else name


def _pairs(request: AnyRequest) -> Iterator[tuple[str, str]]:
    sent = [value for name, value in request.scope["headers"] if name == b"cookie"]
    if sum(map(len, sent)) > HEADER_BYTES_MAX:
        return
    for header in sent:
        for pair in header.decode("latin-1").split(";"):
            name, _, value = pair.strip().partition("=")
            yield name, value
