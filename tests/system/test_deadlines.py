"""Promises 3 and 5 at the deadline: joins against the clock, and the clock's work when what does it dies."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from tests.system.load import load_on
from tests.system.phones import Answer, Phone
from tests.system.rushing import said
from tests.system.shop import ENDLESS, Shop, Shopper
from tests.system.system import System
from tests.waiting import eventually

CLOSES_WITHIN_S = 1.0
CLOSES_AFTER_RETURN_WITHIN_S = 3.0
JOINERS_AT_ONCE = 8
TIERS = [{"participants": count, "unit_price": 1_000 - 2 * count} for count in range(2, 400, 20)]


async def open_groups(shop: Shop, phones: Sequence[Phone], lifetimes_s: Sequence[int], groups_each: int) -> list[str]:
    """Groups of deals of these lifetimes; every second one has tipped."""
    opened: list[str] = []
    for lifetime_s in lifetimes_s:
        deal_id = await shop.deal(group_lifetime_s=lifetime_s)
        for number in range(groups_each):
            opened.append(await shop.group(deal_id))
            if number % 2:
                await shop.shopper().join(phones[number % len(phones)], opened[-1])
    return opened


async def closed(phone: Phone, group_id: str) -> dict[str, Any]:
    """The group once it is shown closed."""

    async def seen_closed() -> dict[str, Any]:
        answer = await phone.get(f"/v1/groups/{group_id}")
        return dict(answer.body) if answer.status == 200 and answer.body["status"] != "open" else {}

    return await eventually(seen_closed, "the closing shown")


async def lateness_s(phone: Phone, group_ids: Sequence[str]) -> float:
    """By how much the latest of these groups was closed after its deadline; every one has the fate it had coming."""
    groups = await asyncio.gather(*(closed(phone, group_id) for group_id in group_ids))
    assert all(group["status"] == ("succeeded" if group["tipped"] else "failed") for group in groups)
    return max((moment(group["closed_at"]) - moment(group["expires_at"])).total_seconds() for group in groups)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def join_until_closed(shop: Shop, phone: Phone, group_id: str) -> list[tuple[Shopper, Answer]]:
    """One shopper after the other joins; the last one comes too late."""
    joins: list[tuple[Shopper, Answer]] = []
    while not joins or joins[-1][1].status == 201:
        shopper = shop.shopper()
        joins.append((shopper, await shopper.join(phone, group_id)))
    return joins


async def test_joins_stream_in_while_the_deadline_passes(
    shop: Shop, doors: list[Phone], database: asyncpg.Connection
) -> None:
    """Who was let in counts and pays the price of the final count; who came, or paid, after the deadline is not in."""
    leader = shop.shopper()
    deal_id = await shop.deal(group_lifetime_s=2, group_size_max=ENDLESS, tiers=TIERS)
    group_id = await shop.group(deal_id, leader)
    streams = [join_until_closed(shop, doors[number % 2], group_id) for number in range(JOINERS_AT_ONCE)]
    joins = [join for stream in await asyncio.gather(*streams) for join in stream]
    seen = said([answer for _, answer in joins]).keys()
    assert {(201, "")} < seen <= {(201, ""), (409, "group-closed"), (409, "payment-too-late")}
    inside = [leader, *(shopper for shopper, answer in joins if answer.status == 201)]
    group = await closed(doors[0], group_id)
    assert group["participants"] == len(inside)
    last_joined_at = await database.fetchval("SELECT max(joined_at) FROM participants WHERE group_id = $1", group_id)
    assert last_joined_at < moment(group["expires_at"]) <= moment(group["closed_at"])
    await closed(doors[1], group_id)
    price = min(tier["unit_price"] for tier in TIERS if tier["participants"] <= len(inside))
    paid = Counter([(await shopper.look(doors[1], group_id))["you"]["pays"] for shopper in inside])
    assert paid == {price: len(inside)}
    late = next(shopper for shopper, answer in joins if answer.status != 201)
    assert (await late.look(doors[1], group_id))["you"] is None


async def test_the_worker_is_killed_under_load(system: System, shop: Shop, doors: list[Phone]) -> None:
    """An API process takes over in time: every group closes within a second of its deadline."""
    async with load_on(shop, doors, system.settings.database_url):
        groups = await open_groups(shop, doors, (2,), 12)
        system.worker.kill()
        assert await lateness_s(doors[0], groups) < CLOSES_WITHIN_S


async def test_the_worker_takes_its_work_back(system: System, shop: Shop, doors: list[Phone]) -> None:
    """Handing over leaves no gap: also while a worker starts, groups close within a second of their deadlines."""
    system.worker.kill()
    await asyncio.to_thread(system.worker.start)
    groups = await open_groups(shop, doors, (1, 2, 3), 6)
    assert await lateness_s(doors[1], groups) < CLOSES_WITHIN_S


async def test_worker_and_valkey_are_away_at_deadlines(system: System, shop: Shop, doors: list[Phone]) -> None:
    """Nothing that closes a group needs the queue: without it and its worker groups close in time all the same."""
    system.kill_valkey()
    system.worker.kill()
    groups = await open_groups(shop, doors, (1, 2), 8)
    assert await lateness_s(doors[0], groups) < CLOSES_WITHIN_S


async def test_deadlines_pass_while_postgres_is_away(system: System, shop: Shop, doors: list[Phone]) -> None:
    """What fell due in the dark closes as soon as the server is back, with the fate it had coming."""
    groups = await open_groups(shop, doors, (1,), 8)
    deadline = moment((await shop.shopper().look(doors[0], groups[-1]))["expires_at"])
    system.kill_postgres()

    async def is_past() -> bool:
        return datetime.now(UTC) > deadline

    await eventually(is_past, "the deadlines")
    await asyncio.to_thread(system.postgres.start)
    back_at = time.monotonic()
    await lateness_s(doors[1], groups)
    assert time.monotonic() - back_at < CLOSES_AFTER_RETURN_WITHIN_S
