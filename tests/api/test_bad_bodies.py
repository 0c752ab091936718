"""Bodies as such: what is no JSON, too large, too slow or of another type is refused before it is read."""

import asyncio
import json
from typing import Any

import pytest

from tests.api.people import Town, deal_body, problem

UNREADABLE = [
    b"{",
    b'{"quantity": 1,}',
    b"{'quantity': 1}",
    b'{"quantity": NaN}',
    b'{"quantity": 1} {}',
    b'{"invite_code": "\xff"}',
    b'{"invite_code": "\xed\xa0\x80"}',
    b"\xff\xfe{\x00}\x00",
    b"quantity=1",
    b" ",
]


async def test_what_is_no_json_is_refused(town: Town) -> None:
    """Broken JSON is 400, never 500."""
    group = await town.open_group()
    for body in UNREADABLE:
        answer = await town.shopper().ask("POST", f"/v1/groups/{group['id']}/participants", content=body)
        problem(answer, 400, "malformed-json")


async def test_no_body_and_an_empty_object_are_one_unit(town: Town) -> None:
    """Joining needs no body; a key given twice counts once, the last."""
    group = await town.open_group()
    path = f"/v1/groups/{group['id']}/participants"
    for content in (None, b"", b"{}", b'{"quantity": 7, "quantity": 1}'):
        joined = await town.shopper().ask("POST", path, content=content)
        assert (joined.status_code, joined.json()["you"]["quantity"]) == (201, 1), joined.text


async def test_a_large_body_is_refused_whether_or_not_it_says_its_length(town: Town) -> None:
    """Over 64 KiB is 413, in one piece or in many, and 64 KiB is not."""
    too_long = json.dumps({"title": "x" * 65_536}).encode()

    async def in_pieces() -> Any:
        for start in range(0, len(too_long), 1_000):
            yield too_long[start : start + 1_000]

    for content in (too_long, in_pieces()):
        answer = await town.merchant.ask("POST", "/v1/deals", content=content)
        problem(answer, 413, "body-too-large")
    just_right = json.dumps(deal_body()).encode()
    just_right += b" " * (65_536 - len(just_right))
    assert (await town.merchant.ask("POST", "/v1/deals", content=just_right)).status_code == 201


async def test_a_body_that_does_not_come_is_not_waited_for(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a body is 408 after a while, so that nobody can keep a process from stopping."""
    monkeypatch.setattr("api.bodies.BODY_WAIT_S", 0.05)

    async def half() -> Any:
        yield b'{"title": '
        await asyncio.Event().wait()

    async with asyncio.timeout(20):
        problem(await town.merchant.ask("POST", "/v1/deals", content=half()), 408, "body-too-slow")


async def test_a_body_that_is_not_said_to_be_json_is_refused(town: Town) -> None:
    """Another content type is 415."""
    for media_type in ("application/x-www-form-urlencoded", "text/plain", "application/msgpack", ""):
        headers = {"content-type": media_type}
        answer = await town.merchant.ask("POST", "/v1/deals", content=json.dumps(deal_body()), headers=headers)
        problem(answer, 415, "wrong-content-type")


async def test_json_may_be_said_with_parameters(town: Town) -> None:
    """`application/json; charset=utf-8`, in any case, is JSON."""
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    answer = await town.merchant.ask("POST", "/v1/deals", content=json.dumps(deal_body()), headers=headers)
    assert answer.status_code == 201
