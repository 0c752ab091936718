"""What the tests of paying begin with, and how they see what became of it."""

from domain.groupbuy.commands import RefundOrder
from domain.pricing.steps import Strategy
from infra.ids import new_id
from infra.runtime import Runtime
from tests.money_shop import Purchase
from tests.workers.hostile_gateway import HostileGateway
from tests.workers.paying_shop import PayingShop, carry_out
from workers.duty import Context


def hostile(runtime: Runtime, strategy: Strategy = Strategy.HOLD_AND_CAPTURE) -> HostileGateway:
    """A gateway that does what a test wants, in the place of the sandbox."""
    made = HostileGateway(strategy)
    runtime.gateways.use(made)
    return made


async def succeeded(shop: PayingShop) -> list[Purchase]:
    """Three have paid, and their group succeeded at 1800 each."""
    bought = await shop.paid_group(await shop.live(), None, None, None)
    await shop.close(bought[0])
    return bought


async def carry_out_in_time(context: Context, shop: PayingShop) -> None:
    """What waits for another attempt gets a few."""
    for _ in range(4):
        await carry_out(context)
        await shop.let_leases_pass()


def kept(gateway: HostileGateway, bought: Purchase) -> int:
    payment = gateway.payments[bought.order_id]
    return payment.captured_minor - payment.refunded_minor


def refund(shop: PayingShop, bought: Purchase, amount_minor: int) -> RefundOrder:
    return RefundOrder(
        deal_id=bought.deal_id,
        group_id=bought.group_id,
        order_id=bought.order_id,
        merchant_id=shop.merchant_id,
        refund_id=new_id(),
        amount_minor=amount_minor,
        currency=None,
        reason="Scratched",
        is_return=False,
    )
