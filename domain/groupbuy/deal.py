"""Deals: a merchant's offer of one product, and what is frozen of it into each group."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import FieldProblems
from domain.groupbuy.payment import PaymentTerms
from domain.groupbuy.text import check_image_url, check_line, check_text
from domain.pricing.currency import is_currency
from domain.pricing.schedule import PARTICIPANTS_MAX, PriceSchedule
from domain.pricing.shares import Reward

TITLE_CHARACTERS_MAX = 200
DESCRIPTION_CHARACTERS_MAX = 5_000
VARIANT_TITLE_CHARACTERS_MAX = 100
VARIANTS_MAX = 50
STOCK_MAX = 1_000_000_000
GROUP_LIFETIME_S_MAX = 30 * 24 * 3600
WINDOW_YEARS = range(2000, 3000)
"""Years a window may lie in: far enough from the ends of the calendar that no deadline counted from it falls off."""
GROUP_LIFETIME_S_DEFAULT = 24 * 3600
QUANTITY_MAX = 1_000
"""The most units one participant may take in one group, whatever the deal says."""


class Grouping(StrEnum):
    """`team`: many groups, each opened by a leader; `crowd`: one group for the whole deal."""

    TEAM = "team"
    CROWD = "crowd"


class DealStatus(StrEnum):
    """What a deal is at a moment; `scheduled` and `ended` can come by time alone."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"


