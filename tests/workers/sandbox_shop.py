"""A shop whose money is at the real sandbox: what is decided is done there too, and can be undone behind everybody."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.groupbuy.commands import CancelGroup, ConfirmPayment, LeaveGroup, RefundOrder
from domain.pricing.steps import Step, next_step
from infra.ids import new_id
from infra.payments.port import GatewayPayment, PaymentGateway, PaymentRequest
from infra.payments.standing import at_gateway
from tests.money_shop import MoneyShop, Purchase
from workers.settling import settle_chunk

_PENDING = "SELECT order_id, capture_minor FROM settlements WHERE status = 'pending'"


@dataclass(frozen=True, slots=True)
class SandboxShop(MoneyShop):
    """Payments, settlements and refunds happen at the gateway and in the rows."""

    gateway: PaymentGateway

    async def authorise(self, bought: Purchase, method: str | None = None) -> GatewayPayment:
        """Ask the gateway for the money, and tell nobody what it said."""
        (payment,) = await self.rows("SELECT * FROM payments WHERE order_id = :id", id=bought.order_id)
        return await self.gateway.authorise(
            PaymentRequest(
                order_id=bought.order_id,
                shopper_id=bought.shopper_id,
                amount_minor=payment["hold_minor"],
                currency=payment["currency"],
                method=method,
            )
        )

    async def pay(self, bought: Purchase) -> Purchase:
        """The gateway holds the money, and the domain has heard it."""
        theirs = await self.authorise(bought)
        await self.tell(ConfirmPayment(**bought.names, reference=theirs.reference))
        return bought

    async def settle(self, refusing: Collection[UUID] = ()) -> None:
        """Everything that is decided is done at the gateway, then recorded; orders named are refused there."""
        while await settle_chunk(self.engine):
            pass
        for row in await self.rows(_PENDING):
            if row["order_id"] not in refusing:
                await self._carry_out(row["order_id"], row["capture_minor"])
            else:
                await self._carry_out(row["order_id"], 0)
        await MoneyShop.settle(self, refusing)

    async def make_refunds(self) -> None:
        """Every refund that is decided is made at the gateway, then recorded."""
        for row in await self.rows("SELECT id, order_id, amount_minor FROM refunds WHERE status = 'pending'"):
            theirs = await self.theirs(row["order_id"])
            await self.gateway.refund(theirs.reference, row["amount_minor"], f"{row['order_id']}:{row['id']}")
        await MoneyShop.make_refunds(self)

    async def refund(self, bought: Purchase, amount_minor: int | None = None) -> None:
        """The merchant decides to give money back."""
        await self.tell(
            RefundOrder(
                deal_id=bought.deal_id,
                group_id=bought.group_id,
                order_id=bought.order_id,
                merchant_id=self.merchant_id,
                refund_id=new_id(),
                amount_minor=amount_minor,
                currency=None,
                reason="late",
                is_return=False,
            )
        )

    async def theirs(self, order_id: UUID) -> GatewayPayment:
        """What the gateway has of an order."""
        found = await self.gateway.look_up(order_id, None)
        assert found is not None
        return found

    async def rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """What a query answers."""
        async with self.engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(text(query), parameters)).mappings()]

    async def a_busy_day(self) -> None:
        """Every way a payment can go, each finished by both sides."""
        deal_id = await self.live()
        captured = await self.orders_of(deal_id, None, None, None, quantity=2)
        await self.refund(captured[0], 700)
        await self.refund(captured[1])
        dropped = await self.paid_group(await self.live(), None, None)
        await self.close(dropped[0])
        await self.settle(refusing=[dropped[0].order_id])
        (failed,) = await self.paid_group(await self.live(), None)
        await self.close(failed)
        (left,) = await self.paid_group(await self.live(), None)
        await self.tell(LeaveGroup(group_id=left.group_id or new_id(), shopper_id=left.shopper_id))
        lapsed = await self.lapse(await self.reserve_first(await self.live()))
        await self.pay(lapsed)  # too late
        await self.pay(await self.reserve_alone(deal_id))
        called_off = await self.paid_group(await self.live(), None, None)
        await self.tell(CancelGroup(group_id=called_off[0].group_id or new_id(), merchant_id=None))
        await self.settle()
        await self.make_refunds()
        open_group = await self.paid_group(await self.live(), None, None)
        await self.authorise(await self.reserve(open_group[0]), "sandbox_step")

    async def _carry_out(self, order_id: UUID, keep_minor: int) -> None:
        theirs = await self.gateway.look_up(order_id, None)
        due = next_step(at_gateway(theirs), keep_minor)
        reference, key = theirs.reference if theirs else "", f"{order_id}:{due.step}"
        match due.step:
            case Step.CAPTURE:
                await self.gateway.capture(reference, due.amount_minor, key)
            case Step.CANCEL:
                await self.gateway.cancel(reference, key)
            case Step.REFUND:
                await self.gateway.refund(reference, due.amount_minor, key)
