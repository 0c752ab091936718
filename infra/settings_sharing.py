"""The settings of links, cards and pages, and of the apps that open them."""

from dataclasses import dataclass
from pathlib import Path

from infra.settings_apps import AndroidApp, android_app, app_store_id, ios_apps
from infra.settings_values import origin, path, words
from infra.settings_variable import variable


@dataclass(frozen=True, kw_only=True)
class SharingSettings:
    """Under which address people find us."""

    public_url: str = variable(
        "TUAN_PUBLIC_URL",
        origin(),
        "",
        "the origin that links begin with, as `https://tuan.example`",
        default_shown="the API on this machine",
    )
    messenger_app_id: str = variable(
        "TUAN_MESSENGER_APP_ID",
        words(),
        "",
        "our app at Facebook, for sharing to Messenger from a computer's browser",
        default_shown="phones only",
    )
    wechat_js_app_id: str = variable(
        "TUAN_WECHAT_JS_APP_ID",
        words(),
        "",
        "our WeChat official account (`wx...`), for which addresses of ours are signed (JS-SDK)",
        default_shown="nothing is signed",
    )
    wechat_js_secret_file: Path | None = variable(
        "TUAN_WECHAT_JS_SECRET_FILE",
        path(),
        None,
        "file that holds that account's secret and nothing else",
        default_shown="nothing is signed",
    )
    app_ios: tuple[str, ...] = variable(
        "TUAN_APP_IOS",
        ios_apps(),
        (),
        "our apps on iPhones, which open our links: `{team id}.{bundle id}`",
        default_shown="links open in the browser",
    )
    app_store_id: str = variable(
        "TUAN_APP_STORE_ID",
        app_store_id(),
        "",
        "our app's number in the App Store, for the banner and the button on pages",
        default_shown="neither is shown",
    )
    app_android: AndroidApp | None = variable(
        "TUAN_APP_ANDROID",
        android_app(),
        None,
        "our app on Android, which opens our links: its package, then the SHA-256 fingerprints of its certificates",
        default_shown="links open in the browser",
    )
