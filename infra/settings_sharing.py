"""The settings of links, cards and pages, and of the apps that open them."""

from dataclasses import dataclass
from pathlib import Path

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
