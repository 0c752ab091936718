"""The keys a provider signs with (JWKS, RFC 7517): fetched at most once in a while, whatever keys tokens name.

A token names its key before anything about it is proven, so a name that is unknown here may be a new key or a lie. It
leads to one fetch that all who wait share, and to no other for some seconds. A known key is answered at once, and where
it was fetched long ago the keys are fetched anew beside. What was fetched last stays good for a day while the provider
is away or says nonsense; keys it no longer names go with the next fetch that succeeds.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Final, NamedTuple

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from jwt.utils import base64url_decode

from infra.identity.fetching import ProviderClient, ProviderUnavailable

KEYS_MAX: Final = 32
KEY_ID_CHARACTERS_MAX: Final = 200
RSA_BITS: Final = range(2_048, 4_097)
"""Shorter ones are weak, longer ones slow: verifying must stay near 0.1 ms, as it is done in the event loop."""
RSA_EXPONENT: Final = 65_537
P256_BYTES: Final = 32
FETCH_EVERY_S: Final = 10.0
"""Unknown names lead to no more than one fetch in this time, and so do failures."""
KEPT_S: Final = 3_600.0
"""How old keys may be without a look whether they still hold."""
TRUSTED_S: Final = 24 * 3_600.0
"""How old keys may be while every look fails."""

_KeyId = Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_ID_CHARACTERS_MAX)]

_log = structlog.get_logger(__name__)


class Key(NamedTuple):
    """A public key and the one algorithm it is for."""

    algorithm: str
    public: RSAPublicKey | EllipticCurvePublicKey


class _Jwk(msgspec.Struct):
    """A key as it is published; what else it says is not looked at."""

    kty: str
    kid: _KeyId
    use: str = "sig"
    alg: str | None = None
    n: str = ""
    e: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""


class _Jwks(msgspec.Struct):
    keys: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=KEYS_MAX)]


_decode_set: Final = msgspec.json.Decoder(_Jwks).decode
_decode_key: Final = msgspec.json.Decoder(_Jwk).decode


class KeySet:
    """One provider's keys; `clock` is any that only goes forward, in seconds."""

    def __init__(self, url: str, client: ProviderClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> Key | None:
        """The key of a name; None where the provider has none of that name.

        Raises `ProviderUnavailable` where its keys were never heard, or too long ago.
        """
        if self._is_older_than(TRUSTED_S):
            self._keys = {}
        found = self._keys.get(key_id)
        if found is None:
            await self._look_again()
            found = self._keys.get(key_id)
        elif self._is_older_than(KEPT_S):
            self._begin_to_look()
        if found is None and not self._keys:
            raise ProviderUnavailable("no key of the provider is known, or not for sure any more")
        return found

    def _is_older_than(self, seconds: float) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at >= seconds

    async def _look_again(self) -> None:
        fetching = self._begin_to_look()
        if fetching is not None:
            await asyncio.shield(fetching)  # one who hangs up does not end it for the others

    def _begin_to_look(self) -> asyncio.Task[None] | None:
        """The fetch that is on its way, else a new one; None where the last is not long enough ago."""
        if self._fetching is None and (self._tried_at is None or self._clock() - self._tried_at >= FETCH_EVERY_S):
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        """Take the keys in; where that fails those known so far stay."""
        try:
            self._keys = read_keys(await self._client.get(self._url))
            self._fetched_at = self._clock()
        except ProviderUnavailable as error:
            _log.warning("provider_keys_not_fetched", url=self._url, why=error.reason)
        finally:
            self._fetching = None


def read_keys(document: bytes) -> dict[str, Key]:
    """The keys of a set that are for signatures we verify; others are passed over, but one there must be.

    Raises `ProviderUnavailable`.
    """
    try:
        published = _decode_set(document).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProviderUnavailable("its keys cannot be read") from error
    keys = {kid: key for kid, key in map(_read_key, published) if key is not None}
    if not keys:
        raise ProviderUnavailable("it has no key that could be used")
    return keys


def _read_key(raw: msgspec.Raw) -> tuple[str, Key | None]:
    try:
        jwk = _decode_key(raw)
        key = {"RSA": _rsa, "EC": _p256}.get(jwk.kty, _none)(jwk)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return "", None
    is_fit = key is not None and jwk.use == "sig" and jwk.alg in {None, key.algorithm}
    return jwk.kid, key if is_fit else None


def _rsa(jwk: _Jwk) -> Key | None:
    modulus = int.from_bytes(base64url_decode(jwk.n), "big")
    exponent = int.from_bytes(base64url_decode(jwk.e), "big")
    if modulus.bit_length() not in RSA_BITS or exponent != RSA_EXPONENT:
        return None
    return Key("RS256", RSAPublicNumbers(exponent, modulus).public_key())


def _p256(jwk: _Jwk) -> Key | None:
    x, y = base64url_decode(jwk.x), base64url_decode(jwk.y)
    if jwk.crv != "P-256" or (len(x), len(y)) != (P256_BYTES, P256_BYTES):
        return None
    numbers = EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1())
    return Key("ES256", numbers.public_key())


def _none(_: _Jwk) -> None:
    return None
