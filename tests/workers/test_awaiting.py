"""Awaited payments: places come free in time, and an approval that nobody told us of is found."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from domain.groupbuy.commands import CancelGroup
from domain.groupbuy.payment import PaymentStatus
from infra.ids import new_id
from infra.payments.port import GatewayPayment
from infra.payments.sandbox import SandboxGateway
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.money_shop import Purchase
from tests.waiting import eventually
from tests.workers.ground_truth import number
from tests.workers.paying_shop import PayingShop
from workers import awaiting
from workers.awaiting import LAPSING, LOOKING_UP, Lapsing, look_up
from workers.duties import performed
from workers.duty import Context

LATE_S_MAX = 1.0
LONG_AGO = timedelta(seconds=30)
_AWAITING = "SELECT count(*) FROM payments WHERE status = 'awaiting'"
_LAPSED_S = """
  SELECT extract(epoch FROM events.at - pay_by)::float AS lapsed_s
  FROM events JOIN payments ON order_id::text = payload ->> 'order_id' WHERE type = 'ReservationLapsed'"""


@pytest.fixture
def shop(runtime: Runtime) -> PayingShop:
    return PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)


async def test_places_come_free_within_a_second_of_their_deadline(runtime: Runtime, shop: PayingShop) -> None:
    """Deadlines that come one after the other are each met by themselves; units go back to stock."""
    deal_id = await shop.live()
    for within in ("0.2 s", "0.5 s", "0.7 s"):
        await _reserve_briefly(shop, deal_id, within)
    async with performed(runtime, is_worker=True, duties=[LAPSING]):
        await eventually(lambda: _none_awaited(shop), "the lapses")
    late = "SELECT min(lapsed_s) AS least, max(lapsed_s) AS most FROM (" + _LAPSED_S + ") AS lapsed"
    lapsed_s = await shop.row(late)
    assert 0 <= lapsed_s["least"] <= lapsed_s["most"] < LATE_S_MAX
    assert await shop.stock_left(deal_id) == 1_000


async def test_places_of_a_closed_group_come_free_at_once(context: Context, shop: PayingShop) -> None:
    """Long before their own deadline: there is nothing left to wait for."""
    deal_id = await shop.live()
    first = await shop.reserve_first(deal_id)
    awaited = [first, *[await shop.reserve(first) for _ in range(2)]]
    other = await shop.reserve_first(deal_id)
    assert first.group_id is not None
    await shop.tell(CancelGroup(group_id=first.group_id, merchant_id=shop.merchant_id))
    await Lapsing().step(context)
    assert [await shop.payment_status(bought) for bought in awaited] == ["lapsed"] * 3
    assert await shop.payment_status(other) == "awaiting"
    assert await shop.stock_left(deal_id) == 999
    because = "SELECT DISTINCT payload ->> 'because' AS because FROM events WHERE type = 'ReservationLapsed'"
    assert (await shop.row(because))["because"] == "group_closed"


async def test_more_overdue_than_one_look_takes_lapse_together(
    context: Context, shop: PayingShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step lets everything lapse that is due, page by page; one that cannot holds up none behind it."""
    monkeypatch.setattr(awaiting, "LAPSED_AT_ONCE", 2)
    bad_deal, deal_id = await shop.live(), await shop.live()
    bad = [await shop.reserve_first(bad_deal) for _ in range(3)]
    # Giving back more units than were ever in stock breaks a constraint.
    await shop.make("UPDATE variants SET stock_left = stock WHERE deal_id = :deal", deal=bad_deal)
    good = [await shop.reserve_first(deal_id) for _ in range(5)]
    await _let_time_pass(shop, timedelta(hours=1))
    await Lapsing().step(context)
    assert [await shop.payment_status(bought) for bought in bad] == ["awaiting"] * 3
    assert [await shop.payment_status(bought) for bought in good] == ["lapsed"] * 5


