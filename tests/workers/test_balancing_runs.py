"""A run of balancing: what it may do, how far it looks back, and what it does when it cannot look."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from domain.pricing.schedule import PriceSchedule, Tier
from infra.ids import new_id
from infra.payments.port import GatewayState, GatewayUnavailable, PaymentRequest
from infra.runtime import Runtime
from tests.workers.ground_truth import number
from tests.workers.odd_sandboxes import Away, Racing, Stale, Stubborn
from tests.workers.sandbox_shop import SandboxShop
from workers.balancing import balance as comparing
from workers.balancing import looking
from workers.balancing.balance import Balance, balance
from workers.balancing.difference import What
from workers.balancing.duty import BALANCING, LOOK_EVERY_S
from workers.balancing.judging import judge
from workers.balancing.ours import read_ours
from workers.duty import Context

MANY = 20_000
MEMORY_BYTES_MAX = 16 * 1024 * 1024
RECORDED = "SELECT count(*) FROM reconciliations"
CLEAN = f"{RECORDED} WHERE differences = repaired"


@pytest.fixture
def till(runtime: Runtime) -> SandboxShop:
    """A shop at the sandbox."""
    return SandboxShop(runtime.engine, runtime.batcher, new_id(), runtime.gateways.get("sandbox"))


async def test_a_dry_run_touches_nothing(runtime: Runtime, till: SandboxShop) -> None:
    """What would be repaired is named as different; neither the gateway nor our rows change, nothing is recorded."""
    order_id = await _unknown_payment(till)
    found = await balance(runtime, is_dry=True)
    assert (found.found, found.remaining, found.named[0].is_repaired) == (1, 1, False)
    assert (await till.theirs(order_id)).state is GatewayState.HELD
    assert await number(till.engine, RECORDED) == 0


async def test_a_refused_repair_is_left_to_a_person(runtime: Runtime, till: SandboxShop) -> None:
    """The gateway says no to giving money back: the difference stays, with the gateway's own reason."""
    await _unknown_payment(till)
    stubborn = Stubborn(runtime.settings)
    runtime.gateways.use(stubborn)
    found = await balance(runtime)
    await stubborn.close()
    runtime.gateways.use(till.gateway)
    assert (found.found, found.remaining) == (1, 1)
    assert "not_today" in found.named[0].difference.advice


