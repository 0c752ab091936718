"""The inbox that shows messages nobody carries: at home, for who is at home."""

from dataclasses import replace

import httpx
import pytest
from litestar import Litestar

from infra.settings import Settings
from tests.api.codes import another_town, sent_code
from tests.api.people import Town, problem


@pytest.mark.parametrize(
    "changes",
    [{"message_gateway": "none"}, {"host": "0.0.0.0"}, {"smtp_url": "smtps://a.example", "mail_from": "a@b.c"}],
)
async def test_without_the_console_there_is_no_inbox(settings: Settings, changes: dict[str, str]) -> None:
    """Its address is one like any other where there is nothing, also with messages of before in Redis."""
    async with another_town(settings) as at_home:
        await sent_code(at_home)
        async with another_town(replace(settings, **changes)) as elsewhere:  # type: ignore[arg-type]  # all of them texts
            told = [await elsewhere.nobody.get(path) for path in ("/dev/inbox", "/dev/nothing")]
    details = [dict(problem(answer, 404, "no-such-route")) for answer in told]
    assert details[0] == details[1]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"x-forwarded-proto": "https"},
        {"x-real-ip": "127.0.0.1"},
        {"via": "1.1 proxy"},
        {"host": "shop.example"},
        {"host": "rebound.example:8000"},
        {"host": "127.0.0.1.shop.example"},
        {"host": "203.0.113.9"},
        {"host": ""},
    ],
)
async def test_the_inbox_is_for_who_is_at_home(settings: Settings, headers: dict[str, str]) -> None:
    """Behind a proxy nobody told of, or under a name that a web page chose, there is none; asked for, there is."""
    async with another_town(settings) as town:
        await sent_code(town)
        problem(await town.nobody.get("/dev/inbox", headers=headers), 404, "no-such-route")
        async with another_town(replace(settings, message_gateway="console")) as asked_for:
            assert len((await asked_for.nobody.get("/dev/inbox", headers=headers)).json()["items"]) == 1


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST", "127.0.0.1:8000", "127.0.0.1", "[::1]:8000"])
async def test_home_has_several_names(town: Town, host: str) -> None:
    """As the terminal or a browser on this machine writes them."""
    assert (await town.nobody.get("/dev/inbox", headers={"host": host})).status_code == 200


async def test_from_another_machine_there_is_no_inbox(app: Litestar, town: Town) -> None:  # noqa: ARG001 - the app runs with it
    """Whatever name it calls us by."""
    transport = httpx.ASGITransport(app=app, client=("192.168.1.9", 4711))  # type: ignore[arg-type]  # as in connected
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as other:
        problem(await other.get("/dev/inbox"), 404, "no-such-route")
