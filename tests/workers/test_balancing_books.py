"""Balancing within PostgreSQL: whatever of our own books does not fit the rest is named, and left for a person."""

import pytest

from domain.pricing.schedule import PriceSchedule, Tier
from infra.ids import new_id
from infra.runtime import Runtime
from tests.workers.sandbox_shop import SandboxShop
from workers.balancing.balance import balance
from workers.balancing.difference import What
from workers.truth import differences_in

# A movement that was never made, one that is made too often, and rows that somebody changed.
_MOVE = """
  INSERT INTO ledger (deal_id, group_id, order_id, cause, cause_id, from_account, to_account, merchant_id, currency,
                      amount_minor, at)
  SELECT deal_id, group_id, order_id, 'settlement', gen_random_uuid(), '{source}', '{target}', gen_random_uuid(),
    '{currency}', {amount}, now() FROM payments WHERE order_id = :id"""
_HELD = _MOVE.format(source="gateway_clearing", target="shopper_hold", currency="EUR", amount=1)
_FEE = _MOVE.format(source="merchant_payable", target="platform_fee", currency="EUR", amount=1)
_BACK = _MOVE.format(source="merchant_payable", target="refunds", currency="EUR", amount=1)
_DEEP = _MOVE.format(source="merchant_payable", target="leader_reward", currency="EUR", amount=1_000_000)
_DOLLARS = _MOVE.format(source="merchant_payable", target="leader_reward", currency="USD", amount=5)
_OF_GROUP = "UPDATE groups SET {change} FROM payments WHERE groups.id = payments.group_id AND order_id = :id"


@pytest.fixture
def till(runtime: Runtime) -> SandboxShop:
    """A shop at the sandbox."""
    return SandboxShop(runtime.engine, runtime.batcher, new_id(), runtime.gateways.get("sandbox"))


FAULTS = {
    _HELD: {What.LEDGER},
    _FEE: {What.LEDGER},
    _BACK: {What.LEDGER},
    _DEEP: {What.GROUP},
    _DOLLARS: {What.LEDGER, What.GROUP},
    "UPDATE orders SET refunded_minor = refunded_minor + 1 WHERE id = :id": {What.LEDGER, What.GROUP},
    "DELETE FROM orders WHERE id = :id": {What.LEDGER, What.GROUP, What.AMOUNT},
    "DELETE FROM settlements WHERE order_id = :id": {What.UNDECIDED, What.LEDGER, What.GROUP},
    "DELETE FROM refunds WHERE order_id = :id": {What.LEDGER, What.AMOUNT},
    "UPDATE settlements SET status = 'dead', last_error = 'lost' WHERE order_id = :id": {What.GIVEN_UP, What.GROUP},
    "UPDATE refunds SET status = 'dead', is_made = false WHERE order_id = :id": {What.GIVEN_UP, What.LEDGER},
    _OF_GROUP.format(change="captured_minor = captured_minor + 1"): {What.GROUP},
    _OF_GROUP.format(change="refunded_minor = refunded_minor + 1"): {What.GROUP},
    _OF_GROUP.format(change="settled = settled - 1"): {What.GROUP},
    _OF_GROUP.format(change="awaiting = awaiting + 1"): {What.GROUP},
}


async def test_each_fault_in_our_books_is_named(runtime: Runtime, till: SandboxShop) -> None:
    """Ledger, settlement, order, refund and group tell one story: whichever is changed by hand, each run says so."""
    broken = {fault: (await till.orders_of(await till.live(), None, None))[0] for fault in FAULTS}
    for bought in broken.values():
        await till.refund(bought, 300)
    await till.make_refunds()
    assert (await balance(runtime)).found == 0
    for fault, bought in broken.items():
        await till.make(fault, id=bought.order_id)
    for _ in range(2):
        run = await balance(runtime)
        assert run.remaining == run.found == len(run.named)
        assert all(one.difference.advice for one in run.named)
        for fault, bought in broken.items():
            named = [one.difference for one in run.named if one.difference.group_id == bought.group_id]
            assert {difference.what for difference in named} == FAULTS[fault], fault


async def test_a_held_payment_that_its_group_was_settled_without_is_named(runtime: Runtime, till: SandboxShop) -> None:
    """No row without a decision: money that nobody decided about is not left lying."""
    first, second = await till.paid_group(await till.live(), None, None)
    await till.make("DELETE FROM participants WHERE shopper_id = :id", id=second.shopper_id)
    await till.close(first)
    await till.settle()
    run = await balance(runtime)
    (one,) = [one for one in run.named if one.difference.what is What.UNDECIDED]
    assert one.difference.order_id == second.order_id


async def test_stock_counts_reservations_purchases_alone_and_dropped_places(till: SandboxShop) -> None:
    """Units are taken by places and by payments that keep some, and not by places that were dropped."""
    deal_id = await till.live(schedule=PriceSchedule(2_000, (Tier(2, 1_800),)), group_size_max=3)
    sold = await till.paid_group(deal_id, None, None, None, quantity=2)
    await till.settle(refusing=[sold[0].order_id])
    await till.pay(await till.reserve_alone(deal_id, quantity=3))
    await till.reserve_alone(deal_id, quantity=4)
    await till.lapse(await till.reserve_alone(deal_id, quantity=5))
    await till.reserve_first(deal_id, quantity=6)
    (row,) = await till.rows("SELECT stock - stock_left AS taken FROM variants WHERE deal_id = :id", id=deal_id)
    assert row["taken"] == 2 + 2 + 3 + 4 + 6
    assert await differences_in(till.engine, [deal_id]) == []
    for change in ("participants SET dropped_at = NULL", "payments SET holds_units = false"):
        await till.make(f"UPDATE {change}")
        assert [one.what for one in await differences_in(till.engine, [deal_id])] == ["stock left of variant"]
