"""Which service pushes go by, as settings describe it, and what an operator is told where something is missing."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from redis.asyncio import Redis

from cli.reach import require_gateways
from infra.cannot_start import WrongSetting
from infra.messages.console import ConsoleMessages
from infra.push.apns import ApnsPush
from infra.push.console import ConsolePush
from infra.push.fcm import FcmPush
from infra.push.gateways import Pushes, open_pushes
from infra.push.port import Later, Sent
from infra.settings import read_settings
from tests.push.apple import KEY_ID, TEAM, TOPIC, apple_key_file
from tests.push.google import account_file, google
from tests.push.samples import ANDROID, push

NAMED = {"TUAN_APNS_KEY_ID": KEY_ID, "TUAN_APNS_TEAM_ID": TEAM, "TUAN_APNS_TOPIC": TOPIC}


def opened(environment: dict[str, str], console: ConsoleMessages | None = None) -> Pushes:
    return open_pushes(read_settings(environment), console)


async def test_each_platform_goes_its_way(tmp_path: Path) -> None:
    """Android by Google, iPhones by Apple; browsers and WeChat have nobody yet."""
    given = {
        "TUAN_FCM_SERVICE_ACCOUNT_FILE": str(account_file(tmp_path)),
        "TUAN_APNS_KEY_FILE": str(apple_key_file(tmp_path)),
        **NAMED,
    }
    pushes = opened(given)
    kinds = {platform: type(pushes.of(platform)) for platform in ("android", "ios", "web", "wechat")}
    assert kinds == {"android": FcmPush, "ios": ApnsPush, "web": type(None), "wechat": type(None)}
    await pushes.close()


async def test_without_settings_only_a_console_takes_pushes(redis_client: Redis) -> None:
    """At home they are shown where codes are; in production nobody is pushed to, and nothing is lost on a log."""
    console = ConsoleMessages(redis_client, has_inbox=True)
    assert isinstance(opened({}, console).of("ios"), ConsolePush)
    assert opened({}).of("ios") is None


async def test_the_console_shows_what_a_phone_would(redis_client: Redis) -> None:
    """Title and text, and which device, without its whole token."""
    console = ConsoleMessages(redis_client, has_inbox=True)
    gateway = opened({}, console).of("android")
    assert gateway is not None
    assert await gateway.send(push(token=ANDROID)) == Sent()
    ((to, text),) = [(each.to, each.text) for each in await console.inbox()]
    assert (to, text) == (f"android {ANDROID[:12]}", f"{push().title}: {push().body}")


async def test_a_console_without_its_inbox_is_for_later() -> None:
    """While Redis is away nothing is shown, so nothing is said to be sent."""
    nowhere = Redis.from_url("redis://127.0.0.1:1")
    gateway = opened({}, ConsoleMessages(nowhere, has_inbox=True)).of("ios")
    assert gateway is not None
    assert isinstance(await gateway.send(push()), Later)
    await nowhere.aclose()


async def test_a_stand_in_serves_for_google(tmp_path: Path) -> None:
    """One address for both, tokens and pushes."""
    async with google() as server:
        file = str(account_file(tmp_path))
        pushes = opened({"TUAN_FCM_SERVICE_ACCOUNT_FILE": file, "TUAN_FCM_BASE": server.address})
        gateway = pushes.of("android")
        assert gateway is not None
        assert await gateway.send(push(token=ANDROID)) == Sent()
        await pushes.close()
    assert len(server.pushed) == 1


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"TUAN_FCM_BASE": "http://127.0.0.1:1"}, "TUAN_FCM_SERVICE_ACCOUNT_FILE is not set"),
        ({"TUAN_FCM_SERVICE_ACCOUNT_FILE": "/nowhere/key"}, "TUAN_FCM_SERVICE_ACCOUNT_FILE.*cannot be read"),
        ({"TUAN_FCM_SERVICE_ACCOUNT_FILE": "/dev/null"}, "TUAN_FCM_SERVICE_ACCOUNT_FILE.*service account"),
        ({"TUAN_FCM_BASE": "ftp://x"}, "TUAN_FCM_BASE is"),
        ({"TUAN_APNS_BASE": "http://127.0.0.1:1"}, "TUAN_APNS_KEY_FILE and TUAN_APNS_KEY_ID and TUAN_APNS_TEAM_ID"),
        ({"TUAN_APNS_KEY_ID": KEY_ID}, "TUAN_APNS_KEY_FILE and TUAN_APNS_TEAM_ID and TUAN_APNS_TOPIC"),
        ({**NAMED, "TUAN_APNS_KEY_FILE": "/nowhere/key"}, "TUAN_APNS_KEY_FILE.*cannot be read"),
        ({**NAMED, "TUAN_APNS_KEY_FILE": "/dev/null"}, "TUAN_APNS_KEY_FILE.*AuthKey"),
        ({"TUAN_APNS_KEY_ID": "key1234567"}, "TUAN_APNS_KEY_ID is .*10 capital letters and digits"),
        ({"TUAN_APNS_TEAM_ID": "example.tuan.app"}, "TUAN_APNS_TEAM_ID is"),
    ],
)
def test_what_is_missing_is_one_line(given: dict[str, str], names: str) -> None:
    """An operator reads which setting it is and what belongs there, at the start and not at the first push."""
    with pytest.raises(WrongSetting, match=names) as refused:
        opened(given)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"TUAN_FCM_SERVICE_ACCOUNT_FILE": "/nowhere/key"}, "No such file or directory.*name a file that holds"),
        ({"TUAN_APNS_TEAM_ID": TEAM}, "set all four"),
        ({"TUAN_WECHAT_JS_APP_ID": "wx1"}, "TUAN_WECHAT_JS_SECRET_FILE is not set"),
    ],
)
def test_it_is_said_before_anything_is_started(given: dict[str, str], names: str) -> None:
    """`tuan run` looks at them before it makes a database, not when its API comes up and ends again."""
    with pytest.raises(WrongSetting, match=names):
        require_gateways(read_settings(given))


@pytest.mark.parametrize("base", ["http://push.example", "http://10.0.0.1"])
def test_nothing_goes_in_the_clear(tmp_path: Path, base: str) -> None:
    """A stand-in without TLS is one on this machine."""
    account, key = str(account_file(tmp_path)), str(apple_key_file(tmp_path))
    with pytest.raises(WrongSetting, match="TUAN_FCM_BASE must begin with https"):
        opened({"TUAN_FCM_SERVICE_ACCOUNT_FILE": account, "TUAN_FCM_BASE": base})
    with pytest.raises(WrongSetting, match="TUAN_APNS_BASE must begin with https"):
        opened({**NAMED, "TUAN_APNS_KEY_FILE": key, "TUAN_APNS_BASE": base})


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "authorized_user"},
        {"private_key": "nonsense"},
        {"client_email": ""},
        {"project_id": "../evil"},
        {"private_key_id": None},
    ],
)
def test_a_file_that_is_no_service_accounts_says_so(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Other files of Google's look much alike; nothing of the key is repeated."""
    with pytest.raises(WrongSetting, match="TUAN_FCM_SERVICE_ACCOUNT_FILE") as refused:
        opened({"TUAN_FCM_SERVICE_ACCOUNT_FILE": str(account_file(tmp_path, **changes))})
    assert "PRIVATE" not in str(refused.value)


def test_weak_keys_and_other_curves_are_refused(tmp_path: Path) -> None:
    """A key that the service will not take is found at the start."""
    weak = generate_rsa_key(65_537, 1_024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = account_file(tmp_path)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"private_key": weak.decode()}))
    with pytest.raises(WrongSetting, match="no RSA key of 2048 bits"):
        opened({"TUAN_FCM_SERVICE_ACCOUNT_FILE": str(file)})
    other = tmp_path / "other.p8"
    pem = generate_private_key(SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    other.write_bytes(pem)
    with pytest.raises(WrongSetting, match="AuthKey"):
        opened({**NAMED, "TUAN_APNS_KEY_FILE": str(other)})
