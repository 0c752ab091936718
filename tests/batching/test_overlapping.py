"""Two processes whose batches overlap in many deals: no deadlock, no lost or doubled effect, one story per group."""

import asyncio
import random
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.errors import DomainError
from domain.groupbuy.commands import Command, CreateInvite, JoinGroup, LeaveGroup, OpenGroup
from domain.groupbuy.world import Accepted
from infra.batch import Idempotency, KeyReused
from infra.batching import Batcher
from infra.ids import new_id
from infra.lane import Answer, Committed
from tests.batching.conftest import MakeBatcher
from tests.batching.replaying import chapters_told, replayed
from tests.batching.standing import deal_locked, standing
from tests.batching.stored import world_stored
from tests.domain.catalogue import schedule
from tests.domain.partial_world import contents
from tests.reading.shop import Shop

DEALS, BUNCHES, COMMANDS_A_BUNCH, KEYS = 6, 100, 12, 40
"""Each bunch is told to both of two batchers, whose lanes cut it into batches of a few deals."""


@pytest.fixture
async def deal_ids(shop: Shop) -> list[UUID]:
    prices = schedule(2_000, (6, 1_800), (9, 1_500))
    return [await shop.live(schedule=prices, group_size_max=9, units_per_shopper_max=4) for _ in range(DEALS)]


async def test_locks_are_taken_from_the_lowest_id_up(
    shop: Shop, batcher: Batcher, database: asyncpg.Connection, database_url: str
) -> None:
    """A batch that waits for one of its deals holds those before it and none behind it: no two wait in a circle."""
    deal_ids = sorted([await shop.live() for _ in range(4)])
    in_the_middle = len(deal_ids) // 2
    async with deal_locked(database, deal_ids[in_the_middle]):
        asked = [
            asyncio.ensure_future(
                batcher.tell(OpenGroup(order_id=uuid4(), deal_id=deal_id, group_id=new_id(), shopper_id=new_id()))
            )
            for deal_id in reversed(deal_ids)
        ]
        await standing(database)
        beside = await asyncpg.connect(database_url)
        free = await beside.fetch(
            "SELECT id FROM deals WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED", deal_ids
        )
        await beside.close()
        assert [row["id"] for row in free] == deal_ids[in_the_middle + 1 :]
    assert [type(answer) for answer in await asyncio.gather(*asked)] == [Accepted] * len(asked)


async def test_two_hundred_overlapping_batches(
    shop: Shop, deal_ids: list[UUID], make_batcher: MakeBatcher, database: asyncpg.Connection, commits: list[Committed]
) -> None:
    """Deals are locked in one order by everybody and keys stored in one order: nobody waits in a circle.

    And the outbox, taken in from nothing, gives every row; each of its rows leaves its group in the version it names.
    """
    chance = random.Random(5)
    shoppers = [new_id() for _ in range(15)]
    group_ids = [await shop.opened(deal_id, leader_id=shoppers[0]) for deal_id in deal_ids]
    batchers = [make_batcher(), make_batcher()]
    commits.clear()
    for _ in range(BUNCHES):
        told = [_any_command(chance, deal_ids, group_ids, shoppers) for _ in range(COMMANDS_A_BUNCH)]
        asked = [_ask(chance, batcher, command) for batcher in batchers for command in told]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for command, answer in zip(told * 2, answers, strict=True):
            assert not isinstance(answer, BaseException) or isinstance(answer, DomainError | KeyReused), repr(answer)
            if isinstance(command, OpenGroup) and isinstance(answer, Accepted) and answer.events:
                group_ids.append(command.group_id)
    assert await database.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
    assert len(commits) > BUNCHES  # of some two hundred transactions, those that changed anything
    world = await world_stored(database)
    assert contents(replayed(await chapters_told(database))) == contents(world)
    assert {group.status.value for group in world.groups.values()} >= {"open", "succeeded"}


def _any_command(chance: random.Random, deal_ids: list[UUID], group_ids: list[UUID], shoppers: list[UUID]) -> Command:
    group_id, shopper_id = chance.choice(group_ids), chance.choice(shoppers)
    match chance.choice(["join"] * 6 + ["leave", "leave", "invite", "open"]):
        case "join":
            return JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=shopper_id)
        case "leave":
            return LeaveGroup(group_id=group_id, shopper_id=shopper_id)
        case "invite":
            return CreateInvite(group_id=group_id, sharer_id=shopper_id, channel="chat", code=str(new_id()))
        case _:
            return OpenGroup(
                order_id=uuid4(), deal_id=chance.choice(deal_ids), group_id=new_id(), shopper_id=shopper_id
            )


async def _ask(chance: random.Random, batcher: Batcher, command: Command) -> Answer:
    """Tell it; an opening always under a key, so that the other process's telling is a retry, others sometimes."""
    if not isinstance(command, OpenGroup) and chance.random() < 0.7:
        return await batcher.tell(command)
    key = str(command.group_id) if isinstance(command, OpenGroup) else f"k{chance.randrange(KEYS)}"
    return await batcher.tell(command, Idempotency(UUID(int=1), key, b"same", lambda _: b"answer"))
