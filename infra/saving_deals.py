"""Saving deals: rare beside joins, so a statement a deal."""

from typing import Any

import msgspec
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.groupbuy.deal import Deal
from domain.groupbuy.world import World
from infra.changes import Changes
from infra.rows import tier_rows
from infra.tables import deals, variants


async def save_deals(connection: AsyncConnection, world: World, changes: Changes) -> None:
    """Write new and changed deals with their variants, inside the caller's transaction."""
    for deal_id in changes.created_deals:
        deal = world.deals[deal_id]
        await connection.execute(insert(deals).values(**_deal_values(deal)))
        await _insert_variants(connection, deal, world)
    for deal_id in changes.changed_deals - changes.created_deals:
        deal = world.deals[deal_id]
        await connection.execute(update(deals).where(deals.c.id == deal_id).values(**_deal_values(deal)))
        if deal_id in changes.reworked_variants:
            await connection.execute(delete(variants).where(variants.c.deal_id == deal_id))
            await _insert_variants(connection, deal, world)


async def _insert_variants(connection: AsyncConnection, deal: Deal, world: World) -> None:
    rows = [
        {
            "deal_id": deal.id,
            "id": variant.id,
            "position": position,
            "title": variant.title,
            "image_url": variant.image_url,
            "stock": variant.stock,
            "stock_left": world.stock_left[deal.id][variant.id],
        }
        for position, variant in enumerate(deal.variants)
    ]
    await connection.execute(insert(variants), rows)


def _deal_values(deal: Deal) -> dict[str, Any]:
    offer = deal.offer
    return {
        "id": deal.id,
        "merchant_id": deal.merchant_id,
        "title": offer.title,
        "description": offer.description,
        "image_url": offer.image_url,
        "currency": offer.currency,
        "solo_price": offer.schedule.solo_price,
        "tiers": msgspec.to_builtins(tier_rows(offer.schedule)),
        "grouping": offer.grouping.value,
        "group_size_max": offer.group_size_max,
        "group_lifetime_s": offer.group_lifetime_s,
        "starts_at": offer.starts_at,
        "ends_at": offer.ends_at,
        "units_per_shopper_max": offer.units_per_shopper_max,
        "lifecycle": deal.lifecycle.value,
        "crowd_group_id": deal.crowd_group_id,
        "version": deal.version,
        "created_at": deal.created_at,
    }
