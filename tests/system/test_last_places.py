"""Promises 1 and 5 where many want the last places, through two API processes on one database."""

from functools import partial

import asyncpg
import pytest

from tests.system.phones import Phone
from tests.system.rushing import Stopwatch, join_at_once, said
from tests.system.shop import Shop, Shopper
from tests.waiting import eventually

ROUNDS = 3
ALL_ANSWERED_WITHIN_S = 1.0
VIEWS_LATE_S_MAX = 1.0


async def places_and_closings(database: asyncpg.Connection, group_id: str) -> tuple[int, int]:
    """How many places a group has, and how often the outbox tells of its closing."""
    places = await database.fetchval("SELECT count(*) FROM participants WHERE group_id = $1", group_id)
    closings = await database.fetchval(
        "SELECT count(*) FROM events WHERE group_id = $1 AND type = 'GroupSucceeded'", group_id
    )
    return places, closings


async def is_shown_closed(phone: Phone, group_id: str, shopper: Shopper, *, is_in: bool) -> bool:
    view = await shopper.look(phone, group_id)
    assert (view["you"] is not None) == is_in, "a shopper's own place is never shown late"
    return bool((view["status"], view["participants"], view["seats_left"]) == ("succeeded", 11, 0))


async def test_500_joins_for_10_places(shop: Shop, doors: list[Phone], database: asyncpg.Connection) -> None:
    """Ten get in, the group closes once, 490 are told that it is full, and nothing fails."""
    for _ in range(ROUNDS):
        group_id = await shop.crowd(group_size_max=10)
        shoppers = shop.shoppers(500)
        answers = await join_at_once(doors, shoppers, group_id)
        assert said(answers) == {(201, ""): 10, (409, "group-full"): 490}
        assert await places_and_closings(database, group_id) == (10, 1)
        assert [answer.body["participants"] for answer in answers if answer.status == 201].count(10) == 1


async def test_the_leader_has_one_of_the_places(shop: Shop, doors: list[Phone], database: asyncpg.Connection) -> None:
    """Beside the leader ten of 500 get in, and within a second both processes show who."""
    for _ in range(ROUNDS):
        group_id = await shop.group(group_size_max=11)
        answers = await join_at_once(doors, shop.shoppers(500), group_id)
        assert said(answers) == {(201, ""): 10, (409, "group-full"): 490}
        assert await places_and_closings(database, group_id) == (11, 1)


async def test_both_processes_show_who_is_in(shop: Shop, doors: list[Phone]) -> None:
    """Promise 7: within a second of the rush either process shows the closed group, and to each shopper his place."""
    group_id = await shop.group(group_size_max=11)
    shoppers = shop.shoppers(60)
    answers = await join_at_once(doors, shoppers, group_id)

    for phone in doors:
        for shopper, answer in zip(shoppers, answers, strict=True):
            shown = partial(is_shown_closed, phone, group_id, shopper, is_in=answer.status == 201)
            await eventually(shown, "the group's end shown", VIEWS_LATE_S_MAX)


async def test_many_groups_fill_at_once(shop: Shop, doors: list[Phone], database: asyncpg.Connection) -> None:
    """Places of one group are not given away in another: each of twenty fills and closes once."""
    group_ids = [await shop.group(group_size_max=5) for _ in range(20)]
    answers = await join_at_once(doors, shop.shoppers(400), *group_ids)
    assert said(answers) == {(201, ""): 20 * 4, (409, "group-full"): 400 - 20 * 4}
    assert {await places_and_closings(database, group_id) for group_id in group_ids} == {(5, 1)}


@pytest.mark.parametrize("processes", [1, 2])
async def test_200_shoppers_for_a_stock_of_50(
    shop: Shop, doors: list[Phone], database: asyncpg.Connection, processes: int
) -> None:
    """Fifty units are sold, 150 shoppers are told that it is sold out, and all of them know within a second."""
    group_id = await shop.crowd(stock=50, group_size_max=1_000)
    shoppers = shop.shoppers(200)
    watch = Stopwatch()
    answers = await join_at_once(doors[:processes], shoppers, group_id)
    took_s = watch.seconds
    assert said(answers) == {(201, ""): 50, (409, "out-of-stock"): 150}
    assert await places_and_closings(database, group_id) == (50, 0)
    assert took_s < ALL_ANSWERED_WITHIN_S


async def test_the_groups_of_a_deal_share_its_stock(shop: Shop, doors: list[Phone]) -> None:
    """A rush over ten groups of one deal sells its stock and no more, the leaders' units included."""
    for _ in range(ROUNDS):
        deal_id = await shop.deal(stock=50, group_size_max=100)
        group_ids = [await shop.group(deal_id) for _ in range(10)]
        answers = await join_at_once(doors, shop.shoppers(100), *group_ids)
        assert said(answers) == {(201, ""): 40, (409, "out-of-stock"): 60}
