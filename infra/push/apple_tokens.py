"""Provider tokens for Apple's push service: signed by us, the same one for forty minutes.

Apple takes none older than an hour, and no new one within twenty minutes.
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

    def get(self) -> str:
        """The one that holds now."""
        now = self._clock()
        if not self._token or not 0 <= now - self._made_at < RENEWED_AFTER_S:
            self._token, self._made_at = self._made(now), now
        return self._token

    def after(self, token: str) -> str | None:
        """Another than one that is said to be too old; None where that is too young to be followed by another."""
        if token == self._token:
            if 0 <= self._clock() - self._made_at < KEPT_AT_LEAST_S:
                return None
            self._token = ""
        return self.get()

    def _made(self, now: float) -> str:
        claims = {"iss": self._key.team_id, "iat": int(now)}
        return jwt.encode(claims, self._key.key, algorithm="ES256", headers={"kid": self._key.key_id})
