"""Which apps open our links: what iOS and Android ask the site for, where apps are set up.

Sources: Apple, "Supporting associated domains" (`applinks.details[].appIDs` and `components`), and Android, "Verify
App Links" (Digital Asset Links, `delegate_permission/common.handle_all_urls`).
"""

from functools import cache
from typing import Final

from api.answers import Answer, encode
from api.refused import NothingHere
from api.requests import AnyRequest, runtime_of
from api.routing import route
from infra.settings_apps import AndroidApp

COMPONENTS: Final = (
    {"/": "/i/*/*", "exclude": True},
    {"/": "/g/*/*", "exclude": True},
    {"/": "/i/*"},
    {"/": "/g/*"},
)
"""Links and groups, the first that fits; what is below them, as the way back from paying, stays in the browser."""
HEADERS: Final = ((b"cache-control", b"public, max-age=3600"),)


@route("GET", "/.well-known/apple-app-site-association")
async def apple_association(request: AnyRequest) -> Answer:
    """Apps of iOS, by team and bundle."""
    apps = runtime_of(request).settings.app_ios
    if not apps:
        raise NothingHere
    return Answer(200, _of_apple(apps), HEADERS)


@route("GET", "/.well-known/assetlinks.json")
async def android_association(request: AnyRequest) -> Answer:
    """Apps of Android, by package and signing certificate."""
    app = runtime_of(request).settings.app_android
    if app is None:
        raise NothingHere
    return Answer(200, _of_android(app), HEADERS)


@cache
def _of_apple(apps: tuple[str, ...]) -> bytes:
    return encode({"applinks": {"details": [{"appIDs": apps, "components": COMPONENTS}]}})


@cache
def _of_android(app: AndroidApp) -> bytes:
    target = {
        "namespace": "android_app",
        "package_name": app.package,
        "sha256_cert_fingerprints": app.fingerprints,
    }
    return encode([{"relation": ["delegate_permission/common.handle_all_urls"], "target": target}])
