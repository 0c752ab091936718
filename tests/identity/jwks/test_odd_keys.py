"""What a provider publishes: keys that are none, too many of them, and where it is asked for them."""

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.identity.fetching import ANSWER_BYTES_MAX, ProviderUnavailable, may_ask
from tests.identity.jwks.house import House
from tests.identity.openid_provider import P256, RSA, jwk

WEAK = rsa.generate_private_key(65_537, 1_024)
LONG = rsa.generate_private_key(65_537, 4_160)


@pytest.mark.parametrize(
    "published",
    [
        {"kty": "oct", "kid": "odd", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "odd", "n": "not base64 \u2603", "e": "AQAB"},
        {"kty": "RSA", "kid": "odd", "n": "", "e": ""},
        {"kty": "EC", "kid": "odd", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "odd", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {**jwk(P256, "odd"), "crv": "P-384"},
        {"kid": "odd"},
        {"kty": "RSA", "kid": 7},
        "odd",
        None,
        [],
        jwk(WEAK, "odd"),
        jwk(LONG, "odd"),
        jwk(RSA, "odd", e="Aw"),
        jwk(RSA, "odd", use="enc"),
        jwk(RSA, "odd", alg="HS256"),
        jwk(RSA, "odd", alg="RS512"),
    ],
)
async def test_odd_keys_are_passed_over(house: House, published: object) -> None:
    """Symmetric, weak, slow, malformed or for other purposes: such a key is none, and the good ones beside it are."""
    house.provider.more_keys = [published]  # type: ignore[list-item]  # odd on purpose
    assert await house.keys.find("odd") is None
    assert await house.keys.find("rsa-1")


async def test_more_keys_than_anybody_has_are_a_broken_set(house: House) -> None:
    """A set that grows without end is not kept."""
    house.provider.more_keys = [jwk(RSA, f"key-{number}") for number in range(33)]
    assert len(house.provider.published()) < ANSWER_BYTES_MAX
    with pytest.raises(ProviderUnavailable):
        await house.keys.find("rsa-1")


@pytest.mark.parametrize(
    ("url", "is_asked"),
    [
        ("https://appleid.apple.com/auth/keys", True),
        ("http://127.0.0.1:8000/keys", True),
        ("http://[::1]:8000/keys", True),
        ("http://appleid.apple.com/auth/keys", False),
        ("http://localhost/keys", False),
        ("http://127.0.0.1.example.com/keys", False),
        ("http://169.254.169.254/latest", False),
        ("file:///etc/passwd", False),
    ],
)
def test_in_the_clear_only_this_machine_is_asked(url: str, *, is_asked: bool) -> None:
    """Anybody on the way could hand us keys of their own without TLS."""
    assert may_ask(httpx.URL(url)) is is_asked