async def test_a_gateway_that_is_away_ends_the_run(
    runtime: Runtime, till: SandboxShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the gateway's whole word nothing is done or recorded: the next run looks at all of it again."""
    monkeypatch.setattr(looking, "FIRST_PAUSE_S", 0.001)
    await _unknown_payment(till)
    away = Away(runtime.settings)
    runtime.gateways.use(away)
    with pytest.raises(GatewayUnavailable):
        await balance(runtime)
    await away.close()
    assert await number(till.engine, RECORDED) == 0
    runtime.gateways.use(till.gateway)
    assert (await balance(runtime)).found == 1


async def test_a_listing_that_breaks_off_is_taken_up_anew(
    runtime: Runtime, till: SandboxShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed before it broke off is listed again, and counted once."""
    monkeypatch.setattr(looking, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(comparing, "PAYMENTS_AT_ONCE", 1)
    await till.orders_of(await till.live(), None, None)
    away = Away(runtime.settings)
    away.times = 1
    runtime.gateways.use(away)
    found = await balance(runtime, since=datetime.now(UTC) - timedelta(hours=1))
    await away.close()
    runtime.gateways.use(till.gateway)
    assert (found.payments, found.found) == (2, 0)


async def test_what_only_changed_meanwhile_is_no_difference(runtime: Runtime, till: SandboxShop) -> None:
    """A listing may be older than our rows: what seems different is looked at again before anything is said or done."""
    await till.orders_of(await till.live(), None, None)
    stale = Stale(runtime.settings)
    runtime.gateways.use(stale)
    found = await balance(runtime)
    await stale.close()
    runtime.gateways.use(till.gateway)
    assert (found.payments, found.found) == (2, 0)


async def test_what_changes_while_it_is_looked_at_is_no_difference(
    runtime: Runtime, till: SandboxShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captured and recorded between the gateway's answer and our reading of it: the next run tells, not this one."""
    (bought,) = await till.paid_group(await till.live(schedule=PriceSchedule(2_000, (Tier(1, 1_800),))), None)
    await till.close(bought)
    racing = Racing(runtime.settings)
    monkeypatch.setattr(racing, "meanwhile", till.settle)
    runtime.gateways.use(racing)
    found = await balance(runtime)
    await racing.close()
    runtime.gateways.use(till.gateway)
    assert await number(till.engine, "SELECT count(*) FROM orders") == 1
    assert (found.found, (await balance(runtime)).found) == (0, 0)


async def test_a_second_payment_of_an_order_is_one_nobody_asked_for(till: SandboxShop) -> None:
    """An order is paid once: money under another reference than the one we know goes back, whatever became of it."""
    (bought,) = await till.paid_group(await till.live(), None)
    ours = (await read_ours(till.engine, [bought.order_id]))[bought.order_id]
    first = await till.theirs(bought.order_id)
    now = datetime.now(UTC)
    second = msgspec.structs.replace(first, reference="pay_another")
    assert judge(ours, first, "sandbox", now) is None
    found = judge(ours, second, "sandbox", now)
    assert found is not None
    assert (found.what, found.repair, found.reference) == (What.UNKNOWN, "end", "pay_another")
    assert judge(ours, msgspec.structs.replace(second, state=GatewayState.CANCELLED), "sandbox", now) is None


async def test_a_run_begins_where_the_last_clean_one_ended(runtime: Runtime, till: SandboxShop) -> None:
    """What has not changed since a run that left nothing is not compared again; while something is left, all is."""
    bought, _ = await till.orders_of(await till.live(), None, None)
    assert (await _compared(runtime), await number(till.engine, CLEAN)) == ((2, 2), 1)
    await _age(till)
    assert await _compared(runtime) == (0, 0)
    await till.refund(bought, 100)  # changed, long after it was made: the gateway lists from then on
    assert await _compared(runtime) == (2, 2)
    await till.make_refunds()
    await _age(till)
    await till.make("UPDATE groups SET captured_minor = captured_minor + 1")
    assert (await balance(runtime)).found == 0  # closed long ago: only who asks finds it
    assert (await balance(runtime, since=datetime.now(UTC) - timedelta(days=60))).remaining == 1
    assert (await balance(runtime)).remaining == 1  # and from then on every run
    await till.make("UPDATE groups SET captured_minor = captured_minor - 1")
    assert await _compared(runtime) == (2, 2)
    assert await _compared(runtime) == (0, 0)
    await till.make("UPDATE settlements SET status = 'dead' WHERE order_id = :id", id=bought.order_id)
    given_up = await balance(runtime)
    assert (given_up.orders, given_up.named[0].difference.what) == (2, What.GIVEN_UP)


async def test_a_run_over_less_is_not_taken_for_all(runtime: Runtime, till: SandboxShop) -> None:
    """`--since` later than the last clean run leaves something out, so it does not move the next one on."""
    await till.orders_of(await till.live(), None, None)
    found = await balance(runtime, since=datetime.now(UTC) + timedelta(minutes=1))
    assert (found.payments, await number(till.engine, RECORDED)) == (0, 0)
    assert await _compared(runtime) == (2, 2)


async def test_the_duty_runs_once_a_day(context: Context, till: SandboxShop) -> None:
    """A day after the first money, and a day after each run; in between it rests."""
    assert await BALANCING.step(context) == LOOK_EVERY_S
    assert await number(till.engine, RECORDED) == 0
    await till.paid_group(await till.live(), None)
    await BALANCING.step(context)
    assert await number(till.engine, RECORDED) == 0
    await till.make("ALTER TABLE ledger DISABLE TRIGGER ledger_is_append_only")
    await till.make("UPDATE ledger SET at = at - interval '25 hours'")
    for _ in range(2):
        await BALANCING.step(context)
        assert await number(till.engine, RECORDED) == 1
    await till.make("UPDATE reconciliations SET began_at = began_at - interval '25 hours'")
    await BALANCING.step(context)
    assert await number(till.engine, RECORDED) == 2


async def test_many_payments_take_little_memory(runtime: Runtime, till: SandboxShop) -> None:
    """20,000 payments, a hundred of them unknown to us: each is compared, in pages, and progress is told on the way."""
    deal_id = await till.live()
    await till.make(
        "INSERT INTO sandbox_payments (order_id, amount_minor, currency, method, status, created_at, hold_expires_at)"
        " SELECT gen_random_uuid(), 1800, 'EUR', 'sandbox_approve', 'held', now() - n * interval '1 second',"
        "   now() + interval '1 day' FROM generate_series(1, :many) AS n",
        many=MANY,
    )
    await till.make(
        "INSERT INTO payments (deal_id, order_id, shopper_id, variant_id, quantity, hold_minor, currency, gateway,"
        "   fee_bps, status, holds_units, pay_by, created_at)"
        " SELECT :deal, order_id, order_id, order_id, 1, 1800, 'EUR', 'sandbox', 0, 'awaiting', false, now(), now()"
        " FROM sandbox_payments ORDER BY created_at OFFSET 100",
        deal=deal_id,
    )
    told: list[tuple[str, int]] = []
    tracemalloc.start()
    try:
        found = await balance(runtime, on_progress=lambda what, done: told.append((what, done)))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found.payments, found.orders, found.found, found.remaining) == (MANY, MANY - 100, 100, 0)
    assert peak_bytes < MEMORY_BYTES_MAX
    assert [done for what, done in told if what == "payments of sandbox"][-1] == MANY
    assert len(told) > 50


async def _unknown_payment(till: SandboxShop) -> UUID:
    order_id = new_id()
    await till.gateway.authorise(
        PaymentRequest(order_id=order_id, shopper_id=new_id(), amount_minor=900, currency="EUR")
    )
    return order_id


async def _compared(runtime: Runtime) -> tuple[int, int]:
    found: Balance = await balance(runtime)
    assert found.found == 0, found.named
    return found.payments, found.orders


async def _age(till: SandboxShop) -> None:
    """Everything that was, orders and runs, is three days older."""
    await till.make("UPDATE payments SET created_at = created_at - interval '3 days'")
    await till.make("UPDATE settlements SET done_at = done_at - interval '3 days'")
    await till.make("UPDATE refunds SET made_at = made_at - interval '3 days'")
    await till.make("UPDATE groups SET closed_at = closed_at - interval '3 days'")
    await till.make("UPDATE sandbox_payments SET created_at = created_at - interval '3 days'")
    await till.make("UPDATE reconciliations SET began_at = began_at - interval '1 day'")
