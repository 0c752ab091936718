"""Our public keys, for whoever verifies our access tokens without asking us."""

import time
from typing import Final, Literal

import msgspec

from api.answers import Answer, answered
from api.requests import AnyRequest, runtime_of
from api.routing import route
from infra.token_keys import coordinates

KEPT_S: Final = 300
"""Half of the time for which a new key is shown before it signs."""
_KEPT: Final = ((b"cache-control", b"public, max-age=%d" % KEPT_S),)


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON Web Key (RFC 7517) of the curve P-256; `kid` is its thumbprint (RFC 7638)."""

    kid: str
    x: str
    y: str
    kty: Literal["EC"] = "EC"
    crv: Literal["P-256"] = "P-256"
    alg: Literal["ES256"] = "ES256"
    use: Literal["sig"] = "sig"


class PublicKeys(msgspec.Struct, frozen=True, kw_only=True):
    """All keys whose tokens count, those too that will sign soon."""

    keys: list[PublicKey]


@route("GET", "/.well-known/jwks.json")
async def public_keys(request: AnyRequest) -> Answer:
    trusted = runtime_of(request).keys.trusted(time.time()).keys
    coordinated = [(kid, *coordinates(key)) for kid, key in trusted.items()]
    return answered(PublicKeys(keys=[PublicKey(kid=kid, x=x, y=y) for kid, x, y in coordinated]), headers=_KEPT)
