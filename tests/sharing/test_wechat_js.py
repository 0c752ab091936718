"""WeChat's JS-SDK: one ticket for everybody, never waited for, and only our own addresses are signed."""

import asyncio
import dataclasses
import hashlib
import logging
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from api.app import create_app
from infra.cannot_start import WrongSetting
from infra.redis_client import make_redis
from infra.settings import Settings, read_settings
from infra.sharing.wechat_js import (
    RENEWED_BEFORE_S,
    USED_UNTIL_S,
    WAIT_S,
    Ticket,
    WeChatAway,
    WeChatJs,
    signature_of,
)
from tests.api.conftest import connected
from tests.api.people import Town, fields, problem
from tests.sharing.wechat_account import (
    APP_ID,
    SECRET,
    SILENCE,
    TICKET,
    TOKEN,
    Say,
    WeChatAccount,
    saying,
    wechat_account,
)
from tests.waiting import eventually

ORIGIN = "https://tuan.example"
LINK = f"{ORIGIN}/i/k3V9mq2xT0aWm7Bc"
KEY = f"wechat-js:{APP_ID}:ticket"


@pytest.fixture
async def account() -> AsyncIterator[WeChatAccount]:
    async with wechat_account() as listening:
        yield listening


@pytest.fixture
def signing(redis_url: str, account: WeChatAccount, tmp_path: Path) -> Settings:
    """Settings of what signs; it asks no database."""
    secret = tmp_path / "wechat-js.secret"
    secret.write_text(f"{SECRET}\n")
    return dataclasses.replace(
        read_settings({"REDIS_URL": redis_url, "TUAN_DATA_DIR": str(tmp_path / "data"), "TUAN_RATE_LIMITS": "off"}),
        public_url=ORIGIN,
        wechat_js_app_id=APP_ID,
        wechat_js_secret_file=secret,
        wechat_api_base=account.base,
    )


@pytest.fixture
async def redis(signing: Settings) -> AsyncIterator[Redis]:
    made = make_redis(signing)
    yield made
    await made.aclose()


@pytest.fixture
async def processes(signing: Settings, redis: Redis) -> AsyncIterator[list[WeChatJs]]:
    """Three processes that share a Redis."""
    made = [WeChatJs(signing, redis) for _ in range(3)]
    yield made
    for one in made:
        await one.close()


@pytest.fixture
async def town(signing: Settings, database_url: str) -> AsyncIterator[Town]:
    """An API that signs."""
    served = dataclasses.replace(signing, database_url=database_url)
    async with connected(create_app(served)) as client:
        yield Town(client, served)


def test_the_signature_is_wechats() -> None:
    """The example of WeChat's documentation gives the signature it says."""
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    signature = signature_of(ticket, "Wm3WZYTPz0wzccnW", 1_414_587_457, "http://mp.weixin.qq.com?params=value")
    assert signature == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


async def test_all_processes_share_one_ticket(account: WeChatAccount, processes: list[WeChatJs]) -> None:
    """However many ask at once, WeChat gives one token and one ticket, in the formats it documents."""

    async def sign_at_last(one: WeChatJs, number: int) -> str:
        assert await eventually(one.ticket, "a ticket")
        signed = await one.sign(f"{LINK}?{number}")
        assert signed.signature == signature_of("ticket-1", signed.nonce, signed.timestamp, signed.url)
        assert abs(signed.timestamp - time.time()) < 60
        return signed.nonce

    nonces = await asyncio.gather(*(sign_at_last(one, number) for number in range(10) for one in processes))
    assert len(set(nonces)) == 10  # of an address always the same, so that an answer repeats
    assert account.asked == [
        (TOKEN, {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}),
        (TICKET, {"access_token": "77_TOKEN", "type": "jsapi"}),
    ]


async def test_a_ticket_is_renewed_before_its_end_while_it_serves(
    account: WeChatAccount, processes: list[WeChatJs], redis: Redis
) -> None:
    """Nobody waits for the new one: what is left of the old one's life is long enough to sign with."""
    process = processes[0]
    process._ticket = await _put(redis, "ticket-of-before", RENEWED_BEFORE_S - 10)
    account.say[TOKEN] = SILENCE
    begun = time.monotonic()
    signed = await process.sign(LINK)
    assert time.monotonic() - begun < WAIT_S
    assert signed.signature == signature_of("ticket-of-before", signed.nonce, signed.timestamp, LINK)


