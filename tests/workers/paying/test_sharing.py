"""Processes that die, sleep or share the work: every payment ends as it was decided, once."""

import asyncio

import pytest

from domain.groupbuy.commands import LeaveGroup
from infra.runtime import started
from infra.settings import Settings
from tests.money_shop import PAST
from tests.waiting import eventually
from tests.workers.ground_truth import number
from tests.workers.hostile_gateway import HostileGateway
from tests.workers.paying.outcomes import carry_out_in_time, kept, refund, succeeded
from tests.workers.paying_shop import PayingShop, carry_out
from workers import paying as executor
from workers.carrying_out import CarriedOut, NotCarriedOut, settle
from workers.closing import Closing
from workers.duty import Context
from workers.instructions import claim
from workers.paying import paying
from workers.settling import settle_chunk


async def test_a_process_that_dies_after_the_call_loses_nothing(
    context: Context, shop: PayingShop, gateway: HostileGateway
) -> None:
    """Captured and not recorded: when the lease is over the next process looks, and records what it finds."""
    bought = await succeeded(shop)
    while await settle_chunk(context.by_key):
        pass
    for instruction in await claim(context.by_key, 100):
        await settle(gateway, instruction)
    await carry_out(context)
    assert {(await shop.settlement(purchase))["status"] for purchase in bought} == {"pending"}, "the lease holds"
    await carry_out_in_time(context, shop)
    assert [gateway.done[("capture", purchase.order_id)] for purchase in bought] == [1] * len(bought)
    assert [await shop.payment_status(purchase) for purchase in bought] == ["captured"] * len(bought)
    await shop.books_are_closed()


async def test_a_process_that_slept_over_its_lease_takes_nothing_back(
    context: Context, shop: PayingShop, gateway: HostileGateway
) -> None:
    """Others settled it and gave a part of the order back since: less is kept than decided, and that is no refusal."""
    bought = await succeeded(shop)
    while await settle_chunk(context.by_key):
        pass
    asleep = await claim(context.by_key, 100)
    await carry_out_in_time(context, shop)
    await shop.tell(refund(shop, bought[0], 100))
    await carry_out_in_time(context, shop)
    keeps = [kept(gateway, purchase) for purchase in bought]
    for instruction in asleep:
        if instruction.order_id == bought[0].order_id:
            with pytest.raises(NotCarriedOut):
                await settle(gateway, instruction)
        else:
            assert await settle(gateway, instruction) == CarriedOut()
    assert keeps[0] == keeps[1] - 100
    assert [kept(gateway, purchase) for purchase in bought] == keeps


async def test_claims_never_overlap(context: Context, shop: PayingShop) -> None:
    """Whoever asks at the same moment gets something else, or nothing."""
    bought = await succeeded(shop)
    bought += await succeeded(shop)
    while await settle_chunk(context.by_key):
        pass
    for _ in range(20):
        claims = await asyncio.gather(*(claim(context.by_key, len(bought)) for _ in range(4)))
        claimed = [instruction.id for claimed in claims for instruction in claimed]
        assert sorted(claimed) == sorted(purchase.order_id for purchase in bought)
        await shop.let_leases_pass()


async def test_two_processes_share_the_work(
    context: Context, shop: PayingShop, gateway: HostileGateway, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two executors at once carry out each settlement once, both a part of them."""
    monkeypatch.setattr(executor, "CALLS_AT_ONCE", 4)
    monkeypatch.setattr(executor, "CLAIMED_AT_LEAST", 1)
    deal_id = await shop.live()
    bought = [purchase for _ in range(10) for purchase in await shop.paid_group(deal_id, None, None, None)]
    await shop.let_time_pass(deal_id, PAST)
    await Closing().step(context)
    while await settle_chunk(context.by_key):
        pass
    async with started(settings, "other") as other:
        other.gateways.use(gateway)
        async with paying(context) as first, paying(Context(other, context.by_key)) as second:
            while 0 in await asyncio.gather(first(), second()):
                pass
    assert [gateway.done[("capture", purchase.order_id)] for purchase in bought] == [1] * len(bought)
    assert await number(shop.engine, "SELECT count(*) FROM settlements WHERE status = 'done'") == 30
    assert await number(shop.engine, "SELECT max(attempts) FROM settlements") == 1


async def test_one_slow_payment_holds_up_no_other(context: Context, shop: PayingShop, gateway: HostileGateway) -> None:
    """While one call takes its time, others that fall due later are carried out."""
    deal_id = await shop.live()
    slow, *_ = await shop.paid_group(deal_id, None)
    gateway.hanging[slow.order_id] = asyncio.Event()
    quick, *_ = await shop.paid_group(deal_id, None)
    async with paying(context) as step:
        for bought in (slow, quick):
            assert bought.group_id is not None
            await shop.tell(LeaveGroup(group_id=bought.group_id, shopper_id=bought.shopper_id))
            await step()

        async def is_released() -> bool:
            return await shop.payment_status(quick) == "released"

        await eventually(is_released, "the quick one")
        assert await shop.payment_status(slow) == "held"
        gateway.hanging[slow.order_id].set()
    assert await shop.payment_status(slow) == "released"
