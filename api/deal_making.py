"""Making what the domain knows of what a merchant wrote; everything that is wrong is said at once."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from api.deal_bodies import CreateDealBody, EditDealBody, PreviewBody, RewardBody, TierBody, VariantBody
from api.requests import invalid
from domain.errors import FieldProblem, InvalidInput
from domain.groupbuy.commands import CreateDeal, EditDeal
from domain.groupbuy.deal import (
    GROUP_LIFETIME_S_DEFAULT,
    GROUP_LIFETIME_S_MAX,
    QUANTITY_MAX,
    VARIANT_TITLE_CHARACTERS_MAX,
    WINDOW_YEARS,
    Grouping,
    Offer,
    Variant,
    check_variants,
)
from domain.pricing.schedule import PriceSchedule, Tier
from domain.pricing.shares import Reward
from infra.ids import new_id
from infra.reading.deals import DealView

FIELDS_AS_THEY_ARE: Final = (
    "title",
    "description",
    "image_url",
    "currency",
    "grouping",
    "group_size_max",
    "group_lifetime_s",
    "units_per_shopper_max",
    "needs_shipping",
    "guests_may_buy",
)

_STAND_IN: Final = PriceSchedule(2, (Tier(1, 1),))

Made = TypeVar("Made")
Instead = TypeVar("Instead")


def deal_created(deal_id: UUID, merchant_id: UUID, body: CreateDealBody, now: datetime) -> CreateDeal:
    """The command that writes a draft; raises `InvalidInput` with every wrong field."""
    parts = _Parts()
    schedule = parts.make(lambda: _schedule(body.solo_price, body.tiers), _STAND_IN)
    starts_at, ends_at = _utc(body.starts_at), _utc(body.ends_at)
    variants = parts.make(lambda: _variants(body, body.title), ())
    reward = parts.make(lambda: _reward(body.reward), None)
    offer = parts.make(
        lambda: Offer(
            title=body.title,
            description=body.description,
            image_url=body.image_url,
            currency=body.currency,
            schedule=schedule,
            grouping=body.grouping,
            group_size_max=body.group_size_max,
            group_lifetime_s=_lifetime_s(body, starts_at, ends_at, now),
            starts_at=starts_at,
            ends_at=ends_at,
            units_per_shopper_max=body.units_per_shopper_max,
            needs_shipping=body.needs_shipping,
            guests_may_buy=body.guests_may_buy,
            reward=reward,
        ),
        None,
    )
    parts.require_whole()
    assert offer is not None
    return CreateDeal(deal_id=deal_id, merchant_id=merchant_id, offer=offer, variants=variants)


def deal_edited(deal: DealView, body: EditDealBody) -> EditDeal:
    """The command that changes what `body` names of a deal; raises `InvalidInput` with every wrong field."""
    parts = _Parts()
    given = {name: getattr(body, name) for name in FIELDS_AS_THEY_ARE}
    changes: dict[str, object] = {name: value for name, value in given.items() if value is not UNSET}
    if body.solo_price is not UNSET or body.tiers is not UNSET:
        solo_price = deal.solo_price if body.solo_price is UNSET else body.solo_price
        tiers = deal.tiers if body.tiers is UNSET else body.tiers
        schedule = parts.make(lambda: _schedule(solo_price, tiers), _STAND_IN)
        # only what was named is changed: the other half may have another value by the time it is decided
        if body.solo_price is not UNSET:
            changes["solo_price"] = schedule.solo_price
        if body.tiers is not UNSET:
            changes["tiers"] = schedule.tiers
    for name, moment in (("starts_at", body.starts_at), ("ends_at", body.ends_at)):
        if not isinstance(moment, UnsetType):
            changes[name] = _utc(moment)
    if not isinstance(reward := body.reward, UnsetType):
        changes["reward"] = parts.make(lambda: _reward(reward), None)
    variants = None
    if body.variants is not UNSET or body.stock is not UNSET:
        title = deal.title if body.title is UNSET else body.title
        variants = _keeping_ids(parts.make(lambda: _variants(body, title), ()), deal)
    parts.require_whole()
    return EditDeal(deal_id=deal.id, merchant_id=deal.merchant_id, changes=changes, variants=variants)


def schedule_previewed(body: PreviewBody) -> PriceSchedule:
    """The schedule, checked as in a deal; raises `InvalidInput` with every wrong field."""
    parts = _Parts()
    schedule = parts.make(lambda: _schedule(body.solo_price, body.tiers), _STAND_IN)
    parts.make(
        lambda: Offer(
            title="preview",
            description="",
            image_url=None,
            currency=body.currency,
            schedule=schedule,
            grouping=Grouping.TEAM,
            group_size_max=body.group_size_max,
            group_lifetime_s=GROUP_LIFETIME_S_DEFAULT,
            starts_at=None,
            ends_at=None,
            units_per_shopper_max=None,
        ),
        None,
    )
    parts.make(lambda: _check_quantity(body.quantity), None)
    parts.require_whole()
    return schedule


class _Parts:
    """Makes the parts of a thing, and raises everything that was wrong with them together."""

    def __init__(self) -> None:
        self._problems: dict[FieldProblem, None] = {}

    def make(self, make: Callable[[], Made], instead: Instead) -> Made | Instead:
        try:
            return make()
        except InvalidInput as error:
            self._problems |= dict.fromkeys(error.problems)
            return instead

    def require_whole(self) -> None:
        if self._problems:
            raise InvalidInput(self._problems)


def _schedule(solo_price: int, tiers: Sequence[TierBody | Tier]) -> PriceSchedule:
    return PriceSchedule(solo_price, tuple(Tier(tier.participants, tier.unit_price) for tier in tiers))


def _reward(body: RewardBody | None) -> Reward | None:
    return None if body is None else Reward(body.kind, body.amount)


def _check_quantity(quantity: int) -> None:
    if not 1 <= quantity <= QUANTITY_MAX:
        raise invalid("quantity", f"must be from 1 to {QUANTITY_MAX} units")


def _utc(moment: datetime | None) -> datetime | None:
    """A moment in UTC; one that the domain refuses, or that is near the ends of the calendar, stays as it is."""
    if moment is None or moment.tzinfo is None or moment.year not in WINDOW_YEARS:
        return moment
    return moment.astimezone(UTC)


def _lifetime_s(body: CreateDealBody, starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> int:
    """A crowd's one group runs as long as its deal, where nothing else is said."""
    if body.group_lifetime_s is not None:
        return body.group_lifetime_s
    begins_at = starts_at or now
    if body.grouping is Grouping.CROWD and ends_at and ends_at.tzinfo and begins_at.tzinfo:
        window_s = int((ends_at - begins_at).total_seconds())
        if window_s >= 1:
            return min(window_s, GROUP_LIFETIME_S_MAX)
    return GROUP_LIFETIME_S_DEFAULT