async def test_the_new_ticket_takes_the_place_of_the_old(
    account: WeChatAccount, processes: list[WeChatJs], redis: Redis
) -> None:
    """One process fetches it, and the others find it."""
    old = await _put(redis, "ticket-of-before", RENEWED_BEFORE_S - 10)
    for process in processes:
        process._ticket = old
        await eventually(partial(_has_ticket, process, "ticket-1"), "the new ticket")
    assert account.tickets_given == 1


async def _has_ticket(process: WeChatJs, text: str) -> bool:
    ticket = await process.ticket()
    return ticket is not None and ticket.text == text


async def test_an_old_ticket_signs_nothing(account: WeChatAccount, processes: list[WeChatJs], redis: Redis) -> None:
    """One that ends before the page could use it is as none."""
    processes[0]._ticket = await _put(redis, "ticket-of-before", USED_UNTIL_S - 10)
    account.say[TOKEN] = saying(b"{}")
    with pytest.raises(WeChatAway):
        await processes[0].sign(LINK)


@pytest.mark.parametrize("path", [TOKEN, TICKET])
@pytest.mark.parametrize(
    "say",
    [
        SILENCE,
        saying(b"x" * 100_000),
        saying(b"<html>busy</html>"),
        saying(b"[" * 50_000),
        saying(b"\xff\xfe{}"),
        saying(b'{"errcode":-1,"errmsg":"system error"}'),
        saying(b'{"errcode":40164,"errmsg":"invalid ip 10.0.0.1, not in whitelist"}'),
        saying(b'{"errcode":48001,"access_token":"77_TOKEN","ticket":"t","expires_in":7200}'),
        saying(b'{"errcode":0,"errmsg":"ok"}'),
        saying(b'{"access_token":"","ticket":"a b","expires_in":7200}'),
        saying(b'{"access_token":7,"ticket":"t","expires_in":-1}'),
        saying(b"{}", "500 Internal Server Error"),
        saying(b"{}", "302 Found"),
    ],
    ids=[
        "silence",
        "huge",
        "a page",
        "deep",
        "no text",
        "busy",
        "not allowed",
        "an error with a ticket",
        "empty",
        "blank",
        "other types",
        "500",
        "302",
    ],
)
async def test_what_wechat_does_not_say_clearly_signs_nothing(
    account: WeChatAccount, processes: list[WeChatJs], redis: Redis, path: str, say: Say | None
) -> None:
    """Nobody waits long, it is said in the log once without any secret, and WeChat is left alone for a while."""
    account.say[path] = say
    process, begun = processes[0], time.monotonic()
    with capture_logs() as logs:
        with pytest.raises(WeChatAway):
            await process.sign(LINK)
        if say is not SILENCE:
            await eventually(lambda: asyncio.sleep(0, bool(logs)), "a word in the log")
            asked = len(account.asked)
            with pytest.raises(WeChatAway):
                await process.sign(LINK)
            assert len(account.asked) == asked
            process._rests_until = 0.0
            await redis.flushdb()  # and with it whoever was fetching
            assert await process.ticket() is None
            assert len(account.asked) > asked
            assert [entry["event"] for entry in logs] == ["wechat_js_away"]
    assert time.monotonic() - begun < 3 * WAIT_S
    assert SECRET not in str(logs)
    assert "77_TOKEN" not in str(logs)


async def test_tickets_of_a_short_life_are_not_asked_for_all_the_time(
    account: WeChatAccount, processes: list[WeChatJs]
) -> None:
    """However soon one ends, the next is fetched half a minute later at the earliest."""
    account.lifetime_s = 2 * USED_UNTIL_S
    assert await eventually(processes[0].ticket, "a ticket")
    assert [await _has_ticket(processes[0], "ticket-1") for _ in range(5)] == [True] * 5
    assert processes[0]._renewing is not None
    await processes[0]._renewing
    assert account.tickets_given == 1


async def test_without_redis_a_process_fetches_its_own(signing: Settings, account: WeChatAccount) -> None:
    """Redis only spares WeChat questions."""
    away = make_redis(dataclasses.replace(signing, redis_url="redis://127.0.0.1:1"))
    process = WeChatJs(signing, away)
    assert await eventually(lambda: _has_ticket(process, "ticket-1"), "a ticket")
    assert account.tickets_given == 1
    await process.close()
    await away.aclose()


class Overtaken(Redis):
    """Whoever fetched a ticket stores it, and is done, just before this process asks whether it may."""

    async def set(self, *what: Any, **how: Any) -> Any:
        if how.get("nx"):
            await _put(self, "ticket-of-another", 7_000)
        return await super().set(*what, **how)


