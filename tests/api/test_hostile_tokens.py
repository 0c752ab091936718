"""Hostile tokens: whatever is in the Authorization header, the answer is 401 and never 500."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from infra.key_ring import KeyRing
from infra.settings import Settings
from infra.token_keys import thumbprint
from tests.api.people import Town, problem


class Forger:
    """Makes tokens like ours, but for one thing."""

    def __init__(self, settings: Settings) -> None:
        self.key = KeyRing(settings).signer(time.time()).private
        self.kid = thumbprint(self.key.public_key())
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
        headers = {"typ": "at+jwt", "kid": self.kid, **(header or {})}
        return jwt.encode(said, key or self.key, algorithm="ES256", headers=headers)

    def unsigned(self, algorithm: str, signature: bytes = b"") -> str:
        """A token that claims another algorithm."""
        header = {"alg": algorithm, "typ": "at+jwt", "kid": self.kid}
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


async def test_no_forged_token_is_believed(town: Town, settings: Settings) -> None:
    """Expired, foreign, unsigned, of another algorithm, audience, issuer or type: 401, on open routes too."""
    forger = Forger(settings)
    stranger = generate_private_key(SECP256R1())
    good = forger.token()
    head, payload, signature = good.split(".")
    promoted = json.dumps(forger.claims | {"roles": ["merchant"]}).encode()
    forged = {
        "expired": forger.token({"exp": 1}),
        "without end": forger.token({"exp": ...}),
        "not yet": forger.token({"nbf": 2**40}),
        "other issuer": forger.token({"iss": "evil"}),
        "other audience": forger.token({"aud": "shop"}),
        "no audience": forger.token({"aud": ...}),
        "no subject": forger.token({"sub": ...}),
        "subject is no id": forger.token({"sub": "admin"}),
        "roles are no list": forger.token({"roles": "merchant"}),
        "id token": forger.token(header={"typ": "JWT"}),
        "unknown key": forger.token(header={"kid": thumbprint(stranger.public_key())}, key=stranger),
        "stolen kid": forger.token(key=stranger),
        "kid is a path": forger.token(header={"kid": "../../etc/passwd"}),
        "critical": forger.token(header={"crit": ["b64"], "b64": False}),
        "none": forger.unsigned("none"),
        "None": forger.unsigned("None", b"x"),
        "HS256": forger.signed_with_the_public_key(),
        "psychic": forger.unsigned("ES256", bytes(64)),
        "signature cut": good[:-8],
        "signature gone": f"{head}.{payload}.",
        "payload changed": f"{head}.{_segment(promoted).decode()}.{signature}",
        "four parts": f"{good}.x",
        "two parts": f"{head}.{payload}",
        "very long": good + "a" * 10_000,
    }
    assert (await _ask(town, b"Bearer " + good.encode())).status_code == 200
    for scheme in (b"Basic  ", b"Token: ", b"bearer:", b"Bearer, "):
        assert (await _ask(town, scheme + good.encode())).status_code == 401, scheme
    for name, token in forged.items():
        answer = await _ask(town, b"Bearer " + token.encode())
        assert answer.status_code == 401, name
        assert "error=" in problem_header(answer), name
        assert (await _ask(town, b"Bearer " + token.encode(), "/v1/deals")).status_code == 401, name


async def test_no_nonsense_in_the_header_is_a_fault(town: Town) -> None:
    """Empty, half, binary, endless or another scheme: all are 401."""
    nonsense = [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer .",
        b"Bearer ..",
        b"Bearer a.b.c",
        b"Bearer \xff\xfe.\x00.\x01",
        b"Bearer " + "\U0001f375".encode(),
        b"Bearer e30.e30.e30",
        b"Bearer " + b"." * 5_000,
        b"Basic dXNlcjpwYXNz",
        b"bearer",
        b"Token x",
        b"Bearer\ta.b.c",
        b"{}",
    ]
    for value in nonsense:
        problem(await _ask(town, value), 401, "not-authenticated")


def problem_header(answer: Any) -> str:
    return str(answer.headers["www-authenticate"])


async def _ask(town: Town, authorization: bytes, path: str = "/v1/me/groups") -> Any:
    return await town.client.get(path, headers=[(b"authorization", authorization)])


def _segment(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
