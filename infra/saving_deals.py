"""Saving deals and their variants: rare beside joins, so only where a batch has any."""

from collections.abc import Iterator
from typing import Any

from domain.groupbuy.deal import Deal
from domain.groupbuy.world import World
from infra.changes import Changes
from infra.statement import Bound, Statement, json_text, uuids_text

_DEAL_TYPES = {
    "id": "uuid",
    "merchant_id": "uuid",
    "title": "text",
    "description": "text",
    "image_url": "text",
    "currency": "text",
    "solo_price": "bigint",
    "tiers": "jsonb",
    "grouping": "text",
    "group_size_max": "int",
    "group_lifetime_s": "int",
    "starts_at": "timestamptz",
    "ends_at": "timestamptz",
    "units_per_shopper_max": "int",
    "lifecycle": "text",
    "crowd_group_id": "uuid",
    "version": "int",
    "created_at": "timestamptz",
    "needs_shipping": "boolean",
    "guests_may_buy": "boolean",
    "reward": "jsonb",
    "payment": "jsonb",
}
_COLUMNS = ", ".join(_DEAL_TYPES)
_NEW_COLUMNS = ", ".join(f"new.{name}" for name in _DEAL_TYPES)
_NEW = "json_to_recordset(CAST(:rows AS json)) AS new (" + ", ".join(map(" ".join, _DEAL_TYPES.items())) + ")"

_INSERT = Statement(f"INSERT INTO deals ({_COLUMNS}) SELECT {_NEW_COLUMNS} FROM {_NEW}")  # noqa: S608 - constants
_UPDATE = Statement(f"UPDATE deals SET ({_COLUMNS}) = ROW ({_NEW_COLUMNS}) FROM {_NEW} WHERE deals.id = new.id")  # noqa: S608 - constants
_CLEAR_VARIANTS = Statement("DELETE FROM variants WHERE deal_id = ANY(CAST(:deal_ids AS uuid[]))")
_INSERT_VARIANTS = Statement("""
  INSERT INTO variants (deal_id, id, position, title, image_url, stock, stock_left)
  SELECT * FROM json_to_recordset(CAST(:rows AS json))
    AS new (deal_id uuid, id uuid, position int, title text, image_url text, stock bigint, stock_left bigint)""")


def saving_deals(world: World, changes: Changes) -> Iterator[Bound]:
    """What writes new and changed deals with their variants."""
    created = [world.deals[deal_id] for deal_id in changes.created_deals]
    changed = [world.deals[deal_id] for deal_id in changes.changed_deals - changes.created_deals]
    reworked = [deal for deal in changed if deal.id in changes.reworked_variants]
    if created:
        yield _INSERT.bound(rows=json_text([deal_values(deal) for deal in created]))
    if changed:
        yield _UPDATE.bound(rows=json_text([deal_values(deal) for deal in changed]))
    if reworked:
        yield _CLEAR_VARIANTS.bound(deal_ids=uuids_text(deal.id for deal in reworked))
    if created or reworked:
        rows = [row for deal in (*created, *reworked) for row in _variant_rows(deal, world)]
        yield _INSERT_VARIANTS.bound(rows=json_text(rows))


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


def deal_values(deal: Deal) -> dict[str, Any]:
    """A deal as its row."""
    offer = deal.offer
    return {
        "id": deal.id,
        "merchant_id": deal.merchant_id,
        "title": offer.title,
        "description": offer.description,
        "image_url": offer.image_url,
        "currency": offer.currency,
        "solo_price": offer.schedule.solo_price,
        "tiers": offer.schedule.tiers,
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
        "needs_shipping": offer.needs_shipping,
        "guests_may_buy": offer.guests_may_buy,
        "reward": offer.reward,
        "payment": deal.payment,
    }
