"""One-time codes: sent to a phone number or an address, kept as a keyed hash, tried five times, used once."""

import hashlib
import hmac
import secrets
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.code import DIGITS, LIFETIME_S, TRIES_MAX
from infra.key_files import key_file, read_key
from infra.settings import Settings

KEY_BYTES = 32

_KEEP = text("""
  INSERT INTO sign_in_codes (channel, address, code_hash, expires_at)
  VALUES (:channel, :address, :code_hash, clock_timestamp() + make_interval(secs => :lifetime_s))
  ON CONFLICT (channel, address) DO UPDATE SET code_hash = EXCLUDED.code_hash, expires_at = EXCLUDED.expires_at,
    sent_at = clock_timestamp(), tries = 0, used_at = NULL""")
_TRY = text("""
  UPDATE sign_in_codes SET tries = tries + 1
  WHERE channel = :channel AND address = :address AND used_at IS NULL AND expires_at > clock_timestamp()
    AND tries < :tries_max
  RETURNING code_hash""")
_USE = text("""
  UPDATE sign_in_codes SET used_at = clock_timestamp()
  WHERE channel = :channel AND address = :address""")


class Channel(StrEnum):
    """How a code travels."""

    PHONE = "phone"
    EMAIL = "email"


class Recipient(NamedTuple):
    """Where a code goes: a phone number (E.164) or an address in its one spelling."""

    channel: Channel
    address: str


class Codes:
    """Makes codes and judges guesses."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = b""

    async def make(self, connection: AsyncConnection, recipient: Recipient) -> str:
        """A new code in the place of the one before; to be sent once the transaction is committed."""
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        values = {"code_hash": self._hash(recipient, code), "lifetime_s": LIFETIME_S}
        await connection.execute(_KEEP, _named(recipient) | values)
        return code

    async def use(self, connection: AsyncConnection, recipient: Recipient, guess: str) -> bool:
        """Whether the guess is the code, which is used then; every guess counts, so commit whatever comes out.

        The row stays locked until then: two at once are judged one after the other.
        """
        kept = (await connection.execute(_TRY, _named(recipient) | {"tries_max": TRIES_MAX})).scalar_one_or_none()
        if kept is None or not hmac.compare_digest(kept, self._hash(recipient, guess)):
            return False
        await connection.execute(_USE, _named(recipient))
        return True

    def _hash(self, recipient: Recipient, code: str) -> bytes:
        if not self._key:
            self._key = read_key(key_file(self._settings.data_dir, "codes.key", lambda: secrets.token_bytes(KEY_BYTES)))
        told = f"{recipient.channel}\0{recipient.address}\0{code}"
        return hmac.digest(self._key, told.encode(), hashlib.sha256)


def _named(recipient: Recipient) -> dict[str, object]:
    return {"channel": recipient.channel, "address": recipient.address}
