"""Access tokens: short signed statements of who is asking and in which roles (RFC 9068, `at+jwt`).

Verifying runs on every request, so the token is taken apart here and only the signature is PyJWT's: that halves the
time spent beside the signature itself. A header is judged once; the same bytes mean the same key afterwards.
"""

import base64
import binascii
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm

from domain.identity.permissions import STAFF_MAY, Permission, Role, StaffRole, Standing
from infra.ids import new_id
from infra.key_ring import LOOK_EVERY_S, KeyRing, Trusted
from infra.settings import Settings
from infra.token_keys import ACCESS_LIFETIME_S, base64url

ALGORITHM = "ES256"
TYPES = frozenset({"at+jwt", "application/at+jwt"})  # RFC 9068, section 4
TOKEN_CHARACTERS_MAX = 4096
LIFETIME_MAX_S = 366 * 24 * 3600
CLOCK_SKEW_S = 60
VERIFIED_MAX = 16_384
HEADERS_MAX = 256
SIGNATURE_BYTES = 64
UNKNOWN_LOOK_EVERY_S = 0.1
NAME_CHARACTERS_MAX = 200
EMPLOYMENTS_MAX = 16

_es256 = ECAlgorithm(ECAlgorithm.SHA256, SECP256R1)
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]
_Role = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class TokenRefused(Exception):  # noqa: N818  a refusal, named as DESIGN names refusals
    """The token proves nothing; `reason` says why in a word or two."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says; times are in seconds of the Unix clock.

    `merchants` says what the subject may do for whom. `session_id` is one that nobody opened for a token from the
    command line, so that it can be signed out alone; None for an API key, and for a token made before they named one.
    `has_merged`: what guests did who turned out to be the subject stands under other ids.
    """

    subject: UUID
    roles: frozenset[str]
    name: str | None
    expires_at: float
    issued_at: float = 0.0
    session_id: UUID | None = None
    merchants: Mapping[UUID, "Employment"] = field(default_factory=dict)
    has_merged: bool = False


@dataclass(frozen=True, slots=True)
class Employment:
    """What somebody, or a key, may do for a merchant, and where that merchant stands."""

    permissions: frozenset[Permission]
    standing: Standing = Standing.APPROVED


class Employed(msgspec.Struct, frozen=True):
    """An employment as a token says it."""

    id: UUID
    role: StaffRole
    standing: Standing


class _Header(msgspec.Struct, omit_defaults=True):
    alg: str
    typ: str
    kid: str
    crit: list[str] | None = None


class _Payload(msgspec.Struct, omit_defaults=True):
    iss: str
    aud: str | list[str]
    sub: UUID
    exp: float
    iat: float
    roles: Annotated[list[_Role], msgspec.Meta(max_length=16)] = []
    name: _Name | None = None
    nbf: float | None = None
    sid: UUID | None = None
    jti: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    merchants: Annotated[list[Employed], msgspec.Meta(max_length=EMPLOYMENTS_MAX)] = []
    merged: bool = False


_header_decoder = msgspec.json.Decoder(_Header)
_payload_decoder = msgspec.json.Decoder(_Payload)


class TokenIssuer:
    """Signs tokens with the key whose turn it is; raises `BadKey` where there is none that is trusted here."""

    def __init__(self, settings: Settings, ring: KeyRing | None = None, clock: Callable[[], float] = time.time) -> None:
        self._ring = ring or KeyRing(settings)
        self._settings = settings
        self._clock = clock
        self._headers: dict[str, str] = {}
        self._ring.signer(clock())

    def issue(  # noqa: PLR0913 - the claims a token may have
        self,
        subject: UUID,
        roles: frozenset[str],
        lifetime_s: int,
        name: str | None = None,
        now: float | None = None,
        *,
        session_id: UUID | None = None,
        merchants: Sequence[Employed] = (),
        has_merged: bool = False,
    ) -> str:
        """A token of this subject; `now` is to the millisecond, as what is revoked is told by when it was issued.

        A token that lives for longer than those of sessions has its key trusted for as long.
        """
        clock = self._clock()
        issued_at = math.floor((clock if now is None else now) * 1000) / 1000
        payload = _Payload(
            iss=self._settings.token_issuer,
            aud=self._settings.token_audience,
            sub=subject,
            exp=issued_at + lifetime_s,
            iat=issued_at,
            roles=sorted(roles),
            name=name,
            sid=session_id or new_id(),
            jti=str(new_id()),
            merchants=list(merchants),
            merged=has_merged,
        )
        key = self._ring.signer(clock)
        if lifetime_s > ACCESS_LIFETIME_S:
            self._ring.keep_trusting(key, payload.exp)
        signed = f"{self._header(key.kid)}.{base64url(msgspec.json.encode(payload))}"
        return f"{signed}.{base64url(_es256.sign(signed.encode(), key.private))}"

    def _header(self, kid: str) -> str:
        if kid not in self._headers:
            self._headers = {kid: base64url(msgspec.json.encode(_Header(alg=ALGORITHM, typ="at+jwt", kid=kid)))}
        return self._headers[kid]


