"""A post office: a process whose services are all on loopback, and the people it brings notices to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest

from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.ids import new_id
from infra.runtime import started
from infra.settings import Settings
from tests.messages.smtp_server import MailServer, mail_server
from tests.money_shop import MoneyShop
from tests.notices.square import Square
from tests.push.apple import KEY_ID, TEAM, TOPIC, Apple, apple, apple_key_file
from tests.push.google import Google, account_file, google
from tests.reading.shop import Shop
from workers.delivering import LOOK_EVERY_S, delivering
from workers.duty import Context

ORIGIN = "https://tuan.example"
SIZE_MIN = 4
"""What the last tier of the shop's deals needs."""


@dataclass
class Post:
    """The duty and its people; `iphone` and `android` are tokens by person."""

    context: Context
    square: Square
    google: Google
    apple: Apple
    mail: MailServer

    async def deliver(self) -> None:
        """The duty's work, until there is none, and all of it is recorded."""
        async with delivering(self.context) as step:
            while await step() < LOOK_EVERY_S:
                pass

    async def closed_group(self, *members: UUID, **changes: object) -> UUID:
        """A group that succeeds, of which all are told, by now; others without a phone make it full."""
        size = max(len(members), SIZE_MIN)
        group_id = await self.square.group(*members, group_size_max=size, **changes)
        for _ in range(size - len(members)):
            await self.square.shop.joined(group_id)
        await self.square.tell()
        return group_id

    async def states(self) -> dict[str, int]:
        """How many deliveries are in which state."""
        rows = "SELECT json_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM deliveries GROUP BY 1) AS s"
        found: dict[str, int] = await self.square.value(rows) or {}
        return found

    async def on_android(self) -> UUID:
        """Somebody whose phone is one."""
        person = await self.square.person(phones=0)
        await self.add_phone(person, "android", f"android-{person.hex}")
        return person

    async def add_phone(self, person: UUID, platform: str, token: str) -> None:
        await self.square.shop.make(
            "INSERT INTO devices (account_id, id, platform, push_token) VALUES (:id, :device, :platform, :token)",
            id=person,
            device=new_id(),
            platform=platform,
            token=token,
        )

    def pushed_to_iphones(self) -> list[str]:
        return [pushed.path.removeprefix("/3/device/") for pushed in self.apple.pushed]

    def pushed_to_androids(self) -> list[str]:
        return [message["token"] for message in self.google.pushed]


async def killed(task: "asyncio.Task[None]") -> None:
    """It finishes nothing."""
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


Opening = Callable[[Settings], Awaitable[Post]]


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[tuple[Google, Apple, MailServer]]:
    async with google() as one, apple(tmp_path) as (other, _), mail_server() as mail:
        yield one, other, mail


@pytest.fixture
def served(
    services: tuple[Google, Apple, MailServer], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings that lead to the services of this test."""
    one, other, mail = services
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    return replace(
        settings,
        public_url=ORIGIN,
        fcm_service_account_file=account_file(tmp_path),
        fcm_base=one.address,
        apns_key_file=apple_key_file(tmp_path),
        apns_key_id=KEY_ID,
        apns_team_id=TEAM,
        apns_topic=TOPIC,
        apns_base=other.address,
        smtp_url=f"smtp://127.0.0.1:{mail.port}",
        mail_from="news@tuan.example",
    )


@pytest.fixture
async def office(services: tuple[Google, Apple, MailServer]) -> AsyncIterator[Opening]:
    """Opens a post for settings: each is a process of its own."""
    async with AsyncExitStack() as stack:

        async def make(settings: Settings) -> Post:
            runtime = await stack.enter_async_context(started(settings))
            by_key = make_engine(settings, "tuan duties", connections_max=4, planner=ALWAYS_BY_INDEX)
            stack.push_async_callback(by_key.dispose)
            merchant_id = new_id()
            behind = (runtime.engine, runtime.batcher, merchant_id)
            return Post(Context(runtime, by_key), Square(Shop(*behind), MoneyShop(*behind)), *services)

        yield make


@pytest.fixture
async def post(office: Opening, served: Settings) -> Post:
    return await office(served)
