"""Provider tokens for Apple's push service: signed by us, the same one for forty minutes.

Apple takes none older than an hour, and frowns on a new one within twenty minutes.
https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

RENEWED_AFTER_S: Final = 2_400.0
KEPT_AT_LEAST_S: Final = 1_200.0


class AppleKey(NamedTuple):
    """A signing key of a team's."""

    key: EllipticCurvePrivateKey
    key_id: str
    team_id: str


class ProviderTokens:
    """The token of one key; `clock` is the time of day in seconds since 1970."""

    def __init__(self, key: AppleKey, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self._token = ""
        self._made_at = 0.0
        self._forgotten_at = -KEPT_AT_LEAST_S

    def get(self) -> str:
        """The one that holds now."""
        now = self._clock()
        if not self._token or not 0 <= now - self._made_at < RENEWED_AFTER_S:
            self._token, self._made_at = self._made(now), now
        return self._token

    def forget(self, token: str) -> None:
        """It is said to be too old: the next is a new one, at most once in twenty minutes."""
        now = self._clock()
        if token == self._token and not 0 <= now - self._forgotten_at < KEPT_AT_LEAST_S:
            self._token, self._forgotten_at = "", now

    def _made(self, now: float) -> str:
        claims = {"iss": self._key.team_id, "iat": int(now)}
        return jwt.encode(claims, self._key.key, algorithm="ES256", headers={"kid": self._key.key_id})
