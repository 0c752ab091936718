"""How a merchant's deals take money: the settings, or what was said of this merchant."""

from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.payment import PaymentTerms
from infra.payments.gateways import NONE, Gateways
from infra.reading.fetching import fetch_json
from infra.settings import Settings

SETTLED_WITHIN_S = 3_600
"""A hold must outlive its group by so much, for the captures after closing and their repeats."""

_SAID_OF_MERCHANT = text("""
SELECT coalesce((
  SELECT row_to_json(said) FROM (
    SELECT gateway, fee_bps FROM merchant_payments WHERE merchant_id = :merchant_id) AS said), '{}')::text
""")


class _Said(msgspec.Struct, frozen=True):
    gateway: str | None = None
    fee_bps: int | None = None


_decode = msgspec.json.Decoder(_Said).decode


@dataclass(frozen=True, slots=True)
class TakingMoney:
    """The terms to publish a deal with (None: no money is taken), and how long its groups may run with them."""

    payment: PaymentTerms | None
    hold_lifetime_s_max: int | None


async def taking_money(engine: AsyncEngine, settings: Settings, gateways: Gateways, merchant_id: UUID) -> TakingMoney:
    """How this merchant's deals take money from now on.

    Raises `GatewayUnavailable` for a gateway that is not set up, and `Unavailable`.
    """
    said = _decode(await fetch_json(engine, _SAID_OF_MERCHANT, {"merchant_id": merchant_id}))
    name = said.gateway or settings.payment_gateway
    if name == NONE:
        return TakingMoney(None, None)
    terms = PaymentTerms(name, settings.platform_fee_bps if said.fee_bps is None else said.fee_bps)
    return TakingMoney(terms, gateways.ready(name).hold_lifetime_s - SETTLED_WITHIN_S)


def default_terms(settings: Settings) -> PaymentTerms | None:
    """How deals take money where nothing was said of their merchant."""
    if settings.payment_gateway == NONE:
        return None
    return PaymentTerms(settings.payment_gateway, settings.platform_fee_bps)