class Lifecycle(StrEnum):
    """What its merchant has made of a deal, whatever the time."""

    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a group runs on: frozen into it at opening, out of reach of edits. Without `payment` nobody pays here."""

    currency: str
    schedule: PriceSchedule
    grouping: Grouping
    group_size_max: int
    units_per_shopper_max: int | None
    payment: PaymentTerms | None = None
    reward: Reward | None = None
    needs_shipping: bool = False
    guests_may_buy: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Everything a merchant says in a deal; one that breaks a rule cannot be built (`InvalidInput`, fields named)."""

    title: str
    description: str
    image_url: str | None
    currency: str
    schedule: PriceSchedule
    grouping: Grouping
    group_size_max: int
    group_lifetime_s: int
    starts_at: datetime | None
    ends_at: datetime | None
    units_per_shopper_max: int | None
    needs_shipping: bool = False
    guests_may_buy: bool = True
    reward: Reward | None = None

    def __post_init__(self) -> None:
        problems = FieldProblems()
        check_line(problems, "title", self.title, 1, TITLE_CHARACTERS_MAX)
        check_text(problems, "description", self.description, 0, DESCRIPTION_CHARACTERS_MAX)
        check_image_url(problems, "image_url", self.image_url)
        problems.require(is_currency(self.currency), "currency", "must be an ISO 4217 code such as USD")
        _check_group_rules(problems, self)
        _check_window(problems, self)
        problems.require(
            self.reward is None or self.grouping is Grouping.TEAM,
            "reward",
            "must be left out of a crowd: it has no leader",
        )
        problems.raise_if_any()

    def terms_with(self, payment: PaymentTerms | None) -> Terms:
        """What a group runs on that takes money so."""
        return Terms(
            currency=self.currency,
            schedule=self.schedule,
            grouping=self.grouping,
            group_size_max=self.group_size_max,
            units_per_shopper_max=self.units_per_shopper_max,
            payment=payment,
            reward=self.reward,
            needs_shipping=self.needs_shipping,
            guests_may_buy=self.guests_may_buy,
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """What of the product is taken (size, colour); `stock` is all there ever was of it, in units."""

    id: UUID
    title: str
    image_url: str | None
    stock: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An offer and its life; what is left of each variant's stock is kept beside it, as it changes with every join."""

    id: UUID
    merchant_id: UUID
    offer: Offer
    variants: tuple[Variant, ...]
    lifecycle: Lifecycle
    version: int
    created_at: datetime
    crowd_group_id: UUID | None = None
    payment: PaymentTerms | None = None

    @property
    def terms(self) -> Terms:
        """What a group opened now would run on."""
        return self.offer.terms_with(self.payment)

    def status_at(self, now: datetime) -> DealStatus:
        """What the deal is at a moment: its merchant's will, and the window."""
        if self.lifecycle is Lifecycle.DRAFT:
            return DealStatus.DRAFT
        if self.lifecycle is Lifecycle.ENDED or (self.offer.ends_at is not None and now >= self.offer.ends_at):
            return DealStatus.ENDED
        if self.lifecycle is Lifecycle.PAUSED:
            return DealStatus.PAUSED
        if self.offer.starts_at is not None and now < self.offer.starts_at:
            return DealStatus.SCHEDULED
        return DealStatus.LIVE

    @property
    def last_opening_at(self) -> datetime | None:
        """The last moment at which a team can open and still run its whole lifetime; None where the deal has no end."""
        if self.offer.ends_at is None:
            return None
        return self.offer.ends_at - timedelta(seconds=self.offer.group_lifetime_s)

    def group_deadline(self, opened_at: datetime) -> datetime | None:
        """When a group opened now would close; None where the deal ends before a team's whole lifetime has passed.

        A crowd has only one group, so it is cut to the window instead of refused.
        """
        deadline = opened_at + timedelta(seconds=self.offer.group_lifetime_s)
        ends_at = self.offer.ends_at
        if ends_at is None or deadline <= ends_at:
            return deadline
        return ends_at if self.offer.grouping is Grouping.CROWD else None


def check_variants(variants: tuple[Variant, ...]) -> None:
    """Raise `InvalidInput` unless these can be the variants of a deal."""
    problems = FieldProblems()
    problems.require(1 <= len(variants) <= VARIANTS_MAX, "variants", f"must have from 1 to {VARIANTS_MAX} variants")
    titles: set[str] = set()
    for number, variant in enumerate(variants):
        where = f"variants[{number}]"
        check_line(problems, f"{where}.title", variant.title, 1, VARIANT_TITLE_CHARACTERS_MAX)
        check_image_url(problems, f"{where}.image_url", variant.image_url)
        problems.require(0 <= variant.stock <= STOCK_MAX, f"{where}.stock", f"must be from 0 to {STOCK_MAX} units")
        problems.require(variant.title not in titles, f"{where}.title", "must differ from the other variants' titles")
        titles.add(variant.title)
    problems.raise_if_any()


def _check_group_rules(problems: FieldProblems, offer: Offer) -> None:
    last_tier = offer.schedule.tiers[-1].participants
    size_max, units_max = offer.group_size_max, offer.units_per_shopper_max
    if problems.require(
        2 <= size_max <= PARTICIPANTS_MAX, "group_size_max", f"must be from 2 to {PARTICIPANTS_MAX} participants"
    ):
        problems.require(
            last_tier <= size_max, "group_size_max", f"must reach the last tier, at {last_tier} participants"
        )
    problems.require(
        1 <= offer.group_lifetime_s <= GROUP_LIFETIME_S_MAX,
        "group_lifetime_s",
        f"must be from 1 to {GROUP_LIFETIME_S_MAX} seconds (30 days)",
    )
    problems.require(
        units_max is None or 1 <= units_max <= QUANTITY_MAX,
        "units_per_shopper_max",
        f"must be from 1 to {QUANTITY_MAX} units",
    )


def _check_window(problems: FieldProblems, offer: Offer) -> None:
    for field, moment in (("starts_at", offer.starts_at), ("ends_at", offer.ends_at)):
        if moment is not None and not _check_moment(problems, field, moment):
            return
    if offer.starts_at is None or offer.ends_at is None:
        return
    if not problems.require(offer.starts_at < offer.ends_at, "ends_at", "must be after starts_at"):
        return
    window_s = (offer.ends_at - offer.starts_at).total_seconds()
    problems.require(
        offer.group_lifetime_s <= window_s,
        "group_lifetime_s",
        f"must fit the deal's window of {window_s:.0f} seconds, as no group outlives its deal",
    )


def _check_moment(problems: FieldProblems, field: str, moment: datetime) -> bool:
    return problems.require(moment.tzinfo is not None, field, "must have a time zone") and problems.require(
        moment.year in WINDOW_YEARS, field, f"must be from the year {WINDOW_YEARS[0]} to {WINDOW_YEARS[-1]}"
    )


def require_publishable(deal: Deal, now: datetime) -> None:
    """Raise `InvalidInput` where publishing now could never let a group open."""
    ends_at = deal.offer.ends_at
    if ends_at is None:
        return
    problems = FieldProblems()
    if problems.require(now < ends_at, "ends_at", "must be in the future"):
        opens_at = max(now, deal.offer.starts_at or now)
        problems.require(
            deal.group_deadline(opens_at) is not None,
            "group_lifetime_s",
            "must fit what is left of the deal's window, or no group could ever be opened",
        )
    problems.raise_if_any()


def require_holdable(deal: Deal, hold_lifetime_s_max: int | None) -> None:
    """Raise `InvalidInput` where a group would outlive what the merchant's gateway can hold; None is no bound."""
    problems = FieldProblems()
    problems.require(
        hold_lifetime_s_max is None or _longest_group_s(deal) <= hold_lifetime_s_max,
        "group_lifetime_s",
        f"must be at most {hold_lifetime_s_max} seconds: the payment gateway cannot hold shoppers' money for longer",
    )
    problems.raise_if_any()


def _longest_group_s(deal: Deal) -> float:
    offer = deal.offer
    if offer.grouping is Grouping.CROWD and offer.starts_at is not None and offer.ends_at is not None:
        return min(offer.group_lifetime_s, (offer.ends_at - offer.starts_at).total_seconds())
    return offer.group_lifetime_s
