"""Signing what goes over HTTP with a key both sides know.

`t=<seconds since 1970>,v1=<HMAC-SHA256 over "t.body", in hex>`.
"""

import hashlib
import hmac
from datetime import datetime


def signature(key: bytes, body: bytes, at: datetime) -> str:
    """The header's value for a body sent at a moment."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={mac(key, seconds, body)}"


def mac(key: bytes, seconds: int, body: bytes) -> str:
    """What proves that whoever has the key sent the body at that second."""
    return hmac.new(key, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
