"""Processes that die between a reservation, its approval and the answer: no hold without a row, none without an end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import cycle

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import make_engine
from tests.money_truth import let_leases_pass, money_is_true, undone
from tests.system.phones import Answer, NoAnswer, Phone
from tests.system.shop import ENDLESS, Shop, Shopper
from tests.system.system import System
from tests.waiting import eventually
from tests.workers.ground_truth import number

PLACES = 10
SHOPPERS = 500
CROWD = 90
SLOW_MIN = 20
LIMIT_S = 20
CALLS_AT_MOST_S = 15
SLOW, QUICK, LOST = "sandbox_slow_2s", "sandbox_approve", "sandbox_timeout_after_success"
RUSH = (QUICK, "sandbox_decline", "sandbox_step", LOST, "sandbox_step")
AWAITED = "SELECT count(*) FROM payments WHERE status = 'awaiting' AND group_id = :group"
UNHEARD = """
  SELECT count(*) FROM payments p JOIN sandbox_payments x ON x.order_id = p.order_id AND x.status = 'held'
  WHERE p.status = 'awaiting' AND group_id = :group"""
TAKEN = "SELECT count(*) FROM participants WHERE group_id = :group"
CHARGED = """
  SELECT count(*) FROM sandbox_payments x JOIN payments p ON p.order_id = x.order_id
  WHERE p.group_id = :group AND x.captured_minor > x.refunded_minor"""
_A_WHILE_LATER = "UPDATE payments SET created_at = created_at - interval '1 minute' WHERE status = 'awaiting'"
_NO_MORE_TIME = "UPDATE payments SET pay_by = clock_timestamp() WHERE status = 'awaiting'"
_OVER = "UPDATE groups SET expires_at = clock_timestamp() WHERE id = :group AND status = 'open'"

Asked = dict[Shopper, Answer | None]


@pytest.fixture
async def engine(system: System) -> AsyncIterator[AsyncEngine]:
    made = make_engine(system.settings, "tuan tests")
    yield made
    await made.dispose()


async def test_an_api_process_dies_between_reservation_and_approval(
    system: System, shop: Shop, doors: list[Phone], engine: AsyncEngine
) -> None:
    """Who asks again has the place; who never comes back loses it, or is found to have paid: there is no third."""
    group_id = await shop.crowd(stock=ENDLESS, group_size_max=ENDLESS)
    methods = dict(zip(shop.shoppers(CROWD), cycle([SLOW, QUICK, LOST]), strict=False))
    joining = asyncio.gather(
        *(_join(doors[at % 2], shopper, group_id, method) for at, (shopper, method) in enumerate(methods.items()))
    )
    await eventually(lambda: _is_above(engine, AWAITED, SLOW_MIN, group_id), "reservations", LIMIT_S)
    system.apis[1].kill()
    asked: Asked = dict(zip(methods, await joining, strict=True))
    unanswered = [shopper for shopper, answer in asked.items() if answer is None]
    assert unanswered

    come_back = unanswered[::2]
    await _make(engine, _A_WHILE_LATER)
    again = await asyncio.gather(*(_join(doors[0], shopper, group_id, QUICK) for shopper in come_back))
    asked |= dict(zip(come_back, again, strict=True))
    assert all(answer is not None and answer.status in {200, 201} for answer in again), again
    await eventually(partial(_is_none, engine, UNHEARD, group_id), "approvals nobody had heard of", LIMIT_S)
    await _everything_ends(engine, group_id)
    await money_is_true(engine)
    assert await number(engine, CHARGED, group=group_id) == await number(engine, TAKEN, group=group_id)
    sure = {shopper.subject for shopper, answer in asked.items() if answer and answer.status in {200, 201}}
    assert await _those_in(engine, group_id) >= sure


async def test_500_shoppers_for_10_places_that_are_paid(
    system: System, shop: Shop, doors: list[Phone], engine: AsyncEngine
) -> None:
    """Ten are in and charged, everybody else is not, though the worker that sends the webhooks is killed meanwhile."""
    group_id = await shop.crowd(group_size_max=PLACES)
    shoppers = shop.shoppers(SHOPPERS)
    wishes = list(zip(shoppers, cycle(doors), cycle(RUSH), strict=False))
    answers = await asyncio.gather(*(_join(phone, shopper, group_id, method) for shopper, phone, method in wishes))
    said = Counter(answer.said for answer in answers if answer is not None)
    assert said.keys() <= {(201, ""), (202, ""), (402, "payment-declined"), (409, "group-full")}
    assert said.total() == SHOPPERS
    system.worker.kill()
    assert await _take_steps(doors[0], [answer for answer in answers if answer and answer.status == 202])
    system.worker.start()
    others = (wish for wish, answer in zip(wishes, answers, strict=True) if answer and answer.status == 409)

    async def is_taken() -> bool:
        """Somebody who was refused comes again."""
        shopper, phone, _ = next(others)
        await _join(phone, shopper, group_id, QUICK)
        return await number(engine, TAKEN, group=group_id) == PLACES

    await eventually(is_taken, "ten who have paid", LIMIT_S)
    system.worker.kill()
    system.worker.start()
    await _everything_ends(engine, group_id)
    await money_is_true(engine)
    assert await number(engine, TAKEN, group=group_id) == PLACES
    assert await number(engine, CHARGED, group=group_id) == PLACES


async def _join(phone: Phone, shopper: Shopper, group_id: str, method: str) -> Answer | None:
    try:
        async with asyncio.timeout(CALLS_AT_MOST_S):
            return await shopper.join(phone, group_id, payment_method=method)
    except NoAnswer:
        return None


async def _take_steps(phone: Phone, awaiting: Sequence[Answer]) -> int:
    """Whoever has a step to take takes it, and we hear of it by webhook; answers how many there were."""
    taken = 0
    for answer in awaiting:
        payment = answer.body["you"]["payment"]
        if payment["client_secret"] is not None:
            reference = payment["redirect_url"].split("/")[-2]
            body = {"client_secret": payment["client_secret"]}
            assert (await phone.post(f"/sandbox/payments/{reference}/step", body=body)).status == 200
            taken += 1
    return taken


async def _everything_ends(engine: AsyncEngine, group_id: str) -> None:
    """Every deadline comes, and the worker does the rest."""
    await _make(engine, _NO_MORE_TIME)
    await eventually(partial(_is_none, engine, AWAITED, group_id), "the lapses", LIMIT_S)
    await _make(engine, _OVER, group=group_id)

    async def is_done() -> bool:
        await let_leases_pass(engine)
        return not await undone(engine)

    await eventually(is_done, "the end of everything", LIMIT_S)


async def _those_in(engine: AsyncEngine, group_id: str) -> set[object]:
    query = text("SELECT shopper_id FROM participants WHERE group_id = :group")
    async with engine.connect() as connection:
        return set((await connection.execute(query, {"group": group_id})).scalars())


async def _is_above(engine: AsyncEngine, query: str, least: int, group_id: str) -> bool:
    return await number(engine, query, group=group_id) >= least


async def _is_none(engine: AsyncEngine, query: str, group_id: str) -> bool:
    return not await number(engine, query, group=group_id)


async def _make(engine: AsyncEngine, statement: str, **parameters: object) -> None:
    """Time passes; under the locks that every batch takes first."""
    async with engine.begin() as connection:
        await connection.execute(text("SELECT FROM deals ORDER BY id FOR NO KEY UPDATE"))
        await connection.execute(text(statement), parameters)
