"""What the machine's rules set in motion: requests, workers and a gateway behind a bad line, each as far as it gets."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.errors import DomainError
from domain.groupbuy.commands import BuyAlone, CancelOrder, Command, JoinGroup, OpenGroup, RefundOrder, ShipOrder
from domain.groupbuy.deal import Variant
from domain.groupbuy.payment import Payment
from domain.groupbuy.world import Accepted
from domain.pricing.shares import Reward, RewardKind
from domain.pricing.steps import Strategy
from infra.ids import new_id
from infra.payments.checkout import Awaited, PaymentDeclined, PaymentLapsed, PaymentTooLate
from infra.payments.sandbox import SandboxGateway
from infra.rows_money import payment_from
from tests.domain.catalogue import schedule
from tests.money_shop import Purchase
from tests.money_truth import come_to_rest
from tests.races.hostile_sandbox import HostileSandbox, Line, OnItsWay
from tests.races.house import House
from workers.awaiting import Lapsing, look_up
from workers.closing import Closing
from workers.paying import Paying
from workers.settling import settle_chunk

SETTLES_WITHIN_S = 0.01
NOT_NOW = (DomainError, PaymentDeclined, PaymentLapsed, PaymentTooLate)
"""What a caller may be told; anything else is a fault of ours."""


@dataclass
class Stage:
    """Two processes in one play: what they have begun and not ended, and all purchases that were reserved."""

    houses: tuple[House, House]
    strategy: Strategy
    line: Line = field(default_factory=Line)
    requests: list["asyncio.Task[object]"] = field(default_factory=list)
    bought: list[Purchase] = field(default_factory=list)
    executors: list[Paying] = field(default_factory=list)
    deal_ids: list[UUID] = field(default_factory=list)
    gateways: list[HostileSandbox] = field(default_factory=list)

    async def open(self) -> None:
        """A deal whose goods are sent, with a reward for leaders, and a digital one; both have few units."""
        for house in self.houses:
            gateway = HostileSandbox(house.runtime.settings, self.strategy, self.line)
            house.runtime.gateways.use(gateway)
            self.gateways.append(gateway)
            self.executors.append(Paying(house.context))
        self.deal_ids = [
            await self.houses[0].live(
                (Variant(new_id(), "Red", None, 7),),
                schedule=schedule(2_000, (2, 1_800), (3, 1_500)),
                group_size_max=3,
                needs_shipping=True,
                reward=Reward(RewardKind.SHARE, 333),
            ),
            await self.houses[0].live(
                (Variant(new_id(), "Blue", None, 12),),
                schedule=schedule(999, (3, 777), (4, 555)),
                group_size_max=4,
                units_per_shopper_max=3,
            ),
        ]

    async def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Begin a request, and go on until everything that is under way is done or waits for the line."""
        self.requests.append(asyncio.create_task(work))
        await self.go_on()

    async def go_on(self) -> None:
        """Let everything go on that can."""
        while going := [task for task in self._under_way() if not self.line.is_waiting(task)]:
            await asyncio.wait(going, timeout=SETTLES_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        over = [task for task in self.requests if task.done()]
        self.requests = [task for task in self.requests if not task.done()]
        for task in over:
            if not task.cancelled():
                task.result()

    async def crash(self, call: OnItsWay) -> None:
        """Who waits for this call is no more; what was sent arrives all the same."""
        call.caller.cancel()
        if call not in self.line.effects.values():
            self.line.on_their_way.remove(call)
        await self.go_on()

    async def buy(self, at: int, command: OpenGroup | JoinGroup | BuyAlone, deal_id: UUID, method: str) -> None:
        """A request to join, open or buy, through the process `at`, as far as it gets."""
        with suppress(*NOT_NOW):
            house = self.houses[at]
            accepted = await house.batcher.put(command, deal_id)
            assert isinstance(accepted, Accepted)
            payment = accepted.state.payments.get(command.order_id)
            if payment is not None and accepted.events:
                self.bought.append(_purchase(payment))
                await house.runtime.checkout.authorise(payment, method)

    async def ask_again(self, at: int, bought: Purchase, method: str) -> None:
        """The request comes once more: the payment is looked at, and asked for anew where the gateway knows of none."""
        runtime = self.houses[at].runtime
        row = await runtime.payments.find(bought.order_id)
        assert row is not None
        with suppress(*NOT_NOW):
            if await runtime.checkout.look(row) == Awaited(None):
                await runtime.checkout.authorise(payment_from(row), method)

    async def tell(self, at: int, command: Command, deal_id: UUID) -> None:
        """Told to the domain; it may say no."""
        with suppress(DomainError):
            await self.houses[at].batcher.put(command, deal_id)

    async def take_step(self, bought: Purchase, *, approve: bool) -> None:
        """The shopper's own step, where one is awaited."""
        gateway = self.gateways[0]
        found = await SandboxGateway.look_up(gateway, bought.order_id, None)
        if found is not None and found.client_secret is not None:
            await gateway.complete_step(found.reference, found.client_secret, approve=approve)

    async def work(self, at: int) -> None:
        """An executor takes up what is due and goes on with it as far as it can."""
        await self.executors[at].step()
        await self.go_on()

    async def sweep(self, at: int) -> None:
        """The clock's decisions, and what follows from closings."""
        context = self.houses[at].context
        await Closing().step(context)
        await Lapsing().step(context)
        await settle_chunk(context.by_key)

    async def look_up(self, at: int) -> None:
        """The sweep that asks gateways."""
        await look_up(self.houses[at].context)

    async def make(self, statement: str, **parameters: object) -> None:
        """Time passes, or something happens that nobody of us does; under the locks that every batch takes first."""
        async with self.houses[0].context.by_key.begin() as connection:
            await connection.execute(text("SELECT FROM deals ORDER BY id FOR NO KEY UPDATE"))
            await connection.execute(text(statement), parameters)

    async def paid(self) -> list[Purchase]:
        """Those that are orders by now."""
        async with self.houses[0].engine.connect() as connection:
            order_ids = set((await connection.execute(text("SELECT id FROM orders"))).scalars())
        return [bought for bought in self.bought if bought.order_id in order_ids]

    def handling(
        self, bought: Purchase, given_back: Sequence[int | None], *, ships: bool, calls_off: bool
    ) -> Iterator[Command]:
        """What a merchant does about an order; amounts are minor units, None is all that is left."""
        merchant_id, names = self.houses[0].merchant_id, bought.names
        if calls_off:
            yield CancelOrder(**names, merchant_id=merchant_id, refund_id=new_id(), reason="Sold out")
        del names["shopper_id"]
        for amount_minor in given_back:
            yield RefundOrder(
                **names,
                merchant_id=merchant_id,
                refund_id=new_id(),
                amount_minor=amount_minor,
                currency=None,
                reason="Scratched",
                is_return=False,
            )
        del names["group_id"]
        if ships:
            yield ShipOrder(**names, merchant_id=merchant_id, carrier="Post", tracking_number="1")

    async def clear(self) -> None:
        """The line is good again, and what was on its way arrives."""
        self.line.clear()
        await self.go_on()

    async def rest(self) -> None:
        """Nothing is lost any more, and everything comes to rest."""
        await self.clear()
        for executor in self.executors:
            await executor.finish()
        await come_to_rest(self.houses[0].context)

    async def close(self) -> None:
        """Nothing is left under way, whatever happened."""
        self.line.clear()
        for task in self._under_way():
            task.cancel()
        await asyncio.gather(*self._under_way(), return_exceptions=True)
        for gateway in self.gateways:
            await gateway.close()

    def _under_way(self) -> list["asyncio.Task[Any]"]:
        tasks = [*self.requests, *self.line.arriving]
        for executor in self.executors:
            tasks += executor._under_way
        return [task for task in tasks if not task.done()]


def _purchase(payment: Payment) -> Purchase:
    return Purchase(
        deal_id=payment.deal_id, group_id=payment.group_id, shopper_id=payment.shopper_id, order_id=payment.order_id
    )
