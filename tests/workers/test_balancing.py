"""Balancing: where gateway and books agree nothing is found; what is certain is mended, the rest told to a person."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.groupbuy.payment import LapsedBecause
from infra.ids import new_id
from infra.payments.port import GatewayState, PaymentRequest
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.money_shop import Purchase
from tests.workers.sandbox_shop import SandboxShop
from workers.balancing.balance import Balance, balance
from workers.balancing.difference import What
from workers.settling import settle_chunk

STRATEGIES = ("hold_and_capture", "pay_and_refund")
UNCERTAIN = {
    "refunded_minor = 100": What.AMOUNT,
    "captured_minor = captured_minor - 1": What.AMOUNT,
    "currency = 'USD'": What.AMOUNT,
    "status = 'cancelled', captured_minor = 0": What.GONE,
    "status = 'held', captured_minor = 0, hold_expires_at = now() + interval '1 h'": What.GONE,
}
OLD = "UPDATE payments SET created_at = created_at - interval '1 hour' WHERE order_id = :id"


@pytest.fixture
def till(runtime: Runtime) -> SandboxShop:
    """A shop at the sandbox."""
    return _till(runtime)


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_nothing_is_found_where_all_is_well(settings: Settings, strategy: str) -> None:
    """Captured, refunded, released, late, lapsed, refused, alone, open: whatever has happened, the books agree."""
    async with started(replace(settings, sandbox_strategy=strategy)) as runtime:
        till = _till(runtime)
        await till.a_busy_day()
        for _ in range(2):
            found = await balance(runtime)
            assert (found.found, _named(found)) == (0, [])
            assert (found.payments, found.orders, found.groups) == (14, 14, 7)


@pytest.mark.parametrize(
    ("strategy", "method"), [("hold_and_capture", None), ("hold_and_capture", "sandbox_step"), ("pay_and_refund", None)]
)
async def test_a_payment_without_an_order_is_given_back(settings: Settings, strategy: str, method: str | None) -> None:
    """No hold without a row: held it is released, paid refunded, waiting ended; the next run finds nothing.

    Not by the daily duty, which might meet a database that was restored: it names it.
    """
    async with started(replace(settings, sandbox_strategy=strategy)) as runtime:
        till = _till(runtime)
        order_id = new_id()
        await till.gateway.authorise(
            PaymentRequest(order_id=order_id, shopper_id=new_id(), amount_minor=900, currency="EUR", method=method)
        )
        left = await balance(runtime, gives_back_unknown=False)
        assert (left.remaining, _named(left)) == (1, [(What.UNKNOWN, order_id, False)])
        assert _named(await balance(runtime)) == [(What.UNKNOWN, order_id, True)]
        theirs = await till.theirs(order_id)
        assert theirs.captured_minor - theirs.refunded_minor == 0
        assert theirs.state in {GatewayState.CANCELLED, GatewayState.PAID}
        assert (await balance(runtime)).found == 0


async def test_an_approval_that_nobody_heard_is_told(runtime: Runtime, till: SandboxShop) -> None:
    """A place that is awaited and paid counts from the run on; a fresh one is left to the sweep."""
    first = await till.reserve_first(await till.live())
    await till.authorise(first)
    assert (await balance(runtime)).found == 0
    await till.make(OLD, id=first.order_id)
    assert _named(await balance(runtime)) == [(What.UNCONFIRMED, first.order_id, True)]
    assert await _status(till, first) == "held"
    assert (await balance(runtime)).found == 0


async def test_an_approval_heard_too_late_is_given_back(runtime: Runtime, till: SandboxShop) -> None:
    """Its group has closed meanwhile: the domain hears of the money and gives it back, and the books agree after."""
    first, second = await till.paid_group(await till.live(), None, None)
    late = await till.reserve(first)
    await till.authorise(late)
    await till.close(second)
    await till.make(OLD, id=late.order_id)
    assert _named(await balance(runtime)) == [(What.UNCONFIRMED, late.order_id, True)]
    await till.settle()
    assert (await till.theirs(late.order_id)).state is GatewayState.CANCELLED
    assert (await balance(runtime)).found == 0


async def test_money_of_a_lapsed_reservation_is_given_back(runtime: Runtime, till: SandboxShop) -> None:
    """Money that came after the lapse was carried out is heard of by the domain: booked, told, and released."""
    lapsed = await till.lapse(await till.reserve_first(await till.live()), LapsedBecause.LEFT)
    await till.settle()
    await till.authorise(lapsed)
    assert _named(await balance(runtime)) == [(What.UNRELEASED, lapsed.order_id, True)]
    assert await till.rows("SELECT late_at FROM payments WHERE late_at IS NOT NULL")
    await till.settle()
    assert (await till.theirs(lapsed.order_id)).state is GatewayState.CANCELLED
    assert (await balance(runtime)).found == 0


async def test_a_lapsed_payment_that_could_still_be_finished_is_ended(runtime: Runtime, till: SandboxShop) -> None:
    """Nothing is held yet, so there is nothing to tell the domain: the gateway stops waiting for the shopper."""
    lapsed = await till.lapse(await till.reserve_first(await till.live()), LapsedBecause.LEFT)
    await till.settle()
    await till.authorise(lapsed, "sandbox_step")
    assert _named(await balance(runtime)) == [(What.UNRELEASED, lapsed.order_id, True)]
    assert (await till.theirs(lapsed.order_id)).state is GatewayState.CANCELLED
    assert not await till.rows("SELECT order_id FROM payments WHERE late_at IS NOT NULL")


async def test_what_is_being_carried_out_is_no_difference(runtime: Runtime, till: SandboxShop) -> None:
    """Captured and released at the gateway and not recorded yet: whoever did it is about to."""
    won, _ = await till.paid_group(await till.live(), None, None)
    (lost,) = await till.paid_group(await till.live(), None)
    for bought in (won, lost):
        await till.close(bought)
        while await settle_chunk(till.engine):
            pass
    await till.gateway.capture((await till.theirs(won.order_id)).reference, 1_500, f"{won.order_id}:capture")
    await till.gateway.cancel((await till.theirs(lost.order_id)).reference, f"{lost.order_id}:cancel")
    assert (await balance(runtime)).found == 0


@pytest.mark.parametrize(
    ("undone", "left"),
    [
        ("status = 'held', hold_expires_at = now() + interval '1 day'", GatewayState.CANCELLED),
        ("status = 'paid', captured_minor = 900", GatewayState.PAID),
        ("status = 'pending'", GatewayState.CANCELLED),
    ],
)
@pytest.mark.parametrize("is_late", [False, True])
async def test_a_release_that_was_not_made_is_made(
    runtime: Runtime, till: SandboxShop, undone: str, left: GatewayState, *, is_late: bool
) -> None:
    """Recorded as released and still there: it is given back at the gateway, and nothing is booked a second time."""
    if is_late:
        bought = await till.pay(await till.lapse(await till.reserve_first(await till.live())))
    else:
        (bought,) = await till.paid_group(await till.live(), None)
        await till.close(bought)
    await till.settle()
    booked = await till.rows("SELECT * FROM ledger")
    await till.make(f"UPDATE sandbox_payments SET {undone} WHERE order_id = :id", id=bought.order_id)
    assert _named(await balance(runtime)) == [(What.UNRELEASED, bought.order_id, True)]
    theirs = await till.theirs(bought.order_id)
    assert (theirs.state, theirs.captured_minor - theirs.refunded_minor) == (left, 0)
    assert await till.rows("SELECT * FROM ledger") == booked
    assert (await balance(runtime)).found == 0


async def test_what_is_not_certain_is_left_to_a_person(runtime: Runtime, till: SandboxShop) -> None:
    """Amounts that differ, money that is not there: named again by every run, touched by none, gone once put right."""
    broken = {fault: (await till.orders_of(await till.live(), None, None))[0].order_id for fault in UNCERTAIN}
    for fault, order_id in broken.items():
        await till.make(f"UPDATE sandbox_payments SET {fault} WHERE order_id = :id", id=order_id)
    books = await till.rows("SELECT * FROM sandbox_payments ORDER BY order_id")
    expected = sorted((order_id, UNCERTAIN[fault]) for fault, order_id in broken.items())
    for _ in range(2):
        found = await balance(runtime)
        assert sorted((one.difference.order_id, one.difference.what) for one in found.named) == expected
        assert all(one.difference.advice and not one.is_repaired for one in found.named)
    assert await till.rows("SELECT * FROM sandbox_payments ORDER BY order_id") == books
    await till.make(
        "UPDATE sandbox_payments SET status = 'paid', captured_minor = amount_minor, refunded_minor = 0,"
        " currency = 'EUR', created_at = now() WHERE order_id = ANY(:ids)",
        ids=list(broken.values()),
    )
    assert (await balance(runtime)).found == 0


async def test_an_order_whose_payment_the_gateway_does_not_know_is_named(runtime: Runtime, till: SandboxShop) -> None:
    """No row without money: held or captured with us and unknown there is looked for once more, then told."""
    captured, other = await till.orders_of(await till.live(), None, None)
    (held,) = await till.paid_group(await till.live(), None)
    await till.make("DELETE FROM sandbox_payments WHERE order_id <> :other", other=other.order_id)
    found = await balance(runtime)
    assert sorted(_named(found)) == sorted([(What.GONE, one.order_id, False) for one in (captured, held)])


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("status = 'expired', hold_expires_at = now() - interval '1 minute'", "expired before its group closed"),
        ("status = 'cancelled'", "nothing can be captured"),
    ],
)
async def test_a_hold_that_is_gone_before_closing_is_named(
    runtime: Runtime, till: SandboxShop, fault: str, word: str
) -> None:
    """Nobody can hold it again: a person learns of it before the capture fails."""
    (first,) = await till.paid_group(await till.live(), None)
    await till.make(f"UPDATE sandbox_payments SET {fault} WHERE order_id = :id", id=first.order_id)
    found = await balance(runtime)
    assert _named(found) == [(What.GONE, first.order_id, False)]
    assert word in found.named[0].difference.advice


def _till(runtime: Runtime) -> SandboxShop:
    return SandboxShop(runtime.engine, runtime.batcher, new_id(), runtime.gateways.get("sandbox"))


def _named(found: Balance) -> Sequence[tuple[What, object, bool]]:
    return [(one.difference.what, one.difference.order_id, one.is_repaired) for one in found.named]


async def _status(till: SandboxShop, bought: Purchase) -> str:
    (row,) = await till.rows("SELECT status FROM payments WHERE order_id = :id", id=bought.order_id)
    return str(row["status"])
