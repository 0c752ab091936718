"""Joins on their way, what becomes of them, and what they left behind."""

import asyncio
from uuid import UUID, uuid4

import asyncpg

from domain.groupbuy.commands import JoinGroup
from infra.batching import Batcher
from infra.ids import new_id
from infra.lane import Answer

ANSWER_S_MAX = 20

Asked = asyncio.Task[Answer]


def ask(batcher: Batcher, group_id: UUID, shopper_id: UUID | None = None) -> Asked:
    """Somebody's join on its way."""
    return asyncio.ensure_future(
        batcher.tell(JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=shopper_id or new_id()))
    )


async def answers_to(*asked: Asked) -> list[type]:
    """What becomes of each."""
    async with asyncio.timeout(ANSWER_S_MAX):
        return [type(answer) for answer in await asyncio.gather(*asked, return_exceptions=True)]


async def places(database: asyncpg.Connection, group_id: UUID) -> int:
    """Places taken, by the group's counter, which must be the number of rows."""
    counted, found = await database.fetchrow(
        "SELECT participants, (SELECT count(*) FROM participants WHERE group_id = $1) FROM groups WHERE id = $1",
        group_id,
    )
    assert counted == found
    return int(found)
