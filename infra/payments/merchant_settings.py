"""What holds for single merchants instead of the settings, as an operator sets it."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.tables_money import merchant_payments

_columns = merchant_payments.c


class MerchantSetting(NamedTuple):
    """A merchant's own gateway and fee; None where the settings hold."""

    merchant_id: UUID
    gateway: str | None
    fee_bps: int | None


async def merchant_settings(engine: AsyncEngine) -> Sequence[MerchantSetting]:
    """Every merchant for whom something else holds than the settings."""
    async with engine.connect() as connection:
        rows = await connection.execute(select(merchant_payments).order_by(_columns.merchant_id))
        return [MerchantSetting(*row) for row in rows]


async def set_merchant(
    engine: AsyncEngine, merchant_id: UUID, gateway: str | None, fee_bps: int | None
) -> MerchantSetting:
    """Let this hold for a merchant; what is None stays as it was."""
    new = insert(merchant_payments).values(merchant_id=merchant_id, gateway=gateway, fee_bps=fee_bps)
    changed = new.on_conflict_do_update(
        index_elements=[_columns.merchant_id],
        set_={
            "gateway": func.coalesce(new.excluded.gateway, _columns.gateway),
            "fee_bps": func.coalesce(new.excluded.fee_bps, _columns.fee_bps),
        },
    ).returning(merchant_payments)
    async with engine.begin() as connection:
        return MerchantSetting(*(await connection.execute(changed)).one())


async def unset_merchant(engine: AsyncEngine, merchant_id: UUID) -> bool:
    """Let the settings hold for a merchant; answers whether something else did."""
    async with engine.begin() as connection:
        gone = await connection.execute(delete(merchant_payments).where(_columns.merchant_id == merchant_id))
        return bool(gone.rowcount)
