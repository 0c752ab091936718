"""What a merchant writes: the shapes of deals and price schedules as they come in.

The shapes hold types only; the domain has the rules, so that an answer names every wrong field at once. Bounds beside a
field are there for the readers of the contract.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.groupbuy.deal import (
    DESCRIPTION_CHARACTERS_MAX,
    GROUP_LIFETIME_S_MAX,
    QUANTITY_MAX,
    STOCK_MAX,
    TITLE_CHARACTERS_MAX,
    VARIANT_TITLE_CHARACTERS_MAX,
    VARIANTS_MAX,
    Grouping,
)
from domain.groupbuy.text import URL_CHARACTERS_MAX
from domain.pricing.schedule import PARTICIPANTS_MAX, PRICE_MINOR_MAX, TIERS_MAX
from domain.pricing.shares import RewardKind


def _bounds(low: int, high: int) -> Meta:
    return Meta(extra_json_schema={"minimum": low, "maximum": high})


def _length(low: int, high: int, kind: Literal["Length", "Items"] = "Length") -> Meta:
    return Meta(extra_json_schema={f"min{kind}": low, f"max{kind}": high})


Price = Annotated[int, _bounds(1, PRICE_MINOR_MAX), Meta(description="Minor units of the currency.")]
Title = Annotated[str, _length(1, TITLE_CHARACTERS_MAX)]
Description = Annotated[str, _length(0, DESCRIPTION_CHARACTERS_MAX)]
ImageUrl = Annotated[str, _length(1, URL_CHARACTERS_MAX), Meta(description="An http(s) address.")]
Currency = Annotated[
    str, Meta(description="ISO 4217, in capitals.", extra_json_schema={"minLength": 3, "maxLength": 3})
]
Stock = Annotated[int, _bounds(0, STOCK_MAX)]
GroupSize = Annotated[int, _bounds(2, PARTICIPANTS_MAX)]
Lifetime = Annotated[int, _bounds(1, GROUP_LIFETIME_S_MAX)]
Units = Annotated[int, _bounds(1, QUANTITY_MAX)]


class TierBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """From `participants` on, everybody pays `unit_price`."""

    participants: Annotated[int, _bounds(1, PARTICIPANTS_MAX)]
    unit_price: Price


class VariantBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A size, colour or kind, with its own stock."""

    title: Annotated[str, _length(1, VARIANT_TITLE_CHARACTERS_MAX)]
    stock: Stock
    image_url: ImageUrl | None = None


Tiers = Annotated[list[TierBody], _length(1, TIERS_MAX, "Items")]
Variants = Annotated[list[VariantBody], _length(1, VARIANTS_MAX, "Items")]


class RewardBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the leader of a group that succeeds gets, out of the merchant's share.

    `fixed`: `amount` minor units; `share`: `amount` basis points of what the group pays; `free_unit`: a unit's price.
    """

    kind: RewardKind
    amount: Annotated[int, _bounds(0, PRICE_MINOR_MAX)] = 0


class CreateDealBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A draft deal; `stock` alone stands for one variant.

    A group runs 24 hours where `group_lifetime_s` is left out; a crowd's group then runs as long as the deal's window.
    Shoppers of a deal that `needs_shipping` say where to; of another, a paid order is delivered at once.
    Where not `guests_may_buy` shoppers sign in first: `units_per_shopper_max` then binds people who are known.
    """

    title: Title
    currency: Currency
    solo_price: Price
    tiers: Tiers
    group_size_max: GroupSize
    description: Description = ""
    image_url: ImageUrl | None = None
    variants: Variants | None = None
    stock: Stock | None = None
    grouping: Grouping = Grouping.TEAM
    group_lifetime_s: Lifetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    units_per_shopper_max: Units | None = None
    needs_shipping: bool = False
    guests_may_buy: bool = True
    reward: RewardBody | None = None


class EditDealBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is to change; fields left out stay as they are, null empties a field that may be empty."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    image_url: ImageUrl | UnsetType | None = UNSET
    currency: Currency | UnsetType = UNSET
    solo_price: Price | UnsetType = UNSET
    tiers: Tiers | UnsetType = UNSET
    variants: Variants | UnsetType = UNSET
    stock: Stock | UnsetType = UNSET
    grouping: Grouping | UnsetType = UNSET
    group_size_max: GroupSize | UnsetType = UNSET
    group_lifetime_s: Lifetime | UnsetType = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    units_per_shopper_max: Units | UnsetType | None = UNSET
    needs_shipping: bool | UnsetType = UNSET
    guests_may_buy: bool | UnsetType = UNSET
    reward: RewardBody | UnsetType | None = UNSET


class PreviewBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A price schedule as an editor holds it; totals are for participants who take `quantity` units each."""

    currency: Currency
    solo_price: Price
    tiers: Tiers
    group_size_max: GroupSize
    quantity: Units = 1
