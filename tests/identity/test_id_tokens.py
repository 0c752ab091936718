"""Signing in by id_token over HTTP: what is good signs in once, what is not changes nothing and says why."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.api.people import fields, problem
from tests.identity.openid_provider import (
    CLIENT_ID,
    NONCE,
    OTHER_RSA,
    RSA,
    OpenIdProvider,
    answer,
    jwk,
    signed,
)
from tests.identity.signing_in import Doors


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1"])
async def test_a_good_token_signs_in_and_the_same_person_comes_back(doors: Doors, kid: str) -> None:
    """RS256 and ES256: the first time makes an account, the second, with a new token, finds it."""
    _, told = doors.let_in(await doors.knock(doors.provider.token(kid=kid), display_name="Mei", device="a phone"))
    assert (told["is_new"], told["is_guest"]) == (True, False)
    mei, again = doors.let_in(await doors.knock(doors.provider.token(kid=kid)))
    assert (again["is_new"], again["account_id"]) == (False, told["account_id"])
    me = (await mei.get("/v1/me")).json()
    assert (me["identities"], me["display_name"]) == ([{"provider": "google", "subject": "somebody"}], "Mei")


async def test_the_same_subject_of_another_provider_is_somebody_else(doors: Doors) -> None:
    """A subject means nothing without its provider; each provider's issuer is its own."""
    _, of_google = await doors.enter("somebody")
    token = doors.provider.token(iss=f"{doors.provider.base}/apple")
    _, of_apple = doors.let_in(await doors.knock(token, provider="apple"))
    assert of_google["account_id"] != of_apple["account_id"]
    problem(await doors.knock(doors.provider.token(), provider="apple"), 403, "id-token-refused")


async def test_facebook_signs_with_rsa_alone(doors: Doors) -> None:
    """The algorithms are those of the provider, whatever keys it publishes."""
    issuer = f"{doors.provider.base}/facebook"
    assert (await doors.knock(doors.provider.token(iss=issuer), provider="facebook")).status_code == 200
    refused = await doors.knock(doors.provider.token(kid="ec-1", iss=issuer), provider="facebook")
    assert "algorithm" in problem(refused, 403, "id-token-refused")["detail"]


async def test_a_token_is_good_for_once(doors: Doors) -> None:
    """Sent again by whoever found it, it signs nobody in, also under another spelling of its signature."""
    token = doors.provider.token(kid="ec-1")
    assert (await doors.knock(token)).status_code == 200
    problem(await doors.knock(token), 403, "evidence-used")
    told, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    other = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    problem(await doors.knock(f"{told}.{_b64(other)}"), 403, "evidence-used")


async def test_a_nonce_may_be_hashed(doors: Doors) -> None:
    """As Apple's apps do it: the token has the SHA-256, and whoever finds the token has not the nonce."""
    hashed = hashlib.sha256(NONCE.encode()).hexdigest()
    problem(await doors.knock(doors.provider.token(nonce=hashed.upper())), 403, "id-token-refused")
    assert (await doors.knock(doors.provider.token(nonce=hashed))).status_code == 200


async def test_clocks_may_differ_a_little(doors: Doors) -> None:
    """A token from half a minute in the future, or that ended half a minute ago, is good."""
    now = time.time()
    assert (await doors.knock(doors.provider.token(iat=now + 30))).status_code == 200
    assert (await doors.knock(doors.provider.token(exp=now - 30))).status_code == 200


def _none(provider: OpenIdProvider) -> str:
    return signed(RSA, {"alg": "none", "kid": "rsa-1"}, provider.claims()).rpartition(".")[0] + "."


def _by_public_key(provider: OpenIdProvider) -> str:
    """RS/HS confusion: the public key as the secret of a MAC."""
    told = ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "rsa-1"}, provider.claims()))
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{told}.{_b64(hmac.digest(pem, told.encode(), hashlib.sha256))}"


def _foreign(provider: OpenIdProvider) -> str:
    return signed(OTHER_RSA, {"alg": "RS256", "kid": "rsa-1"}, provider.claims())


