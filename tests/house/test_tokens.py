import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from infra import tokens
from infra.cannot_start import BadKey
from infra.key_ring import KeyRing
from infra.settings import Settings, read_settings
from infra.token_keys import thumbprint
from infra.tokens import TokenIssuer, TokenRefused, TokenVerifier

NOW = 1_800_000_000
SUBJECT = UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture(scope="module")
def token_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return read_settings({"TUAN_DATA_DIR": str(tmp_path_factory.mktemp("keys") / "data")})


@pytest.fixture(scope="module")
def key(token_settings: Settings) -> EllipticCurvePrivateKey:
    return KeyRing(token_settings).signer(NOW).private


@pytest.fixture
def verifier(token_settings: Settings) -> TokenVerifier:
    return TokenVerifier(token_settings, clock=lambda: NOW)


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token with some changed; None leaves one out."""
    good = {
        "iss": "tuan",
        "aud": "tuan-api",
        "sub": str(SUBJECT),
        "iat": NOW - 10,
        "exp": NOW + 600,
        "roles": ["shopper"],
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(key: EllipticCurvePrivateKey, payload: dict[str, Any], **headers: Any) -> str:
    header = {"typ": "at+jwt", "kid": thumbprint(key.public_key())} | headers
    return jwt.encode(payload, key, "ES256", headers=header)


def assembled(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"\0" * 64) -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_what_is_issued_is_verified(token_settings: Settings, verifier: TokenVerifier) -> None:
    """A token of ours tells subject, roles, name and end."""
    token = TokenIssuer(token_settings).issue(SUBJECT, frozenset({"merchant"}), 60, "Ada", now=NOW)
    found = verifier.verify(token)
    assert (found.subject, found.roles, found.name, found.expires_at) == (
        SUBJECT,
        frozenset({"merchant"}),
        "Ada",
        float(NOW + 60),
    )


def test_other_issuers_of_the_standard_form_are_understood(
    verifier: TokenVerifier, key: EllipticCurvePrivateKey
) -> None:
    """A token by another library, with a list of audiences and a long type, is as good."""
    token = signed(key, claims(aud=["other", "tuan-api"], nbf=NOW - 5), typ="application/at+jwt")
    assert verifier.verify(token).subject == SUBJECT


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "someone"}, "wrong issuer"),
        ({"aud": "other-api"}, "wrong audience"),
        ({"aud": ["other-api"]}, "wrong audience"),
        ({"aud": []}, "wrong audience"),
        ({"exp": NOW}, "expired"),
        ({"exp": NOW - 1}, "expired"),
        ({"iat": NOW + 3600}, "not valid yet"),
        ({"nbf": NOW + 3600}, "not valid yet"),
        ({"sub": "alice"}, "malformed claims"),
        ({"sub": None}, "malformed claims"),
        ({"exp": None}, "malformed claims"),
        ({"iat": None}, "malformed claims"),
        ({"iss": None}, "malformed claims"),
        ({"aud": None}, "malformed claims"),
        ({"exp": str(NOW + 600)}, "malformed claims"),
        ({"exp": True}, "malformed claims"),
        ({"roles": "shopper"}, "malformed claims"),
        ({"roles": ["shopper"] * 17}, "malformed claims"),
        ({"name": "a\0b"}, "malformed claims"),
        ({"name": "x" * 201}, "malformed claims"),
    ],
)
def test_well_signed_tokens_with_wrong_claims_are_refused(
    verifier: TokenVerifier, key: EllipticCurvePrivateKey, changes: dict[str, Any], reason: str
) -> None:
    """A good signature is not enough: issuer, audience, times, subject and types are checked."""
    with pytest.raises(TokenRefused, match=reason):
        verifier.verify(jwt_of_raw(key, claims(**changes)))


def jwt_of_raw(key: EllipticCurvePrivateKey, payload: dict[str, Any]) -> str:
    """Signed without the library's own checks of the claims it is given."""
    header = {"typ": "at+jwt", "kid": thumbprint(key.public_key())}
    return jwt.PyJWS().encode(json.dumps(payload).encode(), key, "ES256", headers=header)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"typ": "JWT"}, "wrong type"),
        ({"typ": None}, "malformed header"),
        ({"kid": "nobody"}, "unknown key"),
        ({"kid": "../../etc/passwd"}, "unknown key"),
        ({"kid": "a\0b"}, "unknown key"),
        ({"kid": ["x"]}, "malformed header"),
        ({"crit": ["exp"]}, "unknown critical header"),
    ],
)
def test_wrong_headers_are_refused(
    verifier: TokenVerifier, key: EllipticCurvePrivateKey, headers: dict[str, Any], reason: str
) -> None:
    """Type and key are pinned; a `kid` is only ever looked up in the dictionary."""
    good = {"alg": "ES256", "typ": "at+jwt", "kid": thumbprint(key.public_key())}
    with pytest.raises(TokenRefused, match=reason):
        verifier.verify(assembled(good | headers, claims()))


def test_unsigned_tokens_are_refused(verifier: TokenVerifier, key: EllipticCurvePrivateKey) -> None:
    """`alg: none` proves nothing, with or without a signature part."""
    header = {"alg": "none", "typ": "at+jwt", "kid": thumbprint(key.public_key())}
    for signature in (b"", b"\0" * 64):
        with pytest.raises(TokenRefused):
            verifier.verify(assembled(header, claims(), signature))


