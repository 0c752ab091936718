"""An OpenID provider on loopback, with real keys and signatures, and every bad habit a provider can have."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

CLIENT_ID = "com.example.tuan"
NONCE = "a-nonce-of-this-test"

Json = dict[str, Any]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Say = Callable[[asyncio.StreamWriter], Awaitable[None]]
RSA = rsa.generate_private_key(65_537, 2_048)
OTHER_RSA = rsa.generate_private_key(65_537, 2_048)
P256 = ec.generate_private_key(ec.SECP256R1())


@dataclass
class OpenIdProvider:
    """Signs tokens and publishes its keys; `say` is what it says instead of them, `fetches` counts who asked."""

    base: str = ""
    keys: dict[str, PrivateKey] = field(default_factory=lambda: {"rsa-1": RSA, "ec-1": P256})
    more_keys: list[Json] = field(default_factory=list)
    say: Say | None = None
    fetches: int = 0
    wechat: Mapping[str, Json] = field(default_factory=dict)
    asked_of_wechat: list[dict[str, str]] = field(default_factory=list)

    def token(self, *, kid: str = "rsa-1", header: Json | None = None, **claims: object) -> str:
        """A good token of `google`'s, with changes; `...` leaves a claim out."""
        key = self.keys[kid]
        return signed(key, {"alg": algorithm_of(key), "kid": kid, **(header or {})}, self.claims(**claims))

    def claims(self, **changes: object) -> Json:
        now = time.time()
        claims = {
            "iss": f"{self.base}/google",
            "aud": CLIENT_ID,
            "sub": "somebody",
            "nonce": NONCE,
            "iat": now,
            "exp": now + 600,
        }
        return {name: value for name, value in (claims | changes).items() if value is not ...}

    def published(self) -> bytes:
        return json.dumps({"keys": [*(jwk(key, kid) for kid, key in self.keys.items()), *self.more_keys]}).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request to a connection."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            address = urlsplit(head.split(b" ")[1].decode())
            if address.path == "/sns/oauth2/access_token":
                await answer(writer, json.dumps(self._wechat(address.query)).encode())
            else:
                self.fetches += 1
                await (self.say(writer) if self.say else answer(writer, self.published()))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _wechat(self, query: str) -> Json:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        self.asked_of_wechat.append(asked)
        return self.wechat.get(asked["code"], {"errcode": 40029, "errmsg": "invalid code"})


async def answer(writer: asyncio.StreamWriter, body: bytes, status: str = "200 OK", *headers: str) -> None:
    """A whole answer of HTTP."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


@asynccontextmanager
async def openid_provider() -> AsyncIterator[OpenIdProvider]:
    """One that listens."""
    provider = OpenIdProvider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    provider.base = f"http://{host}:{port}"
    try:
        yield provider
    finally:
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None


def signed(key: PrivateKey, header: Json, claims: Json) -> str:
    """A token of any header and claims, signed with a key as that key signs."""
    told = ".".join(base64url_encode(json.dumps(part).encode()).decode() for part in (header, claims))
    return f"{told}.{base64url_encode(signature(key, told.encode())).decode()}"


def signature(key: PrivateKey, told: bytes) -> bytes:
    """RS256 or ES256, as the key is."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(told, padding.PKCS1v15(), hashes.SHA256())
    return ECAlgorithm(ECAlgorithm.SHA256).sign(told, key)


def algorithm_of(key: PrivateKey) -> str:
    return "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"


def jwk(key: PrivateKey, kid: str, **more: object) -> Json:
    """The public half of a key, as it is published."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers: Json = RSAAlgorithm.to_jwk(public, as_dict=True)
    else:
        numbers = ECAlgorithm.to_jwk(public, as_dict=True)
    return {**numbers, "kid": kid, "use": "sig", "alg": algorithm_of(key), **more}
