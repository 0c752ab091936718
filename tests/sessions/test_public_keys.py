"""`/.well-known/jwks.json`: whoever has it verifies our tokens, with any library, and has new keys in time."""

import re
import time

import jwt
from jwt import PyJWK

from infra.own_keys import OVERLAP_S, rotate
from infra.settings import Settings
from tests.api.people import Town
from tests.sessions.devices import new_device
from tests.waiting import eventually


async def test_anybody_verifies_our_tokens(town: Town) -> None:
    """With nothing but the published keys and another library; what a token says is what was signed in."""
    phone = await new_device(town)
    assert phone.token is not None
    keys = {key["kid"]: PyJWK(key) for key in (await town.client.get("/.well-known/jwks.json")).json()["keys"]}
    header = jwt.get_unverified_header(phone.token)
    said = jwt.decode(phone.token, keys[header["kid"]].key, ["ES256"], audience="tuan-api", issuer="tuan")
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert set(said) >= {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "roles"}
    assert (said["sub"], said["sid"], said["roles"]) == (str(phone.subject), phone.session_id, ["guest", "shopper"])
    assert said["exp"] - said["iat"] == 600


async def test_a_key_is_published_in_time_and_nothing_private(town: Town, settings: Settings) -> None:
    """Whoever keeps the keys for as long as the answer allows has the new one before it signs."""
    made = rotate(settings.data_dir, time.time(), at_once=False)

    async def shown() -> bool:
        answer = await town.client.get("/.well-known/jwks.json")
        (kept_s,) = re.findall(r"max-age=(\d+)", answer.headers["cache-control"])
        assert int(kept_s) < OVERLAP_S
        keys = answer.json()["keys"]
        assert all(set(key) == {"kty", "crv", "alg", "use", "kid", "x", "y"} for key in keys)
        return made.kid in {key["kid"] for key in keys}

    await eventually(shown, "the new key", 3)
    phone = await new_device(town)
    assert jwt.get_unverified_header(phone.token or "")["kid"] != made.kid


async def test_a_rotation_is_picked_up_without_a_restart(town: Town, elsewhere: Town, settings: Settings) -> None:
    """Two processes at work: soon each signs with the new key, and believes the other at once."""
    before = await new_device(town)
    made = rotate(settings.data_dir, time.time(), at_once=True)

    async def signs_with_it() -> bool:
        phone = await new_device(town)
        assert [await phone.at(at).is_in() for at in (town, elsewhere)] == [True, True]
        return bool(jwt.get_unverified_header(phone.token or "")["kid"] == made.kid)

    await eventually(signs_with_it, "a token of the new key", 5)
    assert [await before.at(at).is_in() for at in (town, elsewhere)] == [True, True]