async def test_a_ticket_that_came_meanwhile_is_taken(signing: Settings, account: WeChatAccount) -> None:
    """Between looking for one and beginning to fetch one."""
    redis = Overtaken.from_url(signing.redis_url)
    process = WeChatJs(signing, redis)
    assert await eventually(lambda: _has_ticket(process, "ticket-of-another"), "the other's ticket")
    assert account.asked == []
    await process.close()
    await redis.aclose()


async def test_what_redis_has_that_is_no_ticket_is_replaced(
    account: WeChatAccount, processes: list[WeChatJs], redis: Redis
) -> None:
    """Nonsense in Redis keeps nobody from a ticket."""
    await redis.set(KEY, b'["ticket"]')
    assert await eventually(lambda: _has_ticket(processes[0], "ticket-1"), "a ticket")
    assert account.tickets_given == 1


async def test_the_kit_carries_a_signature_of_its_link(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """Where the link may go to WeChat; a repeat is the same."""
    with caplog.at_level(logging.DEBUG):
        group, mei = await town.open_group(), town.shopper()
        path = f"/v1/groups/{group['id']}/invites"
        told = (await mei.post(path)).json()["share"]
        signed = told["wechat"]
        assert signed["url"] == told["link"] == f"{ORIGIN}/i/{told['link'][-16:]}"
        assert signed["app_id"] == APP_ID
        said = f"jsapi_ticket=ticket-1&noncestr={signed['nonce']}&timestamp={signed['timestamp']}&url={signed['url']}"
        assert signed["signature"] == hashlib.sha1(said.encode()).hexdigest()
        assert (await mei.post(path)).json()["share"] == told
        assert (await mei.post(path, {"channel": "wechat"})).json()["share"]["wechat"] is not None
        assert (await mei.post(path, {"channel": "sms"})).json()["share"]["wechat"] is None
    assert SECRET not in caplog.text
    assert "ticket-1" not in caplog.text


async def test_only_our_own_addresses_are_signed(town: Town) -> None:
    """Any page of ours, up to the fragment; another's is refused whatever it looks like."""
    path = "/v1/share/wechat-signature"
    for url in (f"{ORIGIN}/", LINK, f"{LINK}?lang=zh&x=%20"):
        answer = await town.nobody.get(path, params={"url": f"{url}#top"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["url"] == url
        assert answer.headers["cache-control"] == "no-store"
    for url in (
        "https://evil.example/",
        f"{ORIGIN}.evil.example/",
        f"{ORIGIN}@evil.example/",
        f"{ORIGIN}:8443/",
        "http://tuan.example/",
        "//tuan.example/",
        "/i/k3V9mq2xT0aWm7Bc",
        ORIGIN,
        f"{LINK} ",
        f"{LINK}\n",
        f"{LINK}茶",
        f"{LINK}?{'x' * 2_048}",
        "",
    ):
        assert fields(await town.nobody.get(path, params={"url": url})) == {"url"}, url
    assert fields(await town.nobody.get(path)) == {"url"}


async def test_sharing_goes_on_while_wechat_is_away(town: Town, account: WeChatAccount) -> None:
    """The kit comes without a signature, and whoever asks for one hears when to ask again."""
    account.say[TOKEN] = saying(b'{"errcode":-1,"errmsg":"system error"}')
    group = await town.open_group()
    shared = await town.shopper().post(f"/v1/groups/{group['id']}/invites")
    assert (shared.status_code, shared.json()["share"]["wechat"]) == (201, None)
    refused = await town.nobody.get("/v1/share/wechat-signature", params={"url": LINK})
    problem(refused, 503, "wechat-unavailable")
    assert int(refused.headers["retry-after"]) > 0


async def test_what_is_missing_is_told_at_the_start(signing: Settings, redis: Redis) -> None:
    """An account without its secret, a secret without its account, or a stand-in without TLS."""
    for change in (
        {"wechat_js_secret_file": None},
        {"wechat_js_app_id": ""},
        {"wechat_api_base": "http://api.weixin.qq.com"},
    ):
        with pytest.raises(WrongSetting):
            WeChatJs(dataclasses.replace(signing, **change), redis)


async def _put(redis: Redis, text: str, seconds_left: int) -> Ticket:
    """A ticket that is known already, with so long to live."""
    until = int(time.time()) + seconds_left
    ticket = Ticket(text, until - 7_200, until)
    await redis.set(KEY, msgspec.json.encode(ticket))
    return ticket