def test_a_public_key_is_no_shared_secret(verifier: TokenVerifier, key: EllipticCurvePrivateKey) -> None:
    """HS256 keyed with our published key is the classic forgery."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "at+jwt", "kid": thumbprint(key.public_key())}
    unsigned = assembled(header, claims(), b"").rstrip(".")
    forged = hmac.new(public, unsigned.encode(), hashlib.sha256).digest()
    with pytest.raises(TokenRefused, match="wrong algorithm"):
        verifier.verify(assembled(header, claims(), forged))


def test_other_keys_and_algorithms_are_refused(verifier: TokenVerifier, key: EllipticCurvePrivateKey) -> None:
    """A stranger's signature under our `kid`, and good signatures of another kind, prove nothing."""
    kid = thumbprint(key.public_key())
    strangers = generate_private_key(SECP256R1())
    with pytest.raises(TokenRefused, match="bad signature"):
        verifier.verify(signed(strangers, claims(), kid=kid))
    edwards = jwt.encode(claims(), ed25519.Ed25519PrivateKey.generate(), "EdDSA", headers={"typ": "at+jwt", "kid": kid})
    with pytest.raises(TokenRefused, match="wrong algorithm"):
        verifier.verify(edwards)


def test_changed_tokens_are_refused(verifier: TokenVerifier, key: EllipticCurvePrivateKey) -> None:
    """Every part is covered: other claims under a good signature, or half a signature, are refused."""
    header, _, signature = signed(key, claims()).split(".")
    _, others, _ = signed(key, claims(sub=str(uuid4()))).split(".")
    for token in (f"{header}.{others}.{signature}", f"{header}.{others}.{signature[:40]}"):
        with pytest.raises(TokenRefused, match="bad signature"):
            verifier.verify(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "…" * 20,
        "ä.b.c",
        "a" * 10_240,
        "\0.\0.\0",
        "\ud800.b.c",
        "=.=.=",
    ],
)
def test_garbage_is_refused(verifier: TokenVerifier, token: str) -> None:
    """Whatever arrives, the answer is a refusal and never another error."""
    with pytest.raises(TokenRefused):
        verifier.verify(token)


def test_a_long_token_is_refused_unread(verifier: TokenVerifier, key: EllipticCurvePrivateKey) -> None:
    """A token of 10 KB costs nothing, even well signed."""
    with pytest.raises(TokenRefused, match="too long"):
        verifier.verify(signed(key, claims(padding="x" * 10_240)))


def test_a_remembered_token_expires_all_the_same(token_settings: Settings, key: EllipticCurvePrivateKey) -> None:
    """What was verified once is refused from the second of its expiry on."""
    clock: Callable[[], float] = iter([NOW, NOW + 599.9, NOW + 600]).__next__
    verifier = TokenVerifier(token_settings, clock=clock)
    token = signed(key, claims())
    assert verifier.verify(token) is verifier.verify(token)
    with pytest.raises(TokenRefused, match="expired"):
        verifier.verify(token)


def test_what_is_remembered_is_bounded(
    token_settings: Settings, key: EllipticCurvePrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tokens come, only the latest used are kept, and a forgotten one is verified anew."""
    monkeypatch.setattr(tokens, "VERIFIED_MAX", 3)
    verifier = TokenVerifier(token_settings, clock=lambda: NOW)
    several = [signed(key, claims(sub=str(uuid4()))) for _ in range(5)]
    for token in [*several, *several]:
        verifier.verify(token)
        assert len(verifier._verified) <= 3


def test_the_key_pair_is_made_once_and_private(token_settings: Settings) -> None:
    """Every process of a data directory trusts what any other signs; nobody else reads the key."""
    file = token_settings.data_dir / "keys" / "private.pem"
    assert file.stat().st_mode & 0o077 == 0
    assert KeyRing(token_settings).signer(NOW).kid in KeyRing(token_settings).trusted(NOW).keys
    assert list(file.parent.iterdir()) == [file]


def test_a_deployment_trusts_a_folder_of_keys(tmp_path: Path) -> None:
    """An API without the private key verifies with the public keys it is given, old and new, by `kid`."""
    pair = [generate_private_key(SECP256R1()) for _ in range(2)]
    for number, made in enumerate(pair):
        pem = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{number}.pem").write_bytes(pem)
    settings = read_settings({"TUAN_TOKEN_PUBLIC_KEYS_DIR": str(tmp_path), "TUAN_DATA_DIR": str(tmp_path / "unused")})
    verifier = TokenVerifier(settings)
    for made in pair:
        assert verifier.verify(signed(made, claims(exp=time.time() + 60, iat=time.time()))).subject == SUBJECT
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("content", [b"", b"no key", "P-384"])
def test_a_key_that_cannot_sign_is_one_clear_line(tmp_path: Path, content: bytes | str) -> None:
    """A wrong key file stops the start with a line that names it."""
    file = tmp_path / "key.pem"
    if isinstance(content, str):
        other = generate_private_key(SECP384R1())
        content = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(content)
    with pytest.raises(BadKey, match=r"key\.pem"):
        KeyRing(read_settings({"TUAN_TOKEN_PRIVATE_KEY_FILE": str(file)}))