class TokenVerifier:
    """Verifies tokens with the keys that are trusted now, and remembers those it has verified until they expire."""

    def __init__(self, settings: Settings, ring: KeyRing | None = None, clock: Callable[[], float] = time.time) -> None:
        self._ring = ring or KeyRing(settings)
        self._trusted = Trusted({})
        self._look_at = 0.0
        self._looked_for_unknown_at = -math.inf
        self._issuer = settings.token_issuer
        self._audience = settings.token_audience
        self._clock = clock
        self._headers: dict[str, EllipticCurvePublicKey] = {}
        self._verified: OrderedDict[str, Claims] = OrderedDict()

    def verify(self, token: str) -> Claims:
        """Raises TokenRefused for anything that is not a token of ours, for us, valid now."""
        now = self._clock()
        if now >= self._look_at:
            self._look(now)
        claims = self._verified.get(token)
        if claims is not None:
            if now < claims.expires_at:
                self._verified.move_to_end(token)
                return claims
            del self._verified[token]
            raise TokenRefused("expired")
        claims = self._verify_new(token, now)
        if len(self._verified) >= VERIFIED_MAX:
            self._verified.popitem(last=False)
        self._verified[token] = claims
        return claims

    def _verify_new(self, token: str, now: float) -> Claims:
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise TokenRefused("too long")
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        if not (signature and payload) or "." in payload or not token.isascii():
            raise TokenRefused("malformed")
        key = self._headers.get(header) or self._judge_header(header, now)
        raw_signature = _decode(signature)
        if len(raw_signature) != SIGNATURE_BYTES or not _es256.verify(signed.encode(), key, raw_signature):
            raise TokenRefused("bad signature")
        return self._judge_payload(payload, now)

    def _look(self, now: float, *, again: bool = False) -> None:
        """See which keys are trusted now; what was verified with one that is no more is forgotten."""
        self._look_at = now + LOOK_EVERY_S
        trusted = self._ring.trusted(now, look=again)
        if trusted is not self._trusted:
            self._trusted = trusted
            self._headers.clear()
            self._verified.clear()

    def _look_for_unknown(self, now: float) -> None:
        """See whether a key came just now: one that signs at once is there before the first token of it.

        Anybody can name a key that nobody has, so one look serves all who do in a moment.
        """
        if not self._looked_for_unknown_at <= now < self._looked_for_unknown_at + UNKNOWN_LOOK_EVERY_S:
            self._looked_for_unknown_at = now
            self._look(now, again=True)

    def _judge_header(self, segment: str, now: float) -> EllipticCurvePublicKey:
        try:
            header = _header_decoder.decode(_decode(segment))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TokenRefused("malformed header") from error
        if header.alg != ALGORITHM:
            raise TokenRefused("wrong algorithm")
        if header.typ.lower() not in TYPES:
            raise TokenRefused("wrong type")
        if header.crit is not None:
            raise TokenRefused("unknown critical header")
        if header.kid not in self._trusted.keys:
            self._look_for_unknown(now)
        key = self._trusted.keys.get(header.kid)
        if key is None:
            raise TokenRefused("unknown key")
        if len(self._headers) < HEADERS_MAX:
            self._headers[segment] = key
        return key

    def _judge_payload(self, segment: str, now: float) -> Claims:
        try:
            payload = _payload_decoder.decode(_decode(segment))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TokenRefused("malformed claims") from error
        if payload.iss != self._issuer:
            raise TokenRefused("wrong issuer")
        if payload.aud != self._audience and not (isinstance(payload.aud, list) and self._audience in payload.aud):
            raise TokenRefused("wrong audience")
        if not payload.exp > now:
            raise TokenRefused("expired")
        if max(payload.iat, payload.nbf or 0.0) > now + CLOCK_SKEW_S:
            raise TokenRefused("not valid yet")
        if payload.name is not None and "\0" in payload.name:
            raise TokenRefused("malformed claims")
        return Claims(
            payload.sub,
            frozenset(payload.roles),
            payload.name,
            payload.exp,
            payload.iat,
            payload.sid,
            _employments(payload),
            payload.merged,
        )


def _employments(payload: _Payload) -> dict[UUID, Employment]:
    """A token with the role `merchant` and no employments is of an operator's making: its subject is the merchant."""
    if not payload.merchants and Role.MERCHANT in payload.roles:
        return {payload.sub: Employment(frozenset(Permission))}
    return {each.id: Employment(STAFF_MAY[each.role], each.standing) for each in payload.merchants}


def _decode(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError) as error:
        raise TokenRefused("malformed") from error
