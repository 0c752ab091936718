"""Id_tokens (OpenID Connect Core 1.0, 3.1.3.7): a provider's signed word that somebody is a subject of theirs.

Nothing a token says about itself decides how it is judged: the algorithms are the provider's, the key is the
provider's of that name, and `jku`, `jwk` or `x5u` are not looked at. The nonce is the app's own: the provider puts it
into the token as it is or, so that whoever finds the token cannot send it, as its SHA-256 in hex.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

import jwt
import msgspec
from jwt.utils import base64url_decode

from infra.identity.accounts import Proof, Provider
from infra.identity.fetching import ProviderClient
from infra.identity.jwks import KEY_ID_CHARACTERS_MAX, Key, KeySet
from infra.identity.providers import PROVIDERS, OpenIdProvider, client_ids, provider_facts
from infra.settings import Settings

TOKEN_CHARACTERS_MAX: Final = 8_192
NONCE_CHARACTERS_MIN: Final = 16
"""96 bits in base64: what cannot be guessed."""
NONCE_CHARACTERS_MAX: Final = 200
SUBJECT_CHARACTERS_MAX: Final = 255
"""OpenID Connect Core 1.0, 2."""
CLOCK_SKEW_S: Final = 60
LIFETIME_S_MAX: Final = 48 * 3_600
"""Apple's live a day; a token that says it lives for years is none of theirs."""


class IdTokenRefused(Exception):  # noqa: N818 - named after what happened
    """The token proves nothing here; `reason` says why in a few words, none of them the token's."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The id_token was refused: {reason}. Let the app ask the provider for a new one.")
        self.reason = reason


class ProviderNotOffered(Exception):  # noqa: N818 - named after what happened
    """Nobody can sign in with this provider here: no app of ours is known there."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(f"Nobody can sign in with {provider} here. Sign in with a phone number or an e-mail address.")


class Proven(NamedTuple):
    """What a token proved, and how to know it again until it has expired: each is good for once."""

    proof: Proof
    fingerprint: bytes
    expires_at: datetime


class _Header(msgspec.Struct):
    alg: str
    kid: Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_ID_CHARACTERS_MAX)]
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Claims(msgspec.Struct):
    """What must be there; `aud` one app, as all of these providers have it."""

    iss: str
    aud: str
    sub: Annotated[str, msgspec.Meta(min_length=1, max_length=SUBJECT_CHARACTERS_MAX)]
    nonce: str
    exp: float
    iat: float


_decode_header: Final = msgspec.json.Decoder(_Header).decode


class IdTokens:
    """Judges the tokens of every provider that is offered."""

    def __init__(self, settings: Settings, client: ProviderClient) -> None:
        self._client_ids = {provider: ids for provider in PROVIDERS if (ids := client_ids(settings, provider))}
        self._facts = {provider: provider_facts(settings, provider) for provider in self._client_ids}
        self._keys = {provider: KeySet(facts.jwks_url, client) for provider, facts in self._facts.items()}

    async def judge(self, provider: Provider, token: str, nonce: str) -> Proven:
        """Raises `ProviderNotOffered`, `ProviderUnavailable` or `IdTokenRefused`."""
        facts = self._facts.get(provider)
        if facts is None:
            raise ProviderNotOffered(provider)
        header = _header_of(token)
        if header.alg not in facts.algorithms:
            raise IdTokenRefused("its algorithm is not one of the provider's")
        key = await self._keys[provider].find(header.kid)
        if key is None:
            raise IdTokenRefused("it is signed with no key of the provider's")
        claims = _claims_of(token, key, facts, self._client_ids[provider])
        if not _is_nonce(claims.nonce, nonce):
            raise IdTokenRefused("its nonce is another one")
        return Proven(
            Proof(provider, claims.sub),
            hashlib.sha256(token.rpartition(".")[0].encode()).digest(),
            datetime.fromtimestamp(claims.exp + CLOCK_SKEW_S, UTC),
        )


def _header_of(token: str) -> _Header:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise IdTokenRefused("it is too long")
    try:
        header = _decode_header(base64url_decode(token.partition(".")[0]))
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise IdTokenRefused("it is no signed token with the name of its key") from None
    if header.crit is not msgspec.UNSET:
        raise IdTokenRefused("it asks for what is not known here")
    return header


def _claims_of(token: str, key: Key, facts: OpenIdProvider, audience: frozenset[str]) -> _Claims:
    """What the token says, once it is known to be the provider's, for us, and of now."""
    try:
        payload = jwt.decode(
            token,
            key.public,
            algorithms=[key.algorithm],
            issuer=facts.issuers,
            audience=audience,
            leeway=CLOCK_SKEW_S,
            options={"require": list(_Claims.__struct_fields__)},
        )
        claims = msgspec.convert(payload, _Claims)
    except jwt.PyJWTError as error:
        raise IdTokenRefused(_REASONS.get(type(error), "it is not well-formed")) from None
    except (msgspec.ValidationError, ValueError, TypeError, OverflowError, RecursionError):
        raise IdTokenRefused("it is not well-formed") from None
    if not claims.sub.isprintable() or not claims.nonce.isascii():  # JSON may escape what is no character
        raise IdTokenRefused("it is not well-formed")
    if claims.exp - claims.iat > LIFETIME_S_MAX:
        raise IdTokenRefused("it lives too long")
    return claims


_REASONS: Final[dict[type[Exception], str]] = {
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.InvalidIssuerError: "its issuer is another one",
    jwt.InvalidAudienceError: "it is meant for somebody else",
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.MissingRequiredClaimError: "a claim is missing",
}


def _is_nonce(claimed: str, nonce: str) -> bool:
    hashed = hashlib.sha256(nonce.encode()).hexdigest()
    return any(hmac.compare_digest(claimed.encode(), one.encode()) for one in (nonce, hashed))
