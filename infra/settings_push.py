"""The settings of pushes to phones: who we are at Google's and Apple's services."""

from dataclasses import dataclass
from pathlib import Path

from infra.settings_apps import apple_id
from infra.settings_values import origin, path, words
from infra.settings_variable import variable


@dataclass(frozen=True, kw_only=True)
class PushSettings:
    """What the services want to know of whoever sends."""

    fcm_service_account_file: Path | None = variable(
        "TUAN_FCM_SERVICE_ACCOUNT_FILE",
        path(),
        None,
        "key of a Google service account that may send pushes to Android, JSON ([how](docs/messages.md))",
        default_shown="no pushes to Android",
    )
    fcm_base: str = variable(
        "TUAN_FCM_BASE",
        origin(),
        "",
        "a stand-in for Google: access tokens at `{base}/token`, pushes under `{base}/v1/projects/`",
        default_shown="Google itself",
    )
    apns_key_file: Path | None = variable(
        "TUAN_APNS_KEY_FILE",
        path(),
        None,
        "key for Apple's push service (`AuthKey_….p8`)",
        default_shown="no pushes to iPhones",
    )
    apns_key_id: str = variable(
        "TUAN_APNS_KEY_ID", apple_id(), "", "that key's id", default_shown="no pushes to iPhones"
    )
    apns_team_id: str = variable(
        "TUAN_APNS_TEAM_ID", apple_id(), "", "our team's id at Apple", default_shown="no pushes to iPhones"
    )
    apns_topic: str = variable(
        "TUAN_APNS_TOPIC", words(), "", "our app's bundle id at Apple", default_shown="no pushes to iPhones"
    )
    apns_base: str = variable(
        "TUAN_APNS_BASE",
        origin(),
        "",
        "another than Apple's service, such as `https://api.sandbox.push.apple.com` for apps in development",
        default_shown="https://api.push.apple.com",
    )