async def test_a_lost_approval_is_found(context: Context, shop: PayingShop) -> None:
    """The answer was lost and no webhook came: a look at the gateway finds the money, and the place counts."""
    bought = await shop.reserve_first(await shop.live())
    await shop.authorise(bought)
    await look_up(context)
    assert await shop.payment_status(bought) == PaymentStatus.AWAITING, "too early to ask"
    await _let_time_pass(shop, LONG_AGO)
    await look_up(context)
    assert await shop.payment_status(bought) == PaymentStatus.HELD
    reference = await shop.row("SELECT reference FROM payments WHERE order_id = :id", id=bought.order_id)
    assert reference["reference"] == (await shop.at_gateway(bought)).reference


async def test_a_lost_decline_frees_the_place(context: Context, shop: PayingShop) -> None:
    """What the gateway will never approve keeps no place until the deadline."""
    deal_id = await shop.live()
    bought = await shop.reserve_first(deal_id)
    await shop.authorise(bought, "sandbox_decline")
    await _let_time_pass(shop, LONG_AGO)
    await look_up(context)
    assert await shop.payment_status(bought) == PaymentStatus.LAPSED
    assert await shop.stock_left(deal_id) == 1_000


async def test_what_is_still_open_is_asked_more_and_more_rarely(context: Context, shop: PayingShop) -> None:
    """Each look waits as long again as the payment is old, a minute at most; once more right before the deadline."""
    bought = await shop.reserve_first(await shop.live())
    await shop.authorise(bought, "sandbox_step")
    asked_at_s = []
    for age_s in range(5, 600, 5):
        await _let_time_pass(shop, timedelta(seconds=5))
        await shop.make("UPDATE payments SET next_step = NULL")
        await look_up(context)
        if (await shop.row("SELECT next_step FROM payments"))["next_step"] is not None:
            asked_at_s.append(age_s)
    waits_s = [later - earlier for earlier, later in pairwise([0, *asked_at_s])]
    assert waits_s[:-1] == sorted(waits_s[:-1]), "the last look is for the deadline's sake"
    assert waits_s[0] == 5
    assert max(waits_s) in {60, 65}
    assert len(waits_s) < 16
    assert asked_at_s[-1] >= 590
    assert await shop.payment_status(bought) == PaymentStatus.AWAITING


async def test_a_gateway_that_hangs_keeps_no_place_from_coming_free(settings: Settings) -> None:
    """While look-ups wait for a gateway that says nothing, overdue places lapse in time."""
    async with started(replace(settings, stop_timeout_s=1)) as runtime:
        shop = PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)
        hanging = _Hanging(settings)
        runtime.gateways.use(hanging)
        deal_id = await shop.live()
        await shop.reserve_first(deal_id)
        await _let_time_pass(shop, LONG_AGO)
        async with performed(runtime, is_worker=True, duties=[LAPSING, LOOKING_UP]):
            await hanging.asked.wait()
            overdue = await _reserve_briefly(shop, deal_id, "0.1 s")

            async def has_lapsed() -> bool:
                return await shop.payment_status(overdue) == PaymentStatus.LAPSED

            await eventually(has_lapsed, "the lapse", 3)


class _Hanging(SandboxGateway):
    """Never says how a payment stands."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked = asyncio.Event()

    async def look_up(
        self, order_id: UUID, reference: str | None, created_after: datetime | None = None
    ) -> GatewayPayment | None:
        self.asked.set()
        await asyncio.Event().wait()
        return await super().look_up(order_id, reference, created_after)


async def _none_awaited(shop: PayingShop) -> bool:
    return not await number(shop.engine, _AWAITING)


async def _reserve_briefly(shop: PayingShop, deal_id: UUID, within: str) -> Purchase:
    """A place that is kept for so long from now on."""
    bought = await shop.reserve_first(deal_id)
    await shop.make(
        "UPDATE payments SET pay_by = clock_timestamp() + CAST(:within AS text)::interval WHERE order_id = :id",
        within=within,
        id=bought.order_id,
    )
    return bought


async def _let_time_pass(shop: PayingShop, passed: timedelta) -> None:
    """Move every payment into the past."""
    columns = ("created_at", "looked_up_at", "pay_by")
    earlier = ", ".join(f"{column} = {column} - CAST(:passed AS interval)" for column in columns)
    await shop.make(f"UPDATE payments SET {earlier}", passed=passed)
