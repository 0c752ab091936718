"""What a picture of a group shows: whatever is not in here is not drawn, so the same subject is the same picture."""

import hashlib
from typing import Final, Literal

import msgspec

from domain.groupbuy.group import GroupStatus
from domain.pricing.schedule import Tier
from infra.sharing.landing import Landing

DESIGN: Final = 1
"""Counts up with every change of how pictures look, so that kept ones give way."""

EXACT_UP_TO: Final = 5
_ROUND: Final = (5, 10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000)
"""What is told instead of a larger number: "more than 20"; a picture of each count would be seen by nobody."""

Kind = Literal["card", "poster"]


class Missing(msgspec.Struct, frozen=True, array_like=True):
    """How many are missing for something: `number`, or more than that."""

    number: int
    is_more: bool


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A group at a tier; prices are minor units of `currency`.

    `tiers_reached` says where it stands in `tiers`; `needed` are missing for the next of them, if any; `seats_left` is
    told only where few are left. `link` is what a QR code on the picture leads to.
    """

    kind: Kind
    language: str
    link: str
    title: str
    image_url: str | None
    currency: str
    status: str
    solo_price: int
    unit_price: int
    tiers: tuple[Tier, ...]
    tiers_reached: int
    needed: Missing | None
    seats_left: int | None
    group_size_max: int
    design: int = DESIGN

    @property
    def key(self) -> str:
        """The picture's part of its address: the language, and a hash of everything that is drawn."""
        return f"{self.language}-{hashlib.blake2b(_encode(self), digest_size=10).hexdigest()}"


_encode: Final = msgspec.json.Encoder().encode


def subject_of(kind: Kind, landing: Landing, language: str, link: str) -> Subject:
    """What the picture of a group shows to readers of a language."""
    deal, group = landing.deal, landing.group
    is_open = group.status == GroupStatus.OPEN
    return Subject(
        kind=kind,
        language=language,
        link=link,
        title=deal.title,
        image_url=deal.image_url,
        currency=group.currency,
        status=group.status,
        solo_price=group.solo_price,
        unit_price=group.unit_price,
        tiers=deal.tiers,
        tiers_reached=sum(tier.participants <= group.participants for tier in deal.tiers),
        needed=_missing(group.next_tier.participants_needed) if is_open and group.next_tier else None,
        seats_left=group.seats_left if is_open and group.seats_left <= EXACT_UP_TO else None,
        group_size_max=deal.group_size_max,
    )


def _missing(number: int) -> Missing:
    if number <= EXACT_UP_TO:
        return Missing(number, is_more=False)
    return Missing(max(step for step in _ROUND if step < number), is_more=True)
