"""What only the sandbox and its merchant know: the key that webhooks are signed with, as providers do it.

`tuan-sandbox-signature: t=<seconds since 1970>,v1=<HMAC-SHA256 over "t.body", in hex>`.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from infra.cannot_start import BadKey
from infra.key_files import key_file, read_key
from infra.payments.port import WebhookRefused
from infra.settings import Settings
from infra.signed_bodies import mac

SIGNATURE_HEADER = "tuan-sandbox-signature"
TOLERANCE = timedelta(seconds=300)
KEY_BYTES = 32
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def sandbox_key(settings: Settings) -> bytes:
    """The key in the data directory, made at its first use."""
    file = key_file(settings.data_dir, "sandbox-webhooks.key", lambda: secrets.token_hex(KEY_BYTES).encode())
    try:
        key = bytes.fromhex(read_key(file).decode().strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise BadKey(f"{file} is no key of {KEY_BYTES} bytes in hex; remove it and a new one is made.")
    return key


def verify(key: bytes, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
    """Raises WebhookRefused for a body that is not signed with the key, or was signed too long ago."""
    given = headers.get(SIGNATURE_HEADER)
    if given is None:
        raise WebhookRefused(f"The webhook has no {SIGNATURE_HEADER}.")
    parts = _SIGNATURE.fullmatch(given)
    if parts is None:
        raise WebhookRefused(f"The {SIGNATURE_HEADER} cannot be read; it is t=<seconds>,v1=<64 hex digits>.")
    seconds, given_mac = int(parts[1]), parts[2]
    if not hmac.compare_digest(given_mac, mac(key, seconds, body)):
        raise WebhookRefused(f"The {SIGNATURE_HEADER} is not of this body.")
    if abs(now.timestamp() - seconds) > TOLERANCE.total_seconds():
        raise WebhookRefused(f"The webhook was not signed within {TOLERANCE.total_seconds():.0f} s of now.")


def client_secret(key: bytes, order_id: UUID) -> str:
    """What proves that an app was given this payment to finish."""
    return "step_" + hmac.new(key, b"step " + order_id.bytes, hashlib.sha256).hexdigest()[:40]
