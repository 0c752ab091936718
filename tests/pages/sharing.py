"""A link that somebody shares, in a town."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from infra.database import make_engine
from infra.settings import Settings
from tests.api.people import Person, Town

HTML = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
"""What a browser asks for."""


class Shared(NamedTuple):
    """A link into a group, and who leads the group."""

    leader: Person
    group_id: str
    deal_id: str
    code: str

    @property
    def path(self) -> str:
        return f"/i/{self.code}"

    @property
    def own_path(self) -> str:
        return f"/g/{self.group_id}"


async def shared(town: Town, **changes: Any) -> Shared:
    """A group of a new deal, and its leader's link."""
    leader = town.shopper("Mia")
    group = await town.open_group(leader, **changes)
    invite = (await leader.post(f"/v1/groups/{group['id']}/invites")).json()
    return Shared(leader, group["id"], group["deal_id"], invite["code"])


async def join(town: Town, link: Shared, name: str) -> None:
    """Somebody joins."""
    answer = await town.shopper(name).post(f"/v1/groups/{link.group_id}/participants", {"invite_code": link.code})
    assert answer.status_code == 201, answer.text


@asynccontextmanager
async def cut_off(settings: Settings, *readers: Any) -> AsyncIterator[None]:
    """What these read cannot be read any more: nobody listens where PostgreSQL was."""
    nowhere = make_engine(replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none"), "tuan tests")
    for reader in readers:
        reader._engine = nowhere
    yield
    await nowhere.dispose()
