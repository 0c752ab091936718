"""Signing in with WeChat: the server asks whose a code is, with a secret that nobody else sees."""

import dataclasses
import logging

import pytest

from infra.cannot_start import WrongSetting
from infra.identity.evidence import Vouching
from infra.settings import Settings
from tests.api.people import fields, problem
from tests.identity.signing_in import Doors

OF_APP = {"access_token": "a", "refresh_token": "r", "openid": "oMei", "scope": "snsapi_userinfo", "expires_in": 7200}


async def test_a_code_signs_in_and_the_same_person_comes_back(doors: Doors, caplog: pytest.LogCaptureFixture) -> None:
    """WeChat is asked with the app's id and secret; neither the secret nor the code is in any log."""
    with caplog.at_level(logging.DEBUG):
        mei, told = await doors.enter_by_wechat("code-of-mei", {**OF_APP, "unionid": "uMei"})
    _, again = await doors.enter_by_wechat("another", {**OF_APP, "unionid": "uMei"})
    assert (told["is_new"], again["is_new"]) == (True, False)
    assert told["account_id"] == again["account_id"]
    assert (await mei.get("/v1/me")).json()["identities"] == [{"provider": "wechat", "subject": "uMei"}]
    assert doors.provider.asked_of_wechat[0] == {
        "appid": "wx0123456789abcdef",
        "secret": "the-secret-of-our-app",
        "code": "code-of-mei",
        "grant_type": "authorization_code",
    }
    assert "the-secret-of-our-app" not in caplog.text
    assert "code-of-mei" not in caplog.text


async def test_an_openid_is_the_apps_own(doors: Doors) -> None:
    """Without a unionid somebody is known by the id with this app, which no other app's can be taken for."""
    mei, _ = await doors.enter_by_wechat("code", OF_APP)
    identities = (await mei.get("/v1/me")).json()["identities"]
    assert identities == [{"provider": "wechat", "subject": "wx0123456789abcdef:oMei"}]
    _, other = await doors.enter_by_wechat("code", {**OF_APP, "openid": "oLi"})
    assert other["is_new"]


async def test_a_unionid_that_comes_later_is_the_same_persons(doors: Doors) -> None:
    """Once the app is bound to others, whoever signed in before is known by the better name, and stays who they are."""
    _, before = await doors.enter_by_wechat("code", OF_APP)
    mei, after = await doors.enter_by_wechat("code", {**OF_APP, "unionid": "uMei"})
    assert (after["account_id"], after["is_new"]) == (before["account_id"], False)
    assert (await mei.get("/v1/me")).json()["identities"] == [{"provider": "wechat", "subject": "uMei"}]


@pytest.mark.parametrize("errcode", [40029, 40163, 41008, 42003])
async def test_a_code_of_no_use_is_refused(doors: Doors, errcode: int) -> None:
    """Wrong, used or too old: the app gets a new one."""
    doors.provider.wechat = {"code": {"errcode": errcode, "errmsg": "no, hints: [ req_id: 1 ]"}}
    problem(await doors.town.nobody.post("/v1/sign-in/wechat", {"code": "code"}), 403, "wechat-code-refused")


@pytest.mark.parametrize(
    "told",
    [
        {"errcode": -1, "errmsg": "system error"},
        {"errcode": 40125, "errmsg": "invalid appsecret"},
        {"errcode": 45011, "errmsg": "api minute-quota reach limit"},
        {"errcode": "none"},
        {"openid": ""},
        {"openid": "o" * 129},
        {"openid": "o\u0000"},
        {"openid": 7},
        {"access_token": "a"},
        ["oMei"],
    ],
)
async def test_what_wechat_does_not_say_clearly_signs_nobody_in(doors: Doors, told: object) -> None:
    """Busy, set up wrongly, or nonsense: 503, as the code may be good."""
    doors.provider.wechat = {"code": told}  # type: ignore[dict-item]  # odd on purpose
    refused = await doors.town.nobody.post("/v1/sign-in/wechat", {"code": "code"})
    problem(refused, 503, "provider-unavailable")
    assert int(refused.headers["retry-after"]) > 0


async def test_a_malformed_code_is_not_sent_on(doors: Doors) -> None:
    """WeChat is asked about what can be a code only."""
    for code in ("", "with blank", "c" * 513, "\u2603"):
        assert fields(await doors.town.nobody.post("/v1/sign-in/wechat", {"code": code})) == {"code"}
    assert doors.provider.asked_of_wechat == []


def test_what_is_missing_is_told_at_the_start(trusting: Settings) -> None:
    """An app without its secret, or a stand-in elsewhere without TLS, is noticed before anybody signs in."""
    for change in (
        {"wechat_secret_file": None},
        {"wechat_api_base": "http://api.weixin.qq.com"},
        {"openid_base": "http://accounts.example.com"},
    ):
        with pytest.raises(WrongSetting):
            Vouching(dataclasses.replace(trusting, **change))
