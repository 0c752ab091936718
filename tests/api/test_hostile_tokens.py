"""Hostile tokens: whatever is in the Authorization header, the answer is 401 and never 500."""

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
from tests.api.people import Town, problem

MERCHANT = {"id": str(uuid4()), "role": "owner", "standing": "approved"}
STRANGE: dict[str, dict[str, Any]] = {
    "many merchants": {"merchants": [{**MERCHANT, "id": str(uuid4())} for _ in range(17)]},
    "merchants to fill the memory": {"merchants": [MERCHANT] * 10_000},
    "merchants are no list": {"merchants": MERCHANT},
    "merchants of no merchant": {"merchants": [None]},
    "merchants deep": {"merchants": [[[[[[]]]]]]},
    "a merchant without id": {"merchants": [{"role": "owner", "standing": "approved"}]},
    "a merchant's id is no id": {"merchants": [{**MERCHANT, "id": "1"}]},
    "a role nobody has": {"merchants": [{**MERCHANT, "role": "god"}]},
    "a standing nobody has": {"merchants": [{**MERCHANT, "standing": "beloved"}]},
    "roles that are no words": {"roles": [1, None]},
    "many roles": {"roles": ["shopper"] * 17},
    "a role too long": {"roles": ["x" * 41]},
    "the end is not a number": {"exp": float("nan")},
    "no end, ever": {"exp": float("inf")},
    "an end as text": {"exp": "2100-01-01T00:00:00Z"},
    "an end as truth": {"exp": True},
    "an end before the beginning of time": {"exp": -1e300},
    "issued at no number": {"iat": float("nan")},
    "issued never": {"iat": None},
    "good from no number on": {"nbf": float("nan")},
    "good from text on": {"nbf": "now"},
    "a session that is none": {"sid": "everything"},
    "a session that is a list": {"sid": [str(uuid4())]},
    "its own id is a number": {"jti": 7},
    "its own id is long": {"jti": "x" * 101},
    "subject is a number": {"sub": 1},
    "subject is nobody": {"sub": None},
    "issuer is a list": {"iss": ["tuan"]},
    "audience is an object": {"aud": {"tuan-api": True}},
    "audience is a list of numbers": {"aud": [1, 2]},
    "a name too long": {"name": "x" * 201},
    "a name with a nul": {"name": "a\0b"},
    "merged as text": {"merged": "yes"},
}
NO_CLAIMS = (b"", b"null", b"[]", b"7", b'"shopper"', b"{", b"\xff\xfe", b"[" * 1_000, b'{"a":' * 500 + b"1")


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
        "issued in the future": forger.token({"iat": time.time() + 3600, "exp": time.time() + 7200}),
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
        "kid is a path to our key": forger.token(header={"kid": str(settings.data_dir / "keys" / "private.pem")}),
        "kid is SQL": forger.token(header={"kid": "' OR 1=1; DROP TABLE accounts; --"}),
        "kid has a nul": forger.token(header={"kid": forger.kid + "\0"}),
        "kid is a list": forger.unsigned("ES256", bytes(64), kid=[forger.kid]),
        "kid is an object": forger.unsigned("ES256", bytes(64), kid={"$ne": ""}),
        "no kid": forger.unsigned("ES256", bytes(64), kid=...),
        "own key in jwk": forger.token(header={"jwk": _jwk(stranger)}, key=stranger),
        "own key in jwk, under its kid": forger.token(
            header={"jwk": _jwk(stranger), "kid": thumbprint(stranger.public_key())}, key=stranger
        ),
        "own keys at jku": forger.token(header={"jku": "https://evil.example/jwks.json"}, key=stranger),
        "own keys at x5u": forger.token(
            header={"x5u": "file:///etc/passwd", "kid": thumbprint(stranger.public_key())}, key=stranger
        ),
        "critical": forger.token(header={"crit": ["b64"], "b64": False}),
        "none": forger.unsigned("none"),
        "None": forger.unsigned("None", b"x"),
        "HS256": forger.signed_with_the_public_key(),
        "RS256": forger.of_another_kind("RS256", rsa.generate_private_key(65_537, 2048)),
        "EdDSA": forger.of_another_kind("EdDSA", ed25519.Ed25519PrivateKey.generate()),
        "ES384": forger.of_another_kind("ES384", generate_private_key(SECP384R1())),
        "ES256, in lower case": forger.unsigned("es256", bytes(64)),
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


async def test_no_strange_claims_are_believed(town: Town, settings: Settings) -> None:
    """Well signed by us, and still not what a token of ours says: 401, never 500."""
    forger = Forger(settings)
    for name, strange in STRANGE.items():
        await _is_refused(town, forger.token(strange), name)
    for payload in NO_CLAIMS:
        await _is_refused(town, forger.raw(payload), payload)


async def test_numbers_beyond_all_bounds_are_refused(town: Town, settings: Settings) -> None:
    """JSON may say numbers that are no times."""
    forger = Forger(settings)
    for name in ("exp", "iat", "nbf"):
        for number in (b"1e999", b"-1e999", b"1" * 400, b"-" + b"1" * 400, b"NaN", b"Infinity"):
            said = json.dumps(forger.claims | {name: "here"}).encode().replace(b'"here"', number)
            if (name, number[:1]) not in {("iat", b"-"), ("nbf", b"-")}:  # long ago: nothing speaks against it
                await _is_refused(town, forger.raw(said), said)
            assert (await _ask(town, b"Bearer " + forger.raw(said).encode())).status_code in {200, 401}, said


async def test_a_refresh_token_is_no_access_token(town: Town) -> None:
    """Before it is spent and after; and a token that was signed out is none any more."""
    told = (await town.nobody.post("/v1/sign-in/guest")).json()
    await _is_refused(town, told["refresh_token"])
    await _is_refused(town, f"{told['refresh_token']}.{told['refresh_token']}.{told['refresh_token']}")
    bearer = b"Bearer " + told["access_token"].encode()
    assert (await town.client.post("/v1/sign-out", headers=[(b"authorization", bearer)])).status_code == 204
    await _is_refused(town, told["access_token"])


async def test_a_flood_of_unknown_keys_is_refused(town: Town, settings: Settings) -> None:
    """Each makes us look for a new key, none stays in memory, and good tokens are good meanwhile."""
    forger = Forger(settings)
    for number in range(300):
        await _is_refused(town, forger.token(header={"kid": f"{forger.kid[:-3]}{number:03}"}))
    assert (await _ask(town, b"Bearer " + forger.token().encode())).status_code == 200


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


async def _is_refused(town: Town, token: str, what: object = "") -> None:
    for path in ("/v1/me/groups", "/v1/deals"):
        answer = await _ask(town, b"Bearer " + token.encode(), path)
        assert answer.status_code == 401, what
        problem(answer, 401, "not-authenticated")
        assert 'error="invalid_token"' in problem_header(answer), what


def _jwk(key: EllipticCurvePrivateKey) -> dict[str, str]:
    x, y = coordinates(key.public_key())
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


async def _ask(town: Town, authorization: bytes, path: str = "/v1/me/groups") -> Any:
    return await town.client.get(path, headers=[(b"authorization", authorization)])


def _segment(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
