"""The name of a request: the caller's own where it is sane, else one of ours; answers and the audit log carry it."""

import re
import secrets
from itertools import count
from typing import Any, Final

HEADER: Final = b"x-request-id"
CHARACTERS_MAX: Final = 100

_SANE: Final = re.compile(rb"[A-Za-z0-9._:+/=@-]{1,100}")
_OF_PROCESS: Final = secrets.token_hex(8)
_numbers: Final = count(1)


def request_id_of(scope: Any) -> str:  # noqa: ANN401 - a scope of ASGI, where what is ours has no type
    """What the request of this scope is called, the same whenever it is asked."""
    known: str | None = scope.get("request_id")
    if known is not None:
        return known
    request_id = scope["request_id"] = _given(scope) or f"{_OF_PROCESS}-{next(_numbers):x}"
    return request_id


def _given(scope: Any) -> str | None:  # noqa: ANN401 - as above
    for name, value in scope["headers"]:
        if name == HEADER:
            return value.decode() if _SANE.fullmatch(value) else None
    return None
