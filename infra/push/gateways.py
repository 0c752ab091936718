"""Which push leaves by which service, as the settings say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.cannot_start import WrongSetting
from infra.identity.fetching import refuse_in_the_clear
from infra.messages.console import ConsoleMessages
from infra.push.apns import APNS_ORIGIN, ApnsPush
from infra.push.apple_tokens import AppleKey, ProviderTokens
from infra.push.console import ConsolePush
from infra.push.fcm import FCM_ORIGIN, FcmPush
from infra.push.google_tokens import TOKEN_ADDRESS, TOKEN_PATH, AccessTokens, ServiceAccount
from infra.push.line import Line
from infra.push.port import PushGateway
from infra.settings import Settings

ANDROID: Final = "android"
IOS: Final = "ios"
FILE_BYTES_MAX: Final = 64 * 1024
RSA_BITS_MIN: Final = 2_048


class _AccountFile(msgspec.Struct, frozen=True):
    """What Google's console gives out for a service account, as far as we need it."""

    type: str
    project_id: str
    private_key_id: str
    private_key: str
    client_email: str


_decode_account: Final = msgspec.json.Decoder(_AccountFile).decode


class Pushes:
    """The service of each platform; what has none is not pushed to."""

    def __init__(self, by_platform: Mapping[str, PushGateway]) -> None:
        self._by_platform = by_platform

    def of(self, platform: str) -> PushGateway | None:
        """Browsers and WeChat have none yet."""
        return self._by_platform.get(platform)

    async def close(self) -> None:
        for gateway in self._by_platform.values():
            await gateway.close()


def open_pushes(settings: Settings, console: ConsoleMessages | None) -> Pushes:
    """Raises `WrongSetting` for a service that lacks what it needs; at home the console shows what none carries."""
    by_platform: dict[str, PushGateway] = {}
    if console is not None:
        by_platform = {platform: ConsolePush(console, platform) for platform in (ANDROID, IOS)}
    if settings.fcm_service_account_file is not None or settings.fcm_base:
        by_platform[ANDROID] = _fcm(settings)
    if any(_of_apple(settings).values()) or settings.apns_base:
        by_platform[IOS] = _apns(settings)
    return Pushes(by_platform)


def _fcm(settings: Settings) -> FcmPush:
    account = _service_account(settings.fcm_service_account_file)
    if settings.fcm_base:
        refuse_in_the_clear("TUAN_FCM_BASE", settings.fcm_base)
    asking = Line(settings.fcm_base or TOKEN_ADDRESS.removesuffix(TOKEN_PATH))
    return FcmPush(account.project_id, AccessTokens(account, asking), Line(settings.fcm_base or FCM_ORIGIN))


def _service_account(file: Path | None) -> ServiceAccount:
    variable = "TUAN_FCM_SERVICE_ACCOUNT_FILE"
    what = "a service account's key as Google's console gives it out (JSON)"
    try:
        given = _decode_account(_content(variable, file, what))
    except msgspec.DecodeError:
        raise WrongSetting(f"{variable}: {file} does not hold {what}.") from None
    key = _private_key(given.private_key.encode())
    is_whole = all((given.project_id.replace("-", "").isalnum(), given.client_email, given.private_key_id))
    if given.type != "service_account" or not is_whole:
        raise WrongSetting(f"{variable}: {file} does not hold {what}.")
    if not isinstance(key, RSAPrivateKey) or key.key_size < RSA_BITS_MIN:
        raise WrongSetting(f"{variable}: the private_key in {file} is no RSA key of {RSA_BITS_MIN} bits or more.")
    return ServiceAccount(given.project_id, given.client_email, given.private_key_id, key)


def _apns(settings: Settings) -> ApnsPush:
    missing = [name for name, value in _of_apple(settings).items() if not value]
    if missing:
        raise WrongSetting(
            f"Pushes to iPhones need {' and '.join(missing)}, too: set all four (docs/messages.md) or none."
        )
    if settings.apns_base:
        refuse_in_the_clear("TUAN_APNS_BASE", settings.apns_base)
    key = AppleKey(_apple_key(settings.apns_key_file), settings.apns_key_id, settings.apns_team_id)
    line = Line(settings.apns_base or APNS_ORIGIN, is_http2=True)
    return ApnsPush(settings.apns_topic, ProviderTokens(key), line)


def _of_apple(settings: Settings) -> dict[str, object]:
    """What is needed for Apple's service, all of it."""
    return {
        "TUAN_APNS_KEY_FILE": settings.apns_key_file,
        "TUAN_APNS_KEY_ID": settings.apns_key_id,
        "TUAN_APNS_TEAM_ID": settings.apns_team_id,
        "TUAN_APNS_TOPIC": settings.apns_topic,
    }


def _apple_key(file: Path | None) -> EllipticCurvePrivateKey:
    what = "a key for push notifications as Apple gives it out (AuthKey_….p8)"
    key = _private_key(_content("TUAN_APNS_KEY_FILE", file, what))
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise WrongSetting(f"TUAN_APNS_KEY_FILE: {file} does not hold {what}.")
    return key


def _private_key(pem: bytes) -> object:
    """None where there is none."""
    try:
        return load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _content(variable: str, file: Path | None, what: str) -> bytes:
    if file is None:
        raise WrongSetting(f"{variable} is not set; name a file that holds {what}.")
    try:
        with file.open("rb") as opened:
            return opened.read(FILE_BYTES_MAX)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise WrongSetting(f"{variable}: {file} cannot be read ({why}); name a file that holds {what}.") from error