def _own_key_in_header(provider: OpenIdProvider) -> str:
    header = {"alg": "RS256", "kid": "mine", "jwk": jwk(OTHER_RSA, "mine"), "jku": f"{provider.base}/mine/jwks"}
    return signed(OTHER_RSA, {**header, "x5u": f"{provider.base}/x5u", "x5c": ["MIIB"]}, provider.claims())


def _other_curve(provider: OpenIdProvider) -> str:
    return signed(ec.generate_private_key(ec.SECP256R1()), {"alg": "ES256", "kid": "ec-1"}, provider.claims())


def _patched(provider: OpenIdProvider) -> str:
    header, _, signature = provider.token().split(".")
    return f"{header}.{_b64(json.dumps(provider.claims(sub='somebody else')).encode())}.{signature}"


HOSTILE: dict[str, Callable[[OpenIdProvider], str]] = {
    "alg none": _none,
    "RS/HS confusion": _by_public_key,
    "foreign key with known kid": _foreign,
    "foreign key of a curve with known kid": _other_curve,
    "own key in its header": _own_key_in_header,
    "path in kid": lambda p: signed(RSA, {"alg": "RS256", "kid": "../../../etc/passwd"}, p.claims()),
    "SQL in kid": lambda p: signed(RSA, {"alg": "RS256", "kid": "' OR '1'='1"}, p.claims()),
    "NUL in kid": lambda p: signed(RSA, {"alg": "RS256", "kid": "rsa-1\0"}, p.claims()),
    "address in kid": lambda p: signed(RSA, {"alg": "RS256", "kid": f"{p.base}/mine/jwks"}, p.claims()),
    "kid of another kind of key": lambda p: signed(RSA, {"alg": "RS256", "kid": "ec-1"}, p.claims()),
    "algorithm of another kind of key": lambda p: signed(RSA, {"alg": "ES256", "kid": "rsa-1"}, p.claims()),
    "RS512": lambda p: signed(RSA, {"alg": "RS512", "kid": "rsa-1"}, p.claims()),
    "no kid": lambda p: signed(RSA, {"alg": "RS256"}, p.claims()),
    "kid that is a number": lambda p: signed(RSA, {"alg": "RS256", "kid": 1}, p.claims()),
    "kid without end": lambda p: signed(RSA, {"alg": "RS256", "kid": "k" * 5_000}, p.claims()),
    "critical header": lambda p: signed(
        RSA, {"alg": "RS256", "kid": "rsa-1", "crit": ["b64"], "b64": False}, p.claims()
    ),
    "header that is a list": lambda _: f"{_b64(b'[]')}.{_b64(b'{}')}.AA",
    "header that is deep": lambda _: f"{_b64(b'[' * 3_000)}.{_b64(b'{}')}.AA",
    "no dots": lambda _: "abc",
    "dots alone": lambda _: "..",
    "five parts": lambda p: p.token() + ".AA.AA",
    "no signature": lambda p: p.token().rpartition(".")[0] + ".",
    "other claims, same signature": _patched,
    "wrong issuer": lambda p: p.token(iss="https://accounts.google.com"),
    "no issuer": lambda p: p.token(iss=...),
    "issuers": lambda p: p.token(iss=[f"{p.base}/google"]),
    "wrong audience": lambda p: p.token(aud="com.example.other"),
    "no audience": lambda p: p.token(aud=...),
    "two audiences": lambda p: p.token(aud=[CLIENT_ID, "com.example.other"]),
    "audience that is null": lambda p: p.token(aud=None),
    "no nonce": lambda p: p.token(nonce=...),
    "other nonce": lambda p: p.token(nonce="another-nonce-altogether"),
    "nonce that is no text": lambda p: p.token(nonce=NONCE + "\ud800"),
    "nonce beyond ASCII": lambda p: p.token(nonce="nönce-of-the-app-itself"),
    "empty nonce": lambda p: p.token(nonce=""),
    "nonce that is a list": lambda p: p.token(nonce=[NONCE]),
    "expired": lambda p: p.token(exp=time.time() - 90),
    "no expiry": lambda p: p.token(exp=...),
    "expiry that is text": lambda p: p.token(exp="tomorrow"),
    "expiry that is infinite": lambda p: p.token(exp=float("inf")),
    "expiry that is no number": lambda p: p.token(exp=float("nan")),
    "expiry after all time": lambda p: p.token(exp=1e300),
    "lives for years": lambda p: p.token(exp=time.time() + 10**9),
    "not issued yet": lambda p: p.token(iat=time.time() + 90),
    "no time of issue": lambda p: p.token(iat=...),
    "issued before all time": lambda p: p.token(iat=-1e300),
    "not valid yet": lambda p: p.token(nbf=time.time() + 90),
    "no subject": lambda p: p.token(sub=...),
    "empty subject": lambda p: p.token(sub=""),
    "subject that is a number": lambda p: p.token(sub=7),
    "subject without end": lambda p: p.token(sub="s" * 256),
    "NUL in subject": lambda p: p.token(sub="some\0body"),
    "surrogate in subject": lambda p: p.token(sub="\ud800"),
    "claims that are a list": lambda _: signed(RSA, {"alg": "RS256", "kid": "rsa-1"}, [1]),  # type: ignore[arg-type]  # on purpose
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_token_proves_nothing(doors: Doors, name: str) -> None:
    """Refused with one named problem, never a fault; whoever made it is not asked for keys, and nobody is signed in."""
    await doors.enter("warm")
    fetches = doors.provider.fetches
    token = HOSTILE[name](doors.provider)
    details = problem(await doors.knock(token), 403, "id-token-refused")
    assert "Let the app ask the provider" in details["detail"]
    assert doors.provider.fetches == fetches
    _, told = await doors.enter("somebody")
    assert told["is_new"]


async def test_what_a_token_demands_and_is_not_known_is_refused(doors: Doors) -> None:
    """A critical header (RFC 7515, 4.1.11) is not passed over."""
    refused = await doors.knock(doors.provider.token(header={"crit": ["exp"]}))
    assert "asks for what is not known here" in problem(refused, 403, "id-token-refused")["detail"]


async def test_an_expired_token_is_used_by_nobody_later(doors: Doors) -> None:
    """Other tokens of the same person are good after a refused one."""
    problem(await doors.knock(doors.provider.token(exp=time.time() - 90)), 403, "id-token-refused")
    assert (await doors.knock(doors.provider.token())).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"nonce": "short"}, "nonce"),
        ({"nonce": "n" * 201}, "nonce"),
        ({"nonce": "a nonce with blanks"}, "nonce"),
        ({"id_token": ""}, "id_token"),
        ({"id_token": "e\u00e9.e.e"}, "id_token"),
        ({"id_token": "t" * 8_193}, "id_token"),
        ({"provider": "wechat"}, "provider"),
        ({"provider": "myspace"}, "provider"),
        ({"device": ""}, "device"),
        ({"display_name": "n" * 101}, "display_name"),
        ({"jku": "http://127.0.0.1"}, "jku"),
    ],
)
async def test_a_malformed_request_names_its_field(doors: Doors, change: dict[str, str], field: str) -> None:
    """What cannot be a token or a nonce is told before anybody is asked."""
    body = {"provider": "google", "id_token": "e30.e30.AA", "nonce": NONCE} | change
    assert fields(await doors.town.nobody.post("/v1/sign-in/id-token", body)) == {field}


async def test_a_provider_without_our_app_is_not_offered(closed_doors: Doors) -> None:
    """Without a client id there is nobody a token could be meant for: 404, whatever the token."""
    doors = closed_doors
    for provider in ("apple", "google", "facebook"):
        problem(await doors.knock(doors.provider.token(), provider=provider), 404, "provider-not-offered")
    problem(await doors.town.nobody.post("/v1/sign-in/wechat", {"code": "c"}), 404, "provider-not-offered")
    assert doors.provider.fetches == 0


async def test_a_provider_that_is_away_is_503(doors: Doors) -> None:
    """Nothing is known of the token then: the app is told to try again, and when."""

    async def broken(writer: asyncio.StreamWriter) -> None:
        await answer(writer, b"", "500 Oh No")

    doors.provider.say = broken
    refused = await doors.knock(doors.provider.token())
    problem(refused, 503, "provider-unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert (await doors.town.nobody.get("/v1/deals")).status_code == 200
