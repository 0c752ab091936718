"""Tokens like ours, but for one thing."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from infra.key_ring import KeyRing
from infra.settings import Settings
from infra.token_keys import coordinates, thumbprint


class Forger:
    """Knows our key, and has one that is not ours."""

    def __init__(self, settings: Settings) -> None:
        self.key = KeyRing(settings).signer(time.time()).private
        self.kid = thumbprint(self.key.public_key())
        self.own = generate_private_key(SECP256R1())
        self.own_kid = thumbprint(self.own.public_key())
        now = int(time.time())
        self.claims: dict[str, Any] = {
            "iss": "tuan",
            "aud": "tuan-api",
            "sub": str(uuid4()),
            "iat": now,
            "exp": now + 600,
            "roles": ["shopper"],
        }

    def token(
        self,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        key: EllipticCurvePrivateKey | None = None,
    ) -> str:
        """A token signed with our key, or another."""
        said = {name: value for name, value in {**self.claims, **(claims or {})}.items() if value is not ...}
        return self.raw(json.dumps(said).encode(), header, key)

    def raw(
        self, said: bytes, header: Mapping[str, Any] | None = None, key: EllipticCurvePrivateKey | None = None
    ) -> str:
        """Any payload, signed."""
        headers = {"typ": "at+jwt", "kid": self.kid, **(header or {})}
        return jwt.PyJWS().encode(said, key or self.key, algorithm="ES256", headers=headers)

    def of_another_kind(self, algorithm: str, key: Any) -> str:
        """Well signed, with a key of another kind under our `kid`."""
        return jwt.encode(self.claims, key, algorithm=algorithm, headers={"typ": "at+jwt", "kid": self.kid})

    def unsigned(self, algorithm: str, signature: bytes = b"", kid: object = None) -> str:
        """A token that claims an algorithm, and any `kid`."""
        header = {"alg": algorithm, "typ": "at+jwt", "kid": self.kid if kid is None else kid}
        header = {name: value for name, value in header.items() if value is not ...}
        return b".".join(
            map(_segment, (json.dumps(header).encode(), json.dumps(self.claims).encode(), signature))
        ).decode()

    def signed_with_the_public_key(self) -> str:
        """The old trick: HS256 with the public key as the secret."""
        public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        header = _segment(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": self.kid}).encode())
        signed = header + b"." + _segment(json.dumps(self.claims).encode())
        signature = jwt.get_algorithm_by_name("HS256").sign(signed, public)
        return (signed + b"." + _segment(signature)).decode()

    def with_wrong_claims(self) -> dict[str, str]:
        """Expired, too early, of another issuer, for another audience or about nobody."""
        soon = {"iat": time.time() + 3600, "exp": time.time() + 7200}
        return {
            "expired": self.token({"exp": 1}),
            "without end": self.token({"exp": ...}),
            "not yet": self.token({"nbf": 2**40}),
            "issued in the future": self.token(soon),
            "other issuer": self.token({"iss": "evil"}),
            "other audience": self.token({"aud": "shop"}),
            "no audience": self.token({"aud": ...}),
            "no subject": self.token({"sub": ...}),
            "subject is no id": self.token({"sub": "admin"}),
            "roles are no list": self.token({"roles": "merchant"}),
            "id token": self.token(header={"typ": "JWT"}),
            "critical": self.token(header={"crit": ["b64"], "b64": False}),
        }

    def naming_strange_keys(self, private_key_file: str) -> dict[str, str]:
        """Our key's name with another key, names that are paths or SQL, and keys brought along."""
        own_jwk = _jwk(self.own)
        return {
            "unknown key": self.token(header={"kid": self.own_kid}, key=self.own),
            "stolen kid": self.token(key=self.own),
            "kid is a path": self.token(header={"kid": "../../etc/passwd"}),
            "kid is a path to our key": self.token(header={"kid": private_key_file}),
            "kid is SQL": self.token(header={"kid": "' OR 1=1; DROP TABLE accounts; --"}),
            "kid has a nul": self.token(header={"kid": self.kid + "\0"}),
            "kid is a list": self.unsigned("ES256", bytes(64), kid=[self.kid]),
            "kid is an object": self.unsigned("ES256", bytes(64), kid={"$ne": ""}),
            "no kid": self.unsigned("ES256", bytes(64), kid=...),
            "own key in jwk": self.token(header={"jwk": own_jwk}, key=self.own),
            "own key in jwk, under its kid": self.token(header={"jwk": own_jwk, "kid": self.own_kid}, key=self.own),
            "own keys at jku": self.token(header={"jku": "https://evil.example/jwks.json"}, key=self.own),
            "own keys at x5u": self.token(header={"x5u": "file:///etc/passwd", "kid": self.own_kid}, key=self.own),
        }

    def by_other_algorithms(self) -> dict[str, str]:
        """None, or one that the kind of our key does not go with."""
        return {
            "none": self.unsigned("none"),
            "None": self.unsigned("None", b"x"),
            "HS256": self.signed_with_the_public_key(),
            "RS256": self.of_another_kind("RS256", rsa.generate_private_key(65_537, 2048)),
            "EdDSA": self.of_another_kind("EdDSA", ed25519.Ed25519PrivateKey.generate()),
            "ES384": self.of_another_kind("ES384", generate_private_key(SECP384R1())),
            "ES256, in lower case": self.unsigned("es256", bytes(64)),
            "psychic": self.unsigned("ES256", bytes(64)),
        }

    def tampered_with(self) -> dict[str, str]:
        """A good one, with a part of it cut off, changed or added."""
        good = self.token()
        head, payload, signature = good.split(".")
        promoted = json.dumps(self.claims | {"roles": ["merchant"]}).encode()
        return {
            "signature cut": good[:-8],
            "signature gone": f"{head}.{payload}.",
            "payload changed": f"{head}.{_segment(promoted).decode()}.{signature}",
            "four parts": f"{good}.x",
            "two parts": f"{head}.{payload}",
            "very long": good + "a" * 10_000,
        }


def _jwk(key: EllipticCurvePrivateKey) -> dict[str, str]:
    x, y = coordinates(key.public_key())
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _segment(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
