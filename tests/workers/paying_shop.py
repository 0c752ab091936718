"""A shop whose payments are made at a gateway, and the executor run until nothing is due."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.groupbuy.commands import ConfirmPayment
from infra.payments.port import GatewayPayment, PaymentRequest
from infra.runtime import Runtime
from tests.money_shop import CARD, MoneyShop, Purchase
from tests.workers.ground_truth import number
from workers.duty import Context
from workers.paying import paying
from workers.settling import settle_chunk

HOLDS_LEFT = "SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries WHERE account = 'shopper_hold'"
DUE = """
  SELECT (SELECT count(*) FROM settlements WHERE status = 'pending' AND next_attempt_at <= clock_timestamp())
    + (SELECT count(*) FROM refunds r WHERE status = 'pending' AND next_attempt_at <= clock_timestamp() AND NOT EXISTS (
        SELECT FROM refunds waiting WHERE waiting.order_id = r.order_id AND NOT waiting.is_made
          AND (waiting.status = 'dead' OR waiting.next_attempt_at > clock_timestamp())))"""
"""A refund is not due before the one in front of it."""
ROUNDS_MAX = 20


@dataclass(frozen=True, slots=True)
class PayingShop(MoneyShop):
    """The gateway is asked, not played: what it says of a payment is what was done."""

    runtime: Runtime

    async def authorise(self, bought: Purchase, method: str | None = None) -> GatewayPayment:
        """The gateway is asked for the money, and nobody is told what it said."""
        row = await self.row("SELECT hold_minor, currency FROM payments WHERE order_id = :id", id=bought.order_id)
        request = PaymentRequest(
            order_id=bought.order_id,
            shopper_id=bought.shopper_id,
            amount_minor=row["hold_minor"],
            currency=row["currency"],
            method=method,
        )
        return await self.runtime.gateways.get(CARD.gateway).authorise(request)

    async def pay(self, bought: Purchase, method: str | None = None) -> Purchase:
        """The gateway holds the money (or takes it), and the place counts."""
        payment = await self.authorise(bought, method)
        await self.tell(ConfirmPayment(**bought.names, reference=payment.reference))
        return bought

    async def at_gateway(self, bought: Purchase) -> GatewayPayment:
        """How the payment stands at the gateway."""
        found = await self.runtime.gateways.get(CARD.gateway).look_up(bought.order_id, None)
        assert found is not None
        return found

    async def row(self, query: str, **parameters: object) -> dict[str, Any]:
        """The one row a query answers."""
        async with self.engine.connect() as connection:
            return dict((await connection.execute(text(query), parameters)).mappings().one())

    async def settlement(self, bought: Purchase) -> dict[str, Any]:
        """The row of what is to become of a payment."""
        return await self.row("SELECT * FROM settlements WHERE order_id = :id", id=bought.order_id)

    async def payment_status(self, bought: Purchase) -> str:
        """Where our books have the payment."""
        found = await self.row("SELECT status FROM payments WHERE order_id = :id", id=bought.order_id)
        return str(found["status"])

    async def stock_left(self, deal_id: UUID) -> int:
        return await number(self.engine, "SELECT sum(stock_left) FROM variants WHERE deal_id = :id", id=deal_id)

    async def books_are_closed(self) -> None:
        """Nothing is held for anybody any more, by our books."""
        assert await number(self.engine, HOLDS_LEFT) == 0

    async def let_leases_pass(self) -> None:
        """What waits for its next attempt is due now; what somebody writes at this moment does not wait."""
        for table in ("settlements", "refunds"):
            waiting = f"SELECT ctid FROM {table} WHERE status = 'pending' FOR UPDATE SKIP LOCKED"
            await self.make(
                f"UPDATE {table} SET next_attempt_at = clock_timestamp() - interval '1 ms'"
                f" WHERE ctid = ANY(ARRAY({waiting}))"
            )

    async def let_time_pass_since_decision(self, passed: timedelta) -> None:
        """The decisions were made so much earlier."""
        await self.make("UPDATE settlements SET created_at = created_at - CAST(:passed AS interval)", passed=passed)


async def carry_out(context: Context) -> None:
    """Settle closed groups, and carry out what is due until nothing is."""
    while await settle_chunk(context.by_key):
        pass
    for _ in range(ROUNDS_MAX):
        if not await number(context.by_key, DUE):
            return
        async with paying(context) as step:
            while await step() == 0:
                pass
    message = f"still something due after {ROUNDS_MAX} rounds"
    raise AssertionError(message)
