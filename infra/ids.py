"""Identifiers and codes: the only place where chance enters."""

import secrets
import time
from uuid import UUID

_INVITE_CODE_BYTES = 12
_last_millisecond = 0
_counter = 0


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): time-ordered to the millisecond, and within one process always rising."""
    global _last_millisecond, _counter  # noqa: PLW0603 - the order within a process needs the last value kept
    millisecond = time.time_ns() // 1_000_000
    if millisecond <= _last_millisecond:
        millisecond = _last_millisecond
        _counter += 1
        if _counter > 0xFFF:
            millisecond, _counter = millisecond + 1, 0
    else:
        _counter = secrets.randbits(11)
    _last_millisecond = millisecond
    value = (millisecond & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | _counter << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


def new_invite_code() -> str:
    """An unguessable code of 96 random bits, safe in an address."""
    return secrets.token_urlsafe(_INVITE_CODE_BYTES)
