"""Cookies of the pages: read with care, as anybody can send any, and written for no script and no other site.

The API itself never looks at them: whoever asks `/v1` shows a token in a header, which no other site's page can send.
"""

import re
from collections.abc import Iterator
from typing import Final

from api.answers import Answer
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
    secure = "; Secure" if _is_secure(settings) else ""
    lifetime = lifetime_s if value else 0
    written = f"{_full_name(settings, name)}={value}; Path=/; Max-Age={lifetime}; HttpOnly; SameSite=Lax{secure}"
    request.scope.setdefault("set_cookies", {})[name] = written.encode()  # type: ignore[typeddict-item]  # ours


def cookie_headers(request: AnyRequest) -> list[tuple[bytes, bytes]]:
    """What is to be sent, the last of each name."""
    written: dict[str, bytes] = request.scope.get("set_cookies", {})  # type: ignore[assignment]  # ours
    return [(b"set-cookie", value) for value in written.values()]


def with_cookies(request: AnyRequest, answer: Answer) -> Answer:
    """The answer with what is to be sent; one that others share stays as it is."""
    cookies = cookie_headers(request)
    if not cookies:
        return answer
    own = Answer.__new__(Answer)
    own.status, own.body, own.headers = answer.status, answer.body, [*answer.headers, *cookies]
    return own


def _full_name(settings: Settings, name: str) -> str:
    """`__Host-` lets browsers take it from this very host alone, over TLS; they refuse it in the clear."""
    return f"__Host-{name}" if _is_secure(settings) else name


def _is_secure(settings: Settings) -> bool:
    return settings.origin.startswith("https://")


def _pairs(request: AnyRequest) -> Iterator[tuple[str, str]]:
    sent = [value for name, value in request.scope["headers"] if name == b"cookie"]
    if sum(map(len, sent)) > HEADER_BYTES_MAX:
        return
    for header in sent:
        for pair in header.decode("latin-1").split(";"):
            name, _, value = pair.strip().partition("=")
            yield name, value
