"""Which apps open links: what iOS and Android read, where apps are set up, and what pages then show."""

from dataclasses import replace

import pytest

from api.app import create_app
from infra.cannot_start import WrongSetting
from infra.settings import Settings, read_settings
from tests.api.conftest import connected
from tests.api.people import Town, problem
from tests.pages.browser import Browser, a_link

APPLE, ANDROID = "/.well-known/apple-app-site-association", "/.well-known/assetlinks.json"
FINGERPRINT = ":".join(["14", "6d"] * 16)
APPS = {
    "TUAN_APP_IOS": "ABCDE12345.com.example.shop,ABCDE12345.com.example.shop.clip",
    "TUAN_APP_STORE_ID": "1234567890",
    "TUAN_APP_ANDROID": f"com.example.shop,{FINGERPRINT}",
}


async def test_apps_that_are_set_up_open_links_and_groups(settings: Settings) -> None:
    """Links and groups, nothing below them: the way back from paying stays in the browser."""
    apps = read_settings(APPS)
    chosen = replace(settings, app_ios=apps.app_ios, app_store_id=apps.app_store_id, app_android=apps.app_android)
    async with connected(create_app(chosen)) as client:
        apple, android = await client.get(APPLE), await client.get(ANDROID)
        for answer in (apple, android):
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        (detail,) = apple.json()["applinks"]["details"]
        assert detail["appIDs"] == APPS["TUAN_APP_IOS"].split(",")
        assert [one["/"] for one in detail["components"]] == ["/i/*/*", "/g/*/*", "/i/*", "/g/*"]
        assert [one.get("exclude", False) for one in detail["components"]] == [True, True, False, False]
        (statement,) = android.json()
        assert statement["relation"] == ["delegate_permission/common.handle_all_urls"]
        assert statement["target"]["package_name"] == "com.example.shop"
        assert statement["target"]["sha256_cert_fingerprints"] == [FINGERPRINT.upper()]
        town = Town(client, settings)
        _, link = await a_link(town)
        browser = Browser.of(town)
        page = await browser.open(link)
        assert page.metas["apple-itunes-app"] == [f"app-id=1234567890, app-argument={chosen.origin}{link}"]
        assert browser.link("iPhone") == "https://apps.apple.com/app/id1234567890"
        assert browser.link("Android").startswith(f"intent://{chosen.origin.removeprefix('http://')}{link}#Intent;")


async def test_without_apps_nothing_is_said_of_any(town: Town) -> None:
    for path in (APPLE, ANDROID):
        problem(await town.nobody.get(path), 404, "no-such-route")
    _, link = await a_link(town)
    page = await Browser.of(town).open(link)
    assert "apple-itunes-app" not in page.metas
    assert page.all("section", id="apps") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"TUAN_APP_IOS": "com.example.shop"},
        {"TUAN_APP_IOS": "abcde12345.com.example.shop"},
        {"TUAN_APP_ANDROID": "com.example.shop"},
        {"TUAN_APP_ANDROID": f"shop,{FINGERPRINT}"},
        {"TUAN_APP_ANDROID": f"com.example.shop,{FINGERPRINT}:00"},
        {"TUAN_APP_STORE_ID": "id123"},
    ],
)
def test_an_app_that_cannot_be_is_said_at_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(WrongSetting):
        read_settings(wrong)
