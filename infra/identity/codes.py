"""One-time codes: sent to a phone number or an address, tried five times, used once.

A code is kept nowhere, not even hashed: it is made of its address, a salt in its row and a key that is in no database,
so the table without the key tells nothing, and the same code can be sent again.

Asked for again within a minute it is the same code with the tries that are left, so messages that overtake each other
do no harm; where none are left it is a new one, so nobody is shut out by somebody else's guesses. How many codes an
address, a phone prefix or a caller may ask for, and with that how many guesses there are, is the limiter's to say.

A try is counted and committed before the guess is compared: five are, whatever comes at once, breaks off or dies.
"""

import hashlib
import hmac
import secrets
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.identity.code import DIGITS, LIFETIME_S, SAME_FOR_S, TRIES_MAX
from infra.cannot_start import BadKey
from infra.key_files import key_file, read_key
from infra.settings import Settings

KEY_BYTES = 32
SALT_BYTES = 16

# Whether it is the same code is asked of the row's times, so that the answers agree: a clock goes on meanwhile.
_IS_THE_SAME = """kept.used_at IS NULL AND kept.tries < :tries_max
    AND kept.made_at > EXCLUDED.made_at - make_interval(secs => :same_for_s)"""
_KEEP = text(f"""
  INSERT INTO sign_in_codes AS kept (channel, address, salt, expires_at)
  VALUES (:channel, :address, :salt, clock_timestamp() + make_interval(secs => :lifetime_s))
  ON CONFLICT (channel, address) DO UPDATE SET expires_at = EXCLUDED.expires_at, used_at = NULL,
    salt = CASE WHEN {_IS_THE_SAME} THEN kept.salt ELSE EXCLUDED.salt END,
    made_at = CASE WHEN {_IS_THE_SAME} THEN kept.made_at ELSE EXCLUDED.made_at END,
    tries = CASE WHEN {_IS_THE_SAME} THEN kept.tries ELSE 0 END
  RETURNING salt""")  # noqa: S608 - a constant
_TRY = text("""
  UPDATE sign_in_codes SET tries = tries + 1
  WHERE channel = :channel AND address = :address AND used_at IS NULL AND expires_at > clock_timestamp()
    AND tries < :tries_max
  RETURNING salt""")
_USE = text("""
  UPDATE sign_in_codes SET used_at = clock_timestamp()
  WHERE channel = :channel AND address = :address AND salt = :salt AND used_at IS NULL""")


class Channel(StrEnum):
    """How a code travels."""

    PHONE = "phone"
    EMAIL = "email"


class Recipient(NamedTuple):
    """Where a code goes: a phone number (E.164) or an address in its one spelling."""

    channel: Channel
    address: str


class RightGuess(NamedTuple):
    """A guess that was right: what `use` is given."""

    recipient: Recipient
    salt: bytes


class Codes:
    """Makes codes and judges guesses."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self._data_dir = settings.data_dir
        self._at_once = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._key = given_key(settings)

    async def make(self, recipient: Recipient) -> str:
        """The code to send: a new one in the place of the one before, or the same where that is young and not used."""
        made = {"salt": secrets.token_bytes(SALT_BYTES), "lifetime_s": LIFETIME_S, "same_for_s": SAME_FOR_S}
        made["tries_max"] = TRIES_MAX
        async with self._at_once.connect() as connection:
            salt = (await connection.execute(_KEEP, _named(recipient) | made)).scalar_one()
        return self._code(recipient, salt)

    async def judge(self, recipient: Recipient, guess: str) -> RightGuess | None:
        """Whether a guess is right; it counts either way. Whoever is right has still to `use` it, as only one can."""
        async with self._at_once.connect() as connection:
            tried = await connection.execute(_TRY, _named(recipient) | {"tries_max": TRIES_MAX})
            salt = tried.scalar_one_or_none()
        code = self._code(recipient, salt or bytes(SALT_BYTES))  # as much work where there is nothing to compare
        is_right = hmac.compare_digest(code.encode(), guess.encode())
        return RightGuess(recipient, salt) if salt is not None and is_right else None

    async def use(self, connection: AsyncConnection, right: RightGuess) -> bool:
        """Whether the code of a right guess is used by this transaction, and was by none before."""
        used = await connection.execute(_USE, _named(right.recipient) | {"salt": right.salt})
        return used.rowcount == 1

    def _code(self, recipient: Recipient, salt: bytes) -> str:
        self._key = self._key or _own_key(self._data_dir)
        named = f"{recipient.channel}\0{recipient.address}\0".encode()
        number = int.from_bytes(hmac.digest(self._key, named + salt, hashlib.sha256))
        return f"{number % 10**DIGITS:0{DIGITS}}"


def given_key(settings: Settings) -> bytes:
    """The key in the file that the settings name, if they do; raises `BadKey`."""
    file = settings.codes_key_file
    key = read_key(file) if file else b""
    if file and len(key) < KEY_BYTES:
        raise BadKey(f"TUAN_CODES_KEY_FILE: {file} is too short; make a key with: openssl rand -out {file} {KEY_BYTES}")
    return key


def codes_key(settings: Settings) -> bytes:
    """The key in use, given or the data directory's own; raises `BadKey`."""
    return given_key(settings) or _own_key(settings.data_dir)


def _own_key(data_dir: Path) -> bytes:
    return read_key(key_file(data_dir, "codes.key", lambda: secrets.token_bytes(KEY_BYTES)))


def _named(recipient: Recipient) -> dict[str, object]:
    return {"channel": recipient.channel, "address": recipient.address}
