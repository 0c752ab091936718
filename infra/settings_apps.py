"""The apps that open our links, as an operator names them."""

import re
from typing import NamedTuple

from infra.settings_values import NAMES_MAX, Reader

_IOS = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9.-]{1,155}")
_APPLE_ID = re.compile(r"[A-Z0-9]{10}")
_PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}")


class AndroidApp(NamedTuple):
    """An app by its package and the SHA-256 fingerprints of the certificates it is signed with."""

    package: str
    fingerprints: tuple[str, ...]


def apple_id() -> Reader[str]:
    """What Apple names a team or a key by."""

    def read(text: str) -> str:
        if not _APPLE_ID.fullmatch(text):
            raise ValueError(text)
        return text

    return Reader("10 capital letters and digits", read)


def ios_apps() -> Reader[tuple[str, ...]]:
    """Apps by team and bundle id."""

    def read(text: str) -> tuple[str, ...]:
        apps = tuple(one.strip() for one in text.split(","))
        if len(apps) > NAMES_MAX or not all(map(_IOS.fullmatch, apps)):
            raise ValueError(text)
        return apps

    return Reader("team and bundle ids parted by commas, such as ABCDE12345.com.example.shop", read)


def android_app() -> Reader[AndroidApp]:
    def read(text: str) -> AndroidApp:
        package, *fingerprints = (one.strip() for one in text.split(","))
        upper = tuple(map(str.upper, fingerprints))
        if not (
            _PACKAGE.fullmatch(package) and 0 < len(upper) <= NAMES_MAX and all(map(_FINGERPRINT.fullmatch, upper))
        ):
            raise ValueError(text)
        return AndroidApp(package, upper)

    return Reader("a package and SHA-256 fingerprints after it, parted by commas: com.example.shop,14:6D:...", read)


def app_store_id() -> Reader[str]:
    def read(text: str) -> str:
        if not re.fullmatch(r"[0-9]{1,20}", text):
            raise ValueError(text)
        return text

    return Reader("the digits of an app's id in the App Store", read)