def _variants(body: CreateDealBody | EditDealBody, deal_title: str) -> tuple[Variant, ...]:
    """The variants written, or the one that `stock` stands for."""
    written, stock = body.variants, body.stock
    if isinstance(stock, int):
        if isinstance(written, list):
            raise invalid("stock", "must be left out where variants are given: each variant has its own")
        written = [VariantBody(title=deal_title.strip()[:VARIANT_TITLE_CHARACTERS_MAX], stock=stock)]
    if not isinstance(written, list):
        raise invalid("stock", "is required where no variants are given")
    variants = tuple(Variant(new_id(), variant.title, variant.image_url, variant.stock) for variant in written)
    try:
        check_variants(variants)
    except InvalidInput as error:
        raise _as_written(error, has_stock=isinstance(stock, int)) from error
    return variants


def _as_written(error: InvalidInput, *, has_stock: bool) -> InvalidInput:
    """Problems of the variant that `stock` stood for, as its writer named it; its title is judged as the deal's."""
    if not has_stock:
        return error
    return InvalidInput(
        FieldProblem("stock", found.message) for found in error.problems if found.field == "variants[0].stock"
    )


def _keeping_ids(variants: tuple[Variant, ...], deal: DealView) -> tuple[Variant, ...]:
    """A variant that keeps its title keeps its id."""
    known = {variant.title: variant.id for variant in deal.variants}
    return tuple(
        Variant(known.get(variant.title, variant.id), variant.title, variant.image_url, variant.stock)
        for variant in variants
    )
