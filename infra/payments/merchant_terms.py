"""How a merchant's deals take money: the settings, or what was said of this merchant."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.payment import PaymentTerms
from infra.payments.gateways import NONE, Gateways
from infra.settings import Settings
from infra.tables_money import merchant_payments

SETTLED_WITHIN_S = 3_600
"""A hold must outlive its group by so much, for the captures after closing and their repeats."""


@dataclass(frozen=True, slots=True)
class TakingMoney:
    """The terms to publish a deal with (None: no money is taken), and how long its groups may run with them."""

    payment: PaymentTerms | None
    hold_lifetime_s_max: int | None


async def taking_money(engine: AsyncEngine, settings: Settings, gateways: Gateways, merchant_id: UUID) -> TakingMoney:
    """How this merchant's deals take money from now on; raises `GatewayUnavailable` for one that is not set up."""
    ours = merchant_payments.c
    async with engine.connect() as connection:
        found = await connection.execute(select(ours.gateway, ours.fee_bps).where(ours.merchant_id == merchant_id))
        gateway_name, fee_bps = found.one_or_none() or (None, None)
    name = gateway_name or settings.payment_gateway
    if name == NONE:
        return TakingMoney(None, None)
    terms = PaymentTerms(name, settings.platform_fee_bps if fee_bps is None else fee_bps)
    return TakingMoney(terms, gateways.ready(name).hold_lifetime_s - SETTLED_WITHIN_S)


def default_terms(settings: Settings) -> PaymentTerms | None:
    """How deals take money where nothing was said of their merchant."""
    if settings.payment_gateway == NONE:
        return None
    return PaymentTerms(settings.payment_gateway, settings.platform_fee_bps)
