"""Promises 1 and 6 for one shopper who asks the same, or too much, many times at once."""

from uuid import uuid4

import asyncpg
import pytest

from tests.system.phones import Phone
from tests.system.rushing import at_once, said
from tests.system.shop import Shop


async def test_the_limit_of_units_holds_over_all_groups_of_a_deal(
    shop: Shop, doors: list[Phone], database: asyncpg.Connection
) -> None:
    """Fifty joins at once over twenty groups, one or two units each: never more than the three that are allowed."""
    deal_id = await shop.deal(units_per_shopper_max=3, group_size_max=100)
    group_ids = [await shop.group(deal_id) for _ in range(20)]
    for quantity in (1, 2, 1, 2, 1, 2):
        greedy = shop.shopper()
        answers = await at_once(
            [
                greedy.join_and_pay(doors[number % len(doors)], group_ids[number * 7 % 20], quantity=quantity)
                for number in range(50)
            ]
        )
        units = await database.fetchval("SELECT sum(quantity) FROM participants WHERE shopper_id = $1", greedy.subject)
        assert units == 3 // quantity * quantity
        assert said(answers)[201, ""] == 3 // quantity
        assert set(said(answers)) <= {(201, ""), (200, ""), (409, "units-limit-reached")}


async def test_the_same_join_many_times_at_once(shop: Shop, doors: list[Phone], database: asyncpg.Connection) -> None:
    """Thirty equal joins through two processes take one place; one answer says 201, the others 200 with the same."""
    group_id = await shop.group(group_size_max=100)
    shopper = shop.shopper()
    answers = await at_once([shopper.join_and_pay(doors[number % 2], group_id, quantity=2) for number in range(30)])
    assert said(answers) == {(201, ""): 1, (200, ""): 29}
    places = await database.fetch("SELECT joined_at FROM participants WHERE shopper_id = $1", shopper.subject)
    assert len(places) == 1
    assert all(answer.body["you"] == answers[0].body["you"] for answer in answers)
    assert answers[0].body["you"]["quantity"] == 2


async def test_the_same_opening_many_times_at_once(
    shop: Shop, doors: list[Phone], database: asyncpg.Connection
) -> None:
    """Thirty openings with one Idempotency-Key through two processes open one group, and all get the same answer."""
    deal_id = await shop.deal()
    leader, key = shop.shopper(), str(uuid4())
    answers = await at_once([leader.open(doors[number % 2], deal_id, key) for number in range(30)])
    assert said(answers) == {(201, ""): 30}
    assert all(answer.body == answers[0].body for answer in answers)
    assert await database.fetchval("SELECT count(*) FROM groups WHERE leader_id = $1", leader.subject) == 1


async def test_a_key_that_was_used_for_something_else(shop: Shop, doors: list[Phone]) -> None:
    """The same Idempotency-Key with another body, or on another deal, is refused by either process."""
    deal_id, other_deal_id = await shop.deal(), await shop.deal()
    leader, key = shop.shopper(), str(uuid4())
    await leader.open(doors[0], deal_id, key)
    for phone in doors:
        assert (await leader.open(phone, deal_id, key, quantity=2)).said == (422, "idempotency-key-reused")
        assert (await leader.open(phone, other_deal_id, key)).said == (422, "idempotency-key-reused")


@pytest.mark.parametrize("processes", [1, 2])
async def test_one_key_on_many_deals_at_once(
    shop: Shop, doors: list[Phone], database: asyncpg.Connection, processes: int
) -> None:
    """Deals do not wait for each other, yet one key has one effect: the first opening wins, the others are refused."""
    deal_ids = [await shop.deal() for _ in range(10)]
    for _ in range(3):
        leader, key = shop.shopper(), str(uuid4())
        answers = await at_once(
            [leader.open(doors[number % processes], deal_id, key) for number, deal_id in enumerate(deal_ids)]
        )
        assert said(answers) == {(201, ""): 1, (422, "idempotency-key-reused"): 9}
        assert await database.fetchval("SELECT count(*) FROM groups WHERE leader_id = $1", leader.subject) == 1


async def test_one_deal_created_many_times_at_once(
    shop: Shop, doors: list[Phone], database: asyncpg.Connection
) -> None:
    """A merchant's creating request, repeated through two processes with one key, writes one draft."""
    for _ in range(3):
        title, key = f"Kettle {uuid4()}", str(uuid4())
        answers = await at_once([shop.draft(doors[number % 2], {"title": title}, key) for number in range(20)])
        assert said(answers) == {(201, ""): 20}
        assert all(answer.body == answers[0].body for answer in answers)
        assert await database.fetchval("SELECT count(*) FROM deals WHERE title = $1", title) == 1
