"""Access tokens of Google's for a service account: asked for with a signed assertion (RFC 7523), kept while they hold.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import urlencode

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from infra.push.line import Line, NoAnswer

TOKEN_ADDRESS: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
TOKEN_PATH: Final = "/token"  # noqa: S105 - its path, at a stand-in too
SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
ASSERTION_LIFETIME_S: Final = 3_600
"""The longest that is taken."""
RENEWED_BEFORE_S: Final = 300
"""So long before a token expires another is asked for."""
ASKED_EVERY_S: Final = 10.0
"""Nobody asks more often, whatever becomes of it: a token that is not taken when it is new is not too old."""

_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


class ServiceAccount(msgspec.Struct, frozen=True):
    """Who we are at Google."""

    project_id: str
    email: str
    key_id: str
    key: RSAPrivateKey


class _Token(msgspec.Struct, frozen=True):
    access_token: Annotated[str, msgspec.Meta(pattern="^[!-~]{1,8192}$")]
    expires_in: int


class _Problem(msgspec.Struct, frozen=True):
    error: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,64}$")]


_decode_token: Final = msgspec.json.Decoder(_Token).decode
_decode_problem: Final = msgspec.json.Decoder(_Problem).decode


class AccessTokens:
    """The token of one service account; however many need it, one asks. `clock` goes only forward, in seconds."""

    def __init__(self, account: ServiceAccount, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._line = line
        self._clock = clock
        self._asking = asyncio.Lock()
        self._token = ""
        self._given_at = self._renew_at = self._over_at = 0.0
        self._failed_at = -ASKED_EVERY_S
        self._why = ""

    async def get(self) -> str:
        """A token that holds, if it can be had for some minutes yet; raises `NoAnswer` where none is to be had."""
        async with self._asking:
            if not self._token or self._clock() >= self._renew_at:
                try:
                    await self._renew()
                except NoAnswer:
                    if not self._token or self._clock() >= self._over_at:
                        raise
            return self._token

    async def after(self, token: str) -> str | None:
        """Another than one that was not taken; None where that is new. Raises `NoAnswer` where none is to be had."""
        if token == self._token:
            if self._clock() < self._given_at + ASKED_EVERY_S:
                return None
            self._token = ""
        return await self.get()

    async def close(self) -> None:
        await self._line.close()

    async def _renew(self) -> None:
        if self._clock() < self._failed_at + ASKED_EVERY_S:
            raise NoAnswer(self._why)
        began = self._clock()
        try:
            token = await self._ask()
        except NoAnswer as error:
            self._failed_at, self._why = self._clock(), str(error)
            raise
        self._token, self._given_at = token.access_token, began
        self._over_at = began + token.expires_in
        self._renew_at = max(self._over_at - RENEWED_BEFORE_S, began + ASKED_EVERY_S)

    async def _ask(self) -> _Token:
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self._assertion()}
        answer = await self._line.post(TOKEN_PATH, urlencode(form).encode(), _FORM)
        try:
            return _decode_token(answer.body)
        except msgspec.DecodeError:
            raise NoAnswer(f"Google gives no access token: {answer.status} {_problem(answer.body)}".rstrip()) from None

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._account.email,
            "scope": SCOPE,
            "aud": TOKEN_ADDRESS,
            "iat": now,
            "exp": now + ASSERTION_LIFETIME_S,
        }
        return jwt.encode(claims, self._account.key, algorithm="RS256", headers={"kid": self._account.key_id})


def _problem(body: bytes) -> str:
    """The code of an error (RFC 6749, 5.2); never what else is said."""
    try:
        return _decode_problem(body).error
    except msgspec.DecodeError:
        return ""
