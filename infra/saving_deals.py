"""Saving deals and their variants: rare beside joins, so only where a batch has any."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, func, insert, update
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.groupbuy.deal import Deal
from domain.groupbuy.world import World
from infra.changes import Changes
from infra.rows import tier_rows
from infra.tables import deals, variants

_UPDATE = update(deals).where(deals.c.id == bindparam("changed_id"))
_CLEAR_VARIANTS = delete(variants).where(variants.c.deal_id == func.any(bindparam("deal_ids", type_=ARRAY(UUID))))


async def save_deals(connection: AsyncConnection, world: World, changes: Changes) -> None:
    """Write new and changed deals with their variants, inside the caller's transaction."""
    created = [world.deals[deal_id] for deal_id in changes.created_deals]
    changed = [world.deals[deal_id] for deal_id in changes.changed_deals - changes.created_deals]
    reworked = [deal for deal in changed if deal.id in changes.reworked_variants]
    if created:
        await connection.execute(insert(deals), [_deal_values(deal) for deal in created])
    if changed:
        await connection.execute(_UPDATE, [_deal_values(deal) | {"changed_id": deal.id} for deal in changed])
    if reworked:
        await connection.execute(_CLEAR_VARIANTS, {"deal_ids": [deal.id for deal in reworked]})
    if created or reworked:
        rows = [row for deal in (*created, *reworked) for row in _variant_rows(deal, world)]
        await connection.execute(insert(variants), rows)


def _variant_rows(deal: Deal, world: World) -> Iterator[dict[str, Any]]:
    for position, variant in enumerate(deal.variants):
        yield {
            "deal_id": deal.id,
            "id": variant.id,
            "position": position,
            "title": variant.title,
            "image_url": variant.image_url,
            "stock": variant.stock,
            "stock_left": world.stock_left[deal.id][variant.id],
        }


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
