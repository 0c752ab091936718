"""Smaller on the way: bytes as gzip for whoever takes that (RFC 9110, 12.5.3), packed once."""

import gzip
from functools import lru_cache
from typing import Final

from api.requests import AnyRequest, header

LEVEL: Final = 6
HEADERS_REMEMBERED_MAX: Final = 256
HEADER_BYTES_MAX: Final = 256
"""What is read of the header: browsers send some thirty bytes."""


def packed(content: bytes, level: int = LEVEL) -> bytes:
    """The content as gzip, the same bytes whenever it is asked for."""
    return gzip.compress(content, level, mtime=0)


def takes_gzip(request: AnyRequest) -> bool:
    """Whether the caller can unpack it."""
    said = header(request, b"accept-encoding")
    return said is not None and len(said) <= HEADER_BYTES_MAX and _allows_gzip(said)


@lru_cache(HEADERS_REMEMBERED_MAX)
def _allows_gzip(said: bytes) -> bool:
    weights = {}
    for entry in said.lower().split(b","):
        name, _, parameter = entry.partition(b";")
        weights[name.strip()] = _weight(parameter.strip())
    return weights.get(b"gzip", weights.get(b"*", 0.0)) > 0


def _weight(parameter: bytes) -> float:
    if not parameter:
        return 1.0
    try:
        return float(parameter.removeprefix(b"q=").strip())
    except ValueError:
        return 0.0
