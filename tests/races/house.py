"""One process at work on payments, and what may happen to it from outside: webhooks, the app's own word, sweeps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from domain.groupbuy.commands import BuyAlone, CancelGroup, Command, ConfirmPayment, JoinGroup, LeaveGroup, OpenGroup
from domain.groupbuy.errors import GroupClosed, GroupCommitted
from domain.groupbuy.payment import Payment
from domain.groupbuy.world import Accepted
from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.ids import new_id
from infra.payments.checkout import Approved, Awaited, PaymentDeclined, PaymentLapsed, PaymentTooLate
from infra.payments.port import PaymentRequest, WebhookEvent
from infra.rows_money import payment_from
from infra.runtime import started
from infra.settings import Settings
from tests.money_shop import ADDRESS, CARD, Purchase
from tests.workers.paying_shop import PayingShop
from workers.duty import Context

ROUNDS = 1_000
ROUNDS_AT_ONCE = 100
"""So many are under way at the same time: batches of both processes meet in the same deals."""
DEALS = 8
SWEEPS_EVERY_S = 0.005

Round = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class House(PayingShop):
    """A process: its shop is the same merchant's as the other's."""

    context: Context

    async def take(self, beside: Purchase, *, approve: bool = True, quantity: int = 1) -> Purchase:
        """Reserve a place beside somebody; the gateway has approved, or will, and nobody has heard of it."""
        bought = _named(beside.deal_id, beside.group_id)
        assert beside.group_id is not None
        command = JoinGroup(
            group_id=beside.group_id,
            shopper_id=bought.shopper_id,
            order_id=bought.order_id,
            quantity=quantity,
            address=ADDRESS,
        )
        return await self._reserved(bought, command, approve=approve)

    async def begin(self, deal_id: UUID, *, approve: bool = True, quantity: int = 1) -> Purchase:
        """As `take`, for the leader of a new group."""
        bought = _named(deal_id, new_id())
        return await self._reserved(
            bought, OpenGroup(**bought.names, quantity=quantity, address=ADDRESS), approve=approve
        )

    async def buy_alone(self, deal_id: UUID, quantity: int = 1) -> Purchase:
        """Pay the solo price; it is due at once."""
        bought = _named(deal_id, None)
        command = BuyAlone(
            deal_id=deal_id,
            shopper_id=bought.shopper_id,
            order_id=bought.order_id,
            quantity=quantity,
            address=ADDRESS,
        )
        await self._reserved(bought, command, approve=True)
        await self.confirm(bought)
        return bought

    async def confirm(self, bought: Purchase) -> None:
        """The gateway's approval is heard of."""
        await self._put(ConfirmPayment(**bought.names), bought.deal_id)

    async def paid_leader(self, deal_id: UUID) -> Purchase:
        """The first participant of a new group."""
        bought = await self.begin(deal_id)
        await self.confirm(bought)
        return bought

    async def groups(self, deal_ids: Sequence[UUID]) -> list[Purchase]:
        """A group of each deal, its leader in it."""
        return list(await asyncio.gather(*(self.paid_leader(deal_id) for deal_id in deal_ids)))

    async def hear(self, *bought: Purchase) -> None:
        """A webhook says that something about these payments may have changed."""
        events = [WebhookEvent(id="evt", kind="payment", order_id=one.order_id, state=None) for one in bought]
        await self.runtime.checkout.hear(CARD.gateway, events)

    async def ask(self, bought: Purchase) -> Approved | Awaited | None:
        """The app says that its shopper is done; None where it came to nothing."""
        row = await self.runtime.payments.find(bought.order_id)
        assert row is not None
        with suppress(PaymentTooLate, PaymentLapsed, PaymentDeclined):
            return await self.runtime.checkout.look(row)
        return None

    async def request(self, payment: Payment) -> None:
        """Ask the gateway for the money, and tell nobody what it said."""
        request = PaymentRequest(
            order_id=payment.order_id,
            shopper_id=payment.shopper_id,
            amount_minor=payment.hold_minor,
            currency=payment.currency,
        )
        await self.runtime.gateways.get(CARD.gateway).authorise(request)

    async def pay_at_once(self, bought: Purchase) -> Approved | Awaited | None:
        """The answer of the gateway to whoever asked it for the money; None where it came too late."""
        row = await self.runtime.payments.find(bought.order_id)
        assert row is not None
        with suppress(PaymentTooLate):
            return await self.runtime.checkout.authorise(payment_from(row), None)
        return None

    async def leave(self, bought: Purchase) -> None:
        """The shopper gives the place up, unless it is too late for that."""
        assert bought.group_id is not None
        with suppress(GroupCommitted, GroupClosed):
            await self._put(LeaveGroup(group_id=bought.group_id, shopper_id=bought.shopper_id), bought.deal_id)

    async def call_off(self, bought: Purchase) -> None:
        """The merchant calls the group off, unless it has closed."""
        assert bought.group_id is not None
        with suppress(GroupClosed):
            await self._put(CancelGroup(group_id=bought.group_id, merchant_id=self.merchant_id), bought.deal_id)

    async def _reserved(
        self, bought: Purchase, command: JoinGroup | OpenGroup | BuyAlone, *, approve: bool
    ) -> Purchase:
        accepted = await self._put(command, bought.deal_id)
        if approve:
            await self.request(accepted.state.payments[bought.order_id])
        return bought

    async def _put(self, command: Command, deal_id: UUID) -> Accepted:
        """As `tell`, without a look-up of the deal."""
        accepted = await self.batcher.put(command, deal_id)
        assert isinstance(accepted, Accepted)
        return accepted


@asynccontextmanager
async def two_houses(settings: Settings) -> AsyncIterator[tuple[House, House]]:
    """One merchant's shop as two processes see it."""
    merchant_id = new_id()
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            runtime = await stack.enter_async_context(started(settings))
            by_key = make_engine(settings, "tuan duties", connections_max=4, planner=ALWAYS_BY_INDEX)
            stack.push_async_callback(by_key.dispose)
            made.append(House(runtime.engine, runtime.batcher, merchant_id, runtime, Context(runtime, by_key)))
        yield made[0], made[1]


async def rounds(one: Round, number: int = ROUNDS) -> None:
    """Play a race so many times, some of them at once; the first that fails ends the test."""
    numbers = iter(range(number))

    async def play_on() -> None:
        for at in numbers:
            await one(at)

    async with asyncio.TaskGroup() as players:
        for _ in range(ROUNDS_AT_ONCE):
            players.create_task(play_on())


@asynccontextmanager
async def meanwhile(step: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """What a sweep does, again and again; at least once more after the block."""
    over = asyncio.Event()

    async def go_on() -> None:
        for _ in count():
            last = over.is_set()
            await step()
            if last:
                return
            await asyncio.sleep(SWEEPS_EVERY_S)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        over.set()
        await task


def _named(deal_id: UUID, group_id: UUID | None) -> Purchase:
    return Purchase(deal_id=deal_id, group_id=group_id, shopper_id=new_id(), order_id=new_id())
