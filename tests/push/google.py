"""Google on loopback: access tokens for assertions that hold, and pushes for whoever has one of those tokens.

Formats: https://developers.google.com/identity/protocols/oauth2/service-account#httprest and
https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.push.fcm import FcmPush
from infra.push.google_tokens import AccessTokens, ServiceAccount
from infra.push.line import Line
from tests.gateways.loopback import Asked, listening, read_request

PROJECT = "tuan-test"
EMAIL = "pusher@tuan-test.iam.gserviceaccount.com"
KEY_ID = "0123456789abcdef"
FIREBASE = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}


@dataclass(frozen=True)
class Say:
    """An answer; `silent` is none, `hang_up` none and the end of the connection."""

    status: int = 200
    body: bytes = b"{}"
    headers: str = ""
    silent: bool = False
    hang_up: bool = False


@dataclass
class Google:
    """What it says in the place of the right answer, and what it was asked."""

    says: deque[Say] = field(default_factory=deque)
    token_says: deque[Say] = field(default_factory=deque)
    token_lifetime_s: int = 3_599
    good_tokens: set[str] = field(default_factory=set)
    given_tokens: list[str] = field(default_factory=list)
    tokens_asked: int = 0
    pushed: list[dict[str, Any]] = field(default_factory=list)
    posts: list[Asked] = field(default_factory=list)
    address: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (asked := await read_request(reader)) is not None:
            say = self._token(asked) if asked.path == "/token" else self._push(asked)
            if say.silent:
                await reader.read()
            if say.silent or say.hang_up:
                return
            head = f"HTTP/1.1 {say.status} X\r\nContent-Type: application/json\r\nContent-Length: {len(say.body)}\r\n"
            writer.write(f"{head}{say.headers}\r\n".encode() + say.body)
            await writer.drain()

    def _token(self, asked: Asked) -> Say:
        self.tokens_asked += 1
        if self.token_says:
            return self.token_says.popleft()
        form = parse_qs(asked.raw.partition(b"\r\n\r\n")[2].decode(), strict_parsing=True)
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        (assertion,) = form["assertion"]
        if not _holds(assertion):
            return Say(400, b'{"error":"invalid_grant","error_description":"Invalid JWT Signature."}')
        token = f"ya29.secret-{len(self.given_tokens)}"
        self.given_tokens.append(token)
        self.good_tokens.add(token)
        told = {"access_token": token, "expires_in": self.token_lifetime_s, "token_type": "Bearer"}
        return Say(body=json.dumps(told).encode())

    def _push(self, asked: Asked) -> Say:
        self.posts.append(asked)
        assert (asked.method, asked.path) == ("POST", f"/v1/projects/{PROJECT}/messages:send")
        assert asked.headers["content-type"] == "application/json"
        if self.says:
            return self.says.popleft()
        if asked.headers["authorization"].removeprefix("Bearer ") not in self.good_tokens:
            return problem(401)
        self.pushed.append(json.loads(asked.raw.partition(b"\r\n\r\n")[2])["message"])
        return Say(body=json.dumps({"name": f"projects/{PROJECT}/messages/{len(self.pushed)}"}).encode())


def problem(status: int, code: str | None = None, headers: str = "", *, field: str | None = None) -> Say:
    """A failure as Google tells it; `code` is Firebase's own, `field` the one that is wrong."""
    violations = [{"field": field, "description": "No."}] if field else []
    details: list[dict[str, Any]] = [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}
    ]
    if code is not None:
        details.append({"@type": FIREBASE, "errorCode": code})
    error = {"code": status, "message": "No.", "status": STATUSES.get(status, code), "details": details}
    return Say(status, json.dumps({"error": error}).encode(), headers)


@asynccontextmanager
async def google(**made: Any) -> AsyncIterator[Google]:
    server = Google(**made)
    async with listening(server.serve) as server.address:
        yield server


@asynccontextmanager
async def fcm(server: Google | str, timeout_s: float = 5, **tokens: Any) -> AsyncIterator[FcmPush]:
    """A gateway that sends there."""
    address = server if isinstance(server, str) else server.address
    account = ServiceAccount(PROJECT, EMAIL, KEY_ID, google_key())
    asking = Line(address, timeout_s=timeout_s)
    made = FcmPush(PROJECT, AccessTokens(account, asking, **tokens), Line(address, timeout_s=timeout_s))
    try:
        yield made
    finally:
        await made.close()


@cache
def google_key() -> RSAPrivateKey:
    return generate_private_key(65_537, 2_048)


def account_file(folder: Path, **changes: Any) -> Path:
    """A service account's key as the console gives it out."""
    pem = google_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": KEY_ID,
        "private_key": pem,
        "client_email": EMAIL,
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    file = folder / "account.json"
    file.write_text(json.dumps(told | changes))
    return file


def _holds(assertion: str) -> bool:
    """Whether Google would take it: of our account, for this scope, made now, for an hour at most."""
    try:
        claims = jwt.decode(
            assertion,
            google_key().public_key(),
            algorithms=["RS256"],
            audience="https://oauth2.googleapis.com/token",
            options={"require": ["iss", "scope", "aud", "iat", "exp"]},
        )
    except jwt.InvalidTokenError:
        return False
    is_ours = claims["iss"] == EMAIL and jwt.get_unverified_header(assertion)["kid"] == KEY_ID
    is_short = claims["exp"] - claims["iat"] <= 3_600 and abs(time.time() - claims["iat"]) < 60
    return bool(is_ours and is_short) and claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
