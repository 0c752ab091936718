"""Hostile tokens: whatever is in the Authorization header, the answer is 401 and never 500."""

import json
from typing import Any
from uuid import uuid4

from infra.settings import Settings
from tests.api.forger import Forger
from tests.api.people import Town, problem

MERCHANT = {"id": str(uuid4()), "role": "owner", "standing": "approved"}
STRANGE: dict[str, dict[str, Any]] = {
    "many merchants": {"merchants": [{**MERCHANT, "id": str(uuid4())} for _ in range(17)]},
    "merchants to fill the memory": {"merchants": [MERCHANT] * 10_000},
    "merchants are no list": {"merchants": MERCHANT},
    "merchants of no merchant": {"merchants": [None]},
    "merchants deep": {"merchants": [[[[[[]]]]]]},
    "a merchant without id": {"merchants": [{"role": "owner", "standing": "approved"}]},
    "a merchant's id is no id": {"merchants": [{**MERCHANT, "id": "1"}]},
    "a role nobody has": {"merchants": [{**MERCHANT, "role": "god"}]},
    "a standing nobody has": {"merchants": [{**MERCHANT, "standing": "beloved"}]},
    "roles that are no words": {"roles": [1, None]},
    "many roles": {"roles": ["shopper"] * 17},
    "a role too long": {"roles": ["x" * 41]},
    "the end is not a number": {"exp": float("nan")},
    "no end, ever": {"exp": float("inf")},
    "an end as text": {"exp": "2100-01-01T00:00:00Z"},
    "an end as truth": {"exp": True},
    "an end before the beginning of time": {"exp": -1e300},
    "issued at no number": {"iat": float("nan")},
    "issued never": {"iat": None},
    "good from no number on": {"nbf": float("nan")},
    "good from text on": {"nbf": "now"},
    "a session that is none": {"sid": "everything"},
    "a session that is a list": {"sid": [str(uuid4())]},
    "its own id is a number": {"jti": 7},
    "its own id is long": {"jti": "x" * 101},
    "subject is a number": {"sub": 1},
    "subject is nobody": {"sub": None},
    "issuer is a list": {"iss": ["tuan"]},
    "audience is an object": {"aud": {"tuan-api": True}},
    "audience is a list of numbers": {"aud": [1, 2]},
    "a name too long": {"name": "x" * 201},
    "a name with a nul": {"name": "a\0b"},
    "merged as text": {"merged": "yes"},
}
NO_CLAIMS = (b"", b"null", b"[]", b"7", b'"shopper"', b"{", b"\xff\xfe", b"[" * 1_000, b'{"a":' * 500 + b"1")


async def test_no_forged_token_is_believed(town: Town, settings: Settings) -> None:
    """Expired, foreign, unsigned, of another algorithm, audience, issuer or type: 401, on open routes too."""
    forger = Forger(settings)
    forged = forger.with_wrong_claims() | forger.by_other_algorithms() | forger.tampered_with()
    forged |= forger.naming_strange_keys(str(settings.data_dir / "keys" / "private.pem"))
    for name, token in forged.items():
        await _is_refused(town, token, name)


async def test_a_good_token_is_good_as_a_bearers_only(town: Town, settings: Settings) -> None:
    """Under another scheme, or one that is nearly it, nobody is known by it."""
    good = Forger(settings).token().encode()
    assert (await _ask(town, b"Bearer " + good)).status_code == 200
    for scheme in (b"Basic  ", b"Token: ", b"bearer:", b"Bearer, "):
        assert (await _ask(town, scheme + good)).status_code == 401, scheme


async def test_no_strange_claims_are_believed(town: Town, settings: Settings) -> None:
    """Well signed by us, and still not what a token of ours says: 401, never 500."""
    forger = Forger(settings)
    for name, strange in STRANGE.items():
        await _is_refused(town, forger.token(strange), name)
    for payload in NO_CLAIMS:
        await _is_refused(town, forger.raw(payload), payload)


async def test_numbers_beyond_all_bounds_are_refused(town: Town, settings: Settings) -> None:
    """JSON may say numbers that are no times."""
    forger = Forger(settings)
    for name in ("exp", "iat", "nbf"):
        for number in (b"1e999", b"-1e999", b"1" * 400, b"-" + b"1" * 400, b"NaN", b"Infinity"):
            said = json.dumps(forger.claims | {name: "here"}).encode().replace(b'"here"', number)
            if (name, number[:1]) not in {("iat", b"-"), ("nbf", b"-")}:  # long ago: nothing speaks against it
                await _is_refused(town, forger.raw(said), said)
            assert (await _ask(town, b"Bearer " + forger.raw(said).encode())).status_code in {200, 401}, said


async def test_a_refresh_token_is_no_access_token(town: Town) -> None:
    """Before it is spent and after; and a token that was signed out is none any more."""
    told = (await town.nobody.post("/v1/sign-in/guest")).json()
    await _is_refused(town, told["refresh_token"])
    await _is_refused(town, f"{told['refresh_token']}.{told['refresh_token']}.{told['refresh_token']}")
    bearer = b"Bearer " + told["access_token"].encode()
    assert (await town.client.post("/v1/sign-out", headers=[(b"authorization", bearer)])).status_code == 204
    await _is_refused(town, told["access_token"])


async def test_a_flood_of_unknown_keys_is_refused(town: Town, settings: Settings) -> None:
    """Each makes us look for a new key, none stays in memory, and good tokens are good meanwhile."""
    forger = Forger(settings)
    for number in range(300):
        await _is_refused(town, forger.token(header={"kid": f"{forger.kid[:-3]}{number:03}"}))
    assert (await _ask(town, b"Bearer " + forger.token().encode())).status_code == 200


async def test_no_nonsense_in_the_header_is_a_fault(town: Town) -> None:
    """Empty, half, binary, endless or another scheme: all are 401."""
    nonsense = [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer .",
        b"Bearer ..",
        b"Bearer a.b.c",
        b"Bearer \xff\xfe.\x00.\x01",
        b"Bearer " + "\U0001f375".encode(),
        b"Bearer e30.e30.e30",
        b"Bearer " + b"." * 5_000,
        b"Basic dXNlcjpwYXNz",
        b"bearer",
        b"Token x",
        b"Bearer\ta.b.c",
        b"{}",
    ]
    for value in nonsense:
        problem(await _ask(town, value), 401, "not-authenticated")


def problem_header(answer: Any) -> str:
    return str(answer.headers["www-authenticate"])


async def _is_refused(town: Town, token: str, what: object = "") -> None:
    for path in ("/v1/me/groups", "/v1/deals"):
        answer = await _ask(town, b"Bearer " + token.encode(), path)
        assert answer.status_code == 401, what
        problem(answer, 401, "not-authenticated")
        assert 'error="invalid_token"' in problem_header(answer), what


async def _ask(town: Town, authorization: bytes, path: str = "/v1/me/groups") -> Any:
    return await town.client.get(path, headers=[(b"authorization", authorization)])
