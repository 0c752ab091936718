"""A shop that takes money: payments, closings, settlements and refunds come about through commands, as in production.

The gateway's side is played here: it is said what it did, without asking it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.groupbuy.address import Address
from domain.groupbuy.commands import (
    BuyAlone,
    CloseGroup,
    ConfirmPayment,
    JoinGroup,
    LapsePayment,
    OpenGroup,
    PublishDeal,
    RecordRefund,
    RecordSettlement,
)
from domain.groupbuy.payment import LapsedBecause, PaymentTerms
from infra.ids import new_id
from tests.reading.shop import Shop
from workers.settling import settle_chunk

FEE_BPS = 250
CARD = PaymentTerms("sandbox", FEE_BPS)
ADDRESS = Address(
    name="Ada Lovelace", line1="12 St James's Square", city="London", country="GB", postal_code="SW1Y 4LB"
)
PAST = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One shopper's attempt at buying: its order id is its payment's, and once captured its order's."""

    deal_id: UUID
    group_id: UUID | None
    shopper_id: UUID
    order_id: UUID

    @property
    def names(self) -> dict[str, Any]:
        """What a command about its payment names it by."""
        return {name: getattr(self, name) for name in ("deal_id", "group_id", "shopper_id", "order_id")}


@dataclass(frozen=True, slots=True)
class MoneyShop(Shop):
    """A merchant whose deals take money through the sandbox, for a fee of 2.5 %."""

    async def publish(self, deal_id: UUID) -> UUID:
        """Let groups open that take money."""
        crowd_group_id = new_id()
        await self.tell(
            PublishDeal(deal_id=deal_id, merchant_id=self.merchant_id, crowd_group_id=crowd_group_id, payment=CARD)
        )
        return crowd_group_id

    async def reserve_first(self, deal_id: UUID, shopper_id: UUID | None = None, quantity: int = 1) -> Purchase:
        """Open a group; its leader still has to pay."""
        bought = Purchase(deal_id=deal_id, group_id=new_id(), shopper_id=shopper_id or new_id(), order_id=new_id())
        await self.tell(OpenGroup(**bought.names, quantity=quantity, address=ADDRESS))
        return bought

    async def reserve(self, beside: Purchase, shopper_id: UUID | None = None, quantity: int = 1) -> Purchase:
        """Take a place in the group of another purchase; it still has to be paid."""
        assert beside.group_id is not None
        bought = Purchase(
            deal_id=beside.deal_id, group_id=beside.group_id, shopper_id=shopper_id or new_id(), order_id=new_id()
        )
        await self.tell(
            JoinGroup(
                group_id=beside.group_id,
                shopper_id=bought.shopper_id,
                order_id=bought.order_id,
                quantity=quantity,
                address=ADDRESS,
            )
        )
        return bought

    async def reserve_alone(self, deal_id: UUID, shopper_id: UUID | None = None, quantity: int = 1) -> Purchase:
        """Ask for units at the solo price; they still have to be paid."""
        bought = Purchase(deal_id=deal_id, group_id=None, shopper_id=shopper_id or new_id(), order_id=new_id())
        await self.tell(
            BuyAlone(
                deal_id=deal_id,
                shopper_id=bought.shopper_id,
                order_id=bought.order_id,
                quantity=quantity,
                address=ADDRESS,
            )
        )
        return bought

    async def pay(self, bought: Purchase) -> Purchase:
        """The gateway holds the money."""
        await self.tell(ConfirmPayment(**bought.names, reference=f"sandbox_{bought.order_id}"))
        return bought

    async def lapse(self, bought: Purchase, because: LapsedBecause = LapsedBecause.DECLINED) -> Purchase:
        """The payment comes to nothing."""
        await self.tell(LapsePayment(**bought.names, because=because))
        return bought

    async def paid_group(self, deal_id: UUID, *shoppers: UUID | None, quantity: int = 1) -> list[Purchase]:
        """An open group of these shoppers (None: somebody), all of whom have paid for so many units."""
        leader_id, *others = shoppers
        first = await self.pay(await self.reserve_first(deal_id, leader_id, quantity))
        return [first, *[await self.pay(await self.reserve(first, other, quantity)) for other in others]]

    async def close(self, bought: Purchase) -> None:
        """The deadline of its group comes."""
        assert bought.group_id is not None
        await self.let_time_pass(bought.deal_id, PAST)
        await self.tell(CloseGroup(group_id=bought.group_id))

    async def settle(self, refusing: Collection[UUID] = ()) -> None:
        """Everything that is decided is done at the gateway, but it refuses the orders named."""
        while await settle_chunk(self.engine):
            pass
        for row in await self._pending("settlements", "deal_id, group_id, shopper_id, order_id"):
            refused_because = "card_declined" if row["order_id"] in refusing else None
            await self.tell(RecordSettlement(**row, refused_because=refused_because))

    async def make_refunds(self) -> None:
        """Every refund that is decided is made at the gateway."""
        for row in await self._pending("refunds", "deal_id, group_id, order_id, id AS refund_id"):
            await self.tell(RecordRefund(**row))

    async def orders_of(self, deal_id: UUID, *shoppers: UUID | None, quantity: int = 1) -> list[Purchase]:
        """Orders to ship (digital: delivered): the captured payments of a group that succeeded."""
        bought = await self.paid_group(deal_id, *shoppers, quantity=quantity)
        await self.close(bought[0])
        await self.settle()
        return bought

    async def _pending(self, table: str, columns: str) -> list[dict[str, Any]]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(text(f"SELECT {columns} FROM {table} WHERE status = 'pending'"))
            return [dict(row) for row in rows.mappings()]
