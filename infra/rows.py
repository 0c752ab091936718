"""Rows as PostgreSQL tells them in JSON, and the domain's things they stand for."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec

from domain.groupbuy.deal import Deal, Grouping, Lifecycle, Offer, Terms, Variant
from domain.groupbuy.group import ClosedBy, Group, GroupStatus, Place
from domain.groupbuy.payment import PaymentTerms
from domain.pricing.schedule import PriceSchedule, Tier
from domain.pricing.shares import Reward

TERMS_REMEMBERED_MAX = 4_096


class TermsRow(msgspec.Struct, frozen=True):
    """The `terms` column of a group."""

    currency: str
    solo_price: int
    tiers: tuple[Tier, ...]
    grouping: Grouping
    group_size_max: int
    units_per_shopper_max: int | None
    payment: PaymentTerms | None = None
    reward: Reward | None = None
    needs_shipping: bool = False
    guests_may_buy: bool = True


class DealRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `deals` with its variants in order."""

    id: UUID
    merchant_id: UUID
    title: str
    description: str
    image_url: str | None
    currency: str
    solo_price: int
    tiers: tuple[Tier, ...]
    grouping: Grouping
    group_size_max: int
    group_lifetime_s: int
    starts_at: datetime | None
    ends_at: datetime | None
    units_per_shopper_max: int | None
    lifecycle: Lifecycle
    crowd_group_id: UUID | None
    version: int
    created_at: datetime
    needs_shipping: bool
    guests_may_buy: bool
    reward: Reward | None
    payment: PaymentTerms | None
    variants: tuple[Variant, ...]


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `groups`; `terms` stays raw until it is asked for, as few of them differ."""

    id: UUID
    deal_id: UUID
    leader_id: UUID | None
    terms: msgspec.Raw
    status: GroupStatus
    participants: int
    units_by_variant: dict[UUID, int]
    version: int
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    closed_by: ClosedBy | None
    awaiting: int
    settled: int
    captured_minor: int
    refunded_minor: int
    leader_is_in: bool


class PlaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `participants`."""

    deal_id: UUID
    group_id: UUID
    shopper_id: UUID
    variant_id: UUID
    quantity: int
    hold_minor: int
    number: int
    joined_at: datetime
    invite_code: str | None
    display_name: str | None
    order_id: UUID
    dropped_at: datetime | None


def deal_from(row: DealRow) -> Deal:
    """The deal a row stands for."""
    return Deal(
        id=row.id,
        merchant_id=row.merchant_id,
        offer=Offer(
            title=row.title,
            description=row.description,
            image_url=row.image_url,
            currency=row.currency,
            schedule=PriceSchedule(row.solo_price, row.tiers),
            grouping=row.grouping,
            group_size_max=row.group_size_max,
            group_lifetime_s=row.group_lifetime_s,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            units_per_shopper_max=row.units_per_shopper_max,
            needs_shipping=row.needs_shipping,
            guests_may_buy=row.guests_may_buy,
            reward=row.reward,
        ),
        variants=row.variants,
        lifecycle=row.lifecycle,
        version=row.version,
        created_at=row.created_at,
        crowd_group_id=row.crowd_group_id,
        payment=row.payment,
    )


def group_from(row: GroupRow) -> Group:
    """The group a row stands for."""
    return Group(
        id=row.id,
        deal_id=row.deal_id,
        leader_id=row.leader_id,
        terms=terms_from(bytes(row.terms)),
        status=row.status,
        participants=row.participants,
        units_by_variant=row.units_by_variant,
        version=row.version,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        awaiting=row.awaiting,
        settled=row.settled,
        captured_minor=row.captured_minor,
        refunded_minor=row.refunded_minor,
        leader_is_in=row.leader_is_in,
    )


def place_from(row: PlaceRow) -> Place:
    """The place a row stands for."""
    return Place(
        group_id=row.group_id,
        shopper_id=row.shopper_id,
        variant_id=row.variant_id,
        quantity=row.quantity,
        hold_minor=row.hold_minor,
        number=row.number,
        joined_at=row.joined_at,
        order_id=row.order_id,
        invite_code=row.invite_code,
        display_name=row.display_name,
        dropped_at=row.dropped_at,
    )


@lru_cache(maxsize=TERMS_REMEMBERED_MAX)
def terms_from(column: bytes) -> Terms:
    """The frozen terms in a JSON column; many groups share the same."""
    row = msgspec.json.decode(column, type=TermsRow)
    return Terms(
        currency=row.currency,
        schedule=PriceSchedule(row.solo_price, row.tiers),
        grouping=row.grouping,
        group_size_max=row.group_size_max,
        units_per_shopper_max=row.units_per_shopper_max,
        payment=row.payment,
        reward=row.reward,
        needs_shipping=row.needs_shipping,
        guests_may_buy=row.guests_may_buy,
    )


@lru_cache(maxsize=TERMS_REMEMBERED_MAX)
def terms_column(terms: Terms) -> bytes:
    """Terms as the JSON column holds them."""
    row = TermsRow(
        currency=terms.currency,
        solo_price=terms.schedule.solo_price,
        tiers=terms.schedule.tiers,
        grouping=terms.grouping,
        group_size_max=terms.group_size_max,
        units_per_shopper_max=terms.units_per_shopper_max,
        payment=terms.payment,
        reward=terms.reward,
        needs_shipping=terms.needs_shipping,
        guests_may_buy=terms.guests_may_buy,
    )
    return msgspec.json.encode(row)
