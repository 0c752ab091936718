"""Reconciling: nothing is found where all is well, and everything that is not is found and named."""

from uuid import UUID, uuid4

import msgspec
import pytest
from structlog.testing import capture_logs

from domain.groupbuy.commands import CancelGroup, CreateInvite, JoinGroup, LeaveGroup
from domain.pricing.schedule import PriceSchedule, Tier
from infra.ids import new_id, new_invite_code
from infra.redis_keys import view_key
from infra.runtime import Runtime
from tests.reading.shop import Shop
from tests.workers.ground_truth import number
from workers import reconciling
from workers.duty import Context
from workers.housekeeping import forget_old_keys
from workers.reconciling import Reconciling, reconcile_once


async def test_nothing_is_found_where_all_is_well(runtime: Runtime, shop: Shop) -> None:
    """Joins, invites, leaving, success, failure: what is kept is what is counted."""
    await _busy_group(shop)
    await runtime.counters.stop()
    assert await reconcile_once(runtime) == 0


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("participants of group", "UPDATE groups SET participants = participants + 1 WHERE id = :group"),
        ("participants of group", "UPDATE groups SET participants = 0 WHERE id = :group"),
        ("units of group", "UPDATE groups SET units_by_variant = '{}' WHERE id = :group"),
        (
            "stock left of variant",
            """UPDATE variants SET stock_left = stock_left - 1 FROM groups
               WHERE variants.deal_id = groups.deal_id AND groups.id = :group""",
        ),
        ("joins of invite", "UPDATE invites SET joins = joins + 1 WHERE group_id = :group"),
    ],
)
async def test_each_difference_is_found(runtime: Runtime, shop: Shop, what: str, fault: str) -> None:
    """Whatever is kept twice and differs is logged as an error with its ids, and left for a person."""
    group_id = await _busy_group(shop)
    await shop.make(fault, group=group_id)
    with capture_logs() as lines:
        assert await reconcile_once(runtime) >= 1  # the counters may show the difference too
    (line,) = [line for line in lines if line["event"] == "kept_differs_from_counted"]
    assert (line["log_level"], line["what"]) == ("error", what)


@pytest.mark.usefixtures("hasty")
async def test_deals_are_gone_through_part_by_part(
    context: Context, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look counts a bounded number of places; after enough looks every deal was counted, and it begins again."""
    monkeypatch.setattr(reconciling, "PLACES_PER_LOOK", 1)
    groups = [await shop.opened(await shop.live(), 2) for _ in range(3)]
    await shop.make("UPDATE groups SET participants = 1")
    duty = Reconciling()
    with capture_logs() as lines:
        for _ in range(4):
            await duty.step(context)
    found = [line["id"] for line in lines if line["event"] == "kept_differs_from_counted"]
    assert set(found) == {str(group_id) for group_id in groups}
    assert len(found) == 3


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("fault", ["missing", "late", "ahead", "other"])
async def test_wrong_counters_are_written_anew(runtime: Runtime, shop: Shop, fault: str) -> None:
    """Counters that are lost, late, ahead of PostgreSQL or otherwise wrong show the truth after the next look."""
    group_id = await _busy_group(shop)
    await runtime.counters.stop()
    true = await runtime.groups.get_fresh(group_id)
    assert true is not None
    await runtime.redis.delete(view_key(group_id))
    if fault != "missing":
        wrong = {"late": true.version - 1, "ahead": true.version + 5, "other": true.version}[fault]
        await runtime.counters.write([msgspec.structs.replace(true, version=wrong, participants=1)])
    assert await reconcile_once(runtime) == (0 if fault == "missing" else 1)
    assert await runtime.counters.read([group_id]) == {group_id: true}


@pytest.mark.usefixtures("hasty")
async def test_popular_deals_are_known(context: Context, shop: Shop) -> None:
    """What a list is sorted by follows what was taken."""
    deal_id = await shop.live()
    group_id = await shop.opened(deal_id)
    taken = "SELECT units_taken FROM deals WHERE id = :deal"
    await Reconciling().step(context)
    assert await number(shop.engine, taken, deal=deal_id) == 1
    await shop.joined(group_id)
    await Reconciling().step(context)
    assert await number(shop.engine, taken, deal=deal_id) == 2


async def test_old_idempotency_keys_are_forgotten(context: Context, shop: Shop) -> None:
    """Keys older than three days go, younger ones stay, in bounded batches; the audit log stays whole."""
    await shop.make(
        "INSERT INTO idempotency_keys SELECT gen_random_uuid(), n::text, '', '', clock_timestamp() - n * interval '1 h'"
        " FROM generate_series(1, 2500) AS n"
    )
    assert await forget_old_keys(context.by_key) == 2500 - 72 + 1
    assert await number(shop.engine, "SELECT count(*) FROM idempotency_keys") == 71


async def _busy_group(shop: Shop) -> UUID:
    """An open group with somebody who came through an invite; beside it one somebody left, a full, a cancelled one."""
    deal_id = await shop.live()
    group_id = await shop.opened(deal_id)
    sharer, code = new_id(), new_invite_code()
    await shop.tell(CreateInvite(group_id=group_id, sharer_id=sharer, channel="chat", code=code))
    fickle = new_id()
    other = await shop.opened(await shop.live(schedule=PriceSchedule(2_000, (Tier(4, 1_800),))))
    await shop.tell(JoinGroup(order_id=uuid4(), group_id=other, shopper_id=fickle))
    await shop.tell(LeaveGroup(group_id=other, shopper_id=fickle))
    await shop.tell(JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=new_id(), invite_code=code, quantity=2))
    await shop.opened(deal_id, 6)
    called_off = await shop.opened(deal_id, 3)
    await shop.tell(CancelGroup(group_id=called_off, merchant_id=shop.merchant_id))
    return group_id
