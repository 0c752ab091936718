"""Asking for one-time codes, reading them in the inbox, and guessing at them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from api.app import create_app
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Town

PHONE, OTHER = "+447911123456", "+447911123457"


async def ask(town: Town, to: str = PHONE) -> httpx.Response:
    return await town.nobody.post("/v1/sign-in/codes", {"phone": to})


async def guess(town: Town, code: str, to: str = PHONE) -> httpx.Response:
    return await town.nobody.post("/v1/sign-in/code", {"phone": to, "code": code})


async def inbox(town: Town) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await town.nobody.get("/dev/inbox")).json()["items"]
    return items


async def sent_code(town: Town, to: str = PHONE) -> str:
    """The code that came after asking for one."""
    assert (await ask(town, to)).status_code == 202
    newest = (await inbox(town))[0]
    assert newest["to"] == to
    code: str = newest["code"]
    return code


def wrong(code: str) -> str:
    """Six other digits."""
    return f"{(int(code) + 1) % 10**6:06}"


@asynccontextmanager
async def another_town(settings: Settings) -> AsyncIterator[Town]:
    """A town whose API is set up so."""
    async with connected(create_app(settings)) as client:
        yield Town(client, settings)
