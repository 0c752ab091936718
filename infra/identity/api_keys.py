"""API keys: how a merchant's own systems speak for it.

A key is `tuan_sk_<12 hex digits>_<256 random bits>`. What comes before the bits is its prefix, always shown and how it
is found; the whole is shown once and kept as SHA-256: of so many random bits nothing slower is needed.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.errors import ApiKeyNotFound, TooManyApiKeys
from domain.identity.merchant import KEYS_MAX, KeyTerms
from infra.identity.revocations import Revoked, revoke
from infra.ids import new_id

BEGINNING: Final = "tuan_sk_"
PREFIX_BYTES: Final = 6
SECRET_BYTES: Final = 32

_FORM: Final = re.compile(rf"({BEGINNING}[0-9a-f]{{{2 * PREFIX_BYTES}}})_[A-Za-z0-9_-]{{43}}", re.ASCII)
_COUNT = text("SELECT count(*) FROM api_keys WHERE merchant_id = :merchant_id AND revoked_at IS NULL")
_MAKE = text("""
  INSERT INTO api_keys (id, merchant_id, name, prefix, key_hash, scopes, created_by, expires_at)
  SELECT :id, :merchant_id, :name, :prefix, :key_hash, :scopes, :created_by,
    now + make_interval(secs => CAST(:lifetime_s AS double precision)) FROM clock_timestamp() AS now
  RETURNING created_at, expires_at""")
_REVOKE = text("""
  UPDATE api_keys SET revoked_at = clock_timestamp()
  WHERE id = :id AND merchant_id = :merchant_id AND revoked_at IS NULL RETURNING prefix""")


_REVOKE_ALL = text("""
  UPDATE api_keys SET revoked_at = clock_timestamp()
  WHERE merchant_id = ANY(CAST(:merchant_ids AS uuid[])) AND revoked_at IS NULL RETURNING merchant_id, id, prefix""")
_FORGET_NAMES = text("UPDATE api_keys SET name = '' WHERE merchant_id = ANY(CAST(:merchant_ids AS uuid[]))")


class NewKey(NamedTuple):
    """A key as it is shown once."""

    id: UUID
    prefix: str
    key: str
    created_at: datetime
    expires_at: datetime | None


class RevokedKey(NamedTuple):
    """A key that is good for nothing any more; `revoked` is for `Revocations.learn`, once it is committed."""

    merchant_id: UUID
    id: UUID
    prefix: str
    revoked: Revoked


async def make_key(connection: AsyncConnection, merchant_id: UUID, terms: KeyTerms, created_by: UUID) -> NewKey:
    """A new key of a merchant's, locked by the caller; raises `TooManyApiKeys`."""
    if (await connection.execute(_COUNT, {"merchant_id": merchant_id})).scalar_one() >= KEYS_MAX:
        raise TooManyApiKeys(KEYS_MAX)
    prefix = f"{BEGINNING}{secrets.token_hex(PREFIX_BYTES)}"
    secret = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).rstrip(b"=").decode()
    key, key_id = f"{prefix}_{secret}", new_id()
    values = {
        "id": key_id,
        "merchant_id": merchant_id,
        "name": terms.name,
        "prefix": prefix,
        "key_hash": hash_of(key),
        "scopes": sorted(terms.scopes),
        "created_by": created_by,
        "lifetime_s": terms.lifetime_s,
    }
    created_at, expires_at = (await connection.execute(_MAKE, values)).one()
    return NewKey(key_id, prefix, key, created_at, expires_at)


async def revoke_key(connection: AsyncConnection, merchant_id: UUID, key_id: UUID) -> RevokedKey:
    """Let a key of a merchant's, locked by the caller, be good for nothing; raises `ApiKeyNotFound`."""
    prefix = (await connection.execute(_REVOKE, {"merchant_id": merchant_id, "id": key_id})).scalar_one_or_none()
    if prefix is None:
        raise ApiKeyNotFound(key_id)
    return RevokedKey(merchant_id, key_id, prefix, await revoke(connection, [key_id]))


async def revoke_all_keys(connection: AsyncConnection, merchant_ids: Sequence[UUID]) -> list[RevokedKey]:
    """Let all keys of merchants be good for nothing, and forget what they were called."""
    of_whom = {"merchant_ids": list(merchant_ids)}
    rows = (await connection.execute(_REVOKE_ALL, of_whom)).all()
    await connection.execute(_FORGET_NAMES, of_whom)
    revoked = await revoke(connection, [row.id for row in rows])
    return [RevokedKey(row.merchant_id, row.id, row.prefix, {row.id: revoked[row.id]}) for row in rows]


def prefix_of(key: str) -> str | None:
    """What a key is found by; None for what no key looks like."""
    found = _FORM.fullmatch(key)
    return None if found is None else found[1]


def hash_of(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()
