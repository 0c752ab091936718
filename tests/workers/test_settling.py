"""Settlements: every hold of a closed group is split as the domain says, in chunks, once, whatever happens."""

import asyncio
import random
from datetime import timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import JoinGroup, LeaveGroup
from domain.pricing.schedule import PriceSchedule, Tier
from domain.pricing.settlement import settle
from infra.group_views import load_views
from infra.ids import new_id
from tests.reading.shop import Shop
from tests.workers.ground_truth import number
from workers.closing import Closing
from workers.duty import Context
from workers.settling import LOOK_EVERY_S, Settling, settle_chunk

SETTLED = "SELECT count(*) FROM settlements"
UNSETTLED = "SELECT count(*) FROM groups WHERE status <> 'open' AND settled_at IS NULL"
PAST = timedelta(hours=2)


@pytest.mark.parametrize("seed", range(5))
async def test_every_hold_is_split_as_the_domain_says(context: Context, shop: Shop, seed: int) -> None:
    """For groups of any size, fate and quantities each row is `settle` of its place, and every place has one row."""
    chance = random.Random(seed)
    for _ in range(4):
        deal_id = await shop.live(schedule=_any_schedule(chance), group_size_max=12)
        for _ in range(3):
            await _group_of_anything(shop, deal_id, chance)
        await shop.let_time_pass(deal_id, PAST)
    await Closing().step(context)
    while await settle_chunk(context.by_key, places_max=chance.randint(1, 9)):
        pass
    await _check_every_row(shop.engine)


async def test_a_big_group_is_settled_in_chunks(context: Context, shop: Shop) -> None:
    """No transaction settles more places than a chunk, so none holds its locks for long."""
    group_id = await _closed_group(context, shop, 11)
    chunks = [0]
    while await settle_chunk(context.by_key, places_max=3):
        chunks.append(await number(shop.engine, SETTLED))
    assert [after - before for before, after in pairwise(chunks)] == [3, 3, 3, 2]
    assert await number(shop.engine, UNSETTLED) == 0
    assert await number(shop.engine, "SELECT settled_through FROM groups WHERE id = :id", id=group_id) > 0


async def test_many_small_groups_are_settled_at_once(context: Context, shop: Shop) -> None:
    """One chunk takes many small groups, crowds nobody joined among them."""
    deal_id = await shop.live()
    for _ in range(30):
        await shop.opened(deal_id, 2)
    await shop.let_time_pass(deal_id, PAST)
    await Closing().step(context)
    assert await settle_chunk(context.by_key) == 30
    assert await number(shop.engine, SETTLED) == 60
    assert await settle_chunk(context.by_key) == 0


async def test_a_crash_in_a_chunk_is_made_good_by_the_next(context: Context, shop: Shop) -> None:
    """A settler that is cut off loses its chunk whole; what was settled before stays, and nothing is settled twice."""
    await _closed_group(context, shop, 8)
    await settle_chunk(context.by_key, places_max=3)
    await shop.make(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
    )
    await shop.make("CREATE TRIGGER die AFTER INSERT ON settlements FOR EACH ROW EXECUTE FUNCTION die()")
    with pytest.raises(Exception, match=r"terminat|closed|connection"):
        await settle_chunk(context.by_key, places_max=3)
    await shop.make("DROP TRIGGER die ON settlements")
    assert await number(shop.engine, SETTLED) == 3
    while await settle_chunk(context.by_key, places_max=3):
        pass
    await _check_every_row(shop.engine)


async def test_two_settlers_settle_each_place_once(context: Context, shop: Shop) -> None:
    """Two processes settle the same groups at once: neither waits for the other, no place is settled twice."""
    deal_id = await shop.live()
    for _ in range(20):
        await shop.opened(deal_id, 3)
    await shop.let_time_pass(deal_id, PAST)
    await Closing().step(context)

    async def settler() -> None:
        while await number(shop.engine, UNSETTLED):
            await settle_chunk(context.by_key, groups_max=3, places_max=4)

    await asyncio.gather(settler(), settler())
    await _check_every_row(shop.engine)


async def test_a_group_that_cannot_be_settled_holds_up_no_other(context: Context, shop: Shop) -> None:
    """A hold smaller than what would be captured is a fault for a person; every other group is settled all the same."""
    good = [await _closed_group(context, shop, 3) for _ in range(3)]
    bad = await _closed_group(context, shop, 3)
    await shop.make("UPDATE participants SET hold_minor = 1 WHERE group_id = :bad", bad=bad)
    await shop.make("UPDATE groups SET closed_at = closed_at - interval '1 day' WHERE id = :bad", bad=bad)
    settling = Settling()
    while await settling.step(context) != LOOK_EVERY_S:
        pass
    assert await number(shop.engine, SETTLED) == 3 * len(good)
    assert await number(shop.engine, f"{SETTLED} WHERE group_id = :bad", bad=bad) == 0
    assert await number(shop.engine, UNSETTLED) == 1


async def _closed_group(context: Context, shop: Shop, participants: int) -> UUID:
    deal_id = await shop.live(group_size_max=50)
    group_id = await shop.opened(deal_id, participants)
    await shop.let_time_pass(deal_id, PAST)
    await Closing().step(context)
    return group_id


def _any_schedule(chance: random.Random) -> PriceSchedule:
    tiers = chance.randint(1, 4)
    thresholds = sorted(chance.sample(range(1, 13), tiers))
    prices = sorted(chance.sample(range(1, 1_999), tiers), reverse=True)
    return PriceSchedule(2_000, tuple(Tier(*tier) for tier in zip(thresholds, prices, strict=True)))


async def _group_of_anything(shop: Shop, deal_id: UUID, chance: random.Random) -> None:
    group_id = await shop.opened(deal_id)
    for _ in range(chance.randint(0, 12)):
        shopper_id = new_id()
        outcomes = await asyncio.gather(
            shop.batcher.tell(
                JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=shopper_id, quantity=chance.randint(1, 9))
            ),
            return_exceptions=True,
        )
        if chance.random() < 0.2 and not isinstance(outcomes[0], Exception):
            await asyncio.gather(
                shop.batcher.tell(LeaveGroup(group_id=group_id, shopper_id=shopper_id)), return_exceptions=True
            )


async def _check_every_row(engine: AsyncEngine) -> None:
    """Each place of a closed group has exactly the settlement the domain gives, and nothing else has one."""
    async with engine.connect() as connection:
        query = text("SELECT group_id, shopper_id, quantity, hold_minor FROM participants")
        places = (await connection.execute(query)).all()
        rows = (await connection.execute(text("SELECT * FROM settlements"))).mappings().all()
    views = await load_views(engine, list({place.group_id for place in places}))
    settled = {(row["group_id"], row["shopper_id"]): row for row in rows}
    assert len(settled) == len(rows) == len(places)
    for place in places:
        view = views[place.group_id]
        price = view.unit_price if view.status == "succeeded" else None
        expected = settle(place.hold_minor, place.quantity, price)
        row = settled[(place.group_id, place.shopper_id)]
        assert (row["hold_minor"], row["capture_minor"], row["release_minor"]) == (
            expected.hold_minor,
            expected.capture_minor,
            expected.release_minor,
        )
        assert (row["unit_price"], row["currency"]) == (price, view.currency)
