"""A naive copy of the world: members in plain dicts, everything counted anew whenever it is asked."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.groupbuy.deal import Offer


@dataclass(slots=True)
class Member:
    """A shopper's place in a group."""

    variant_id: UUID
    quantity: int
    invite_code: str | None


@dataclass(slots=True)
class ModelGroup:
    """A group and everybody in it; `offer` is the deal's at the opening, which no edit reaches."""

    id: UUID
    deal_id: UUID
    leader_id: UUID | None
    offer: Offer
    opened_at: datetime
    expires_at: datetime
    members: dict[UUID, Member] = field(default_factory=dict)
    fate: str = "open"
    unit_price_before: int | None = None

    @property
    def tipped(self) -> bool:
        return len(self.members) >= self.offer.schedule.tiers[0].participants

    @property
    def full(self) -> bool:
        return len(self.members) >= self.offer.group_size_max

    @property
    def counts(self) -> bool:
        return self.fate in {"open", "succeeded"}

    def runs(self, now: datetime) -> bool:
        return self.fate == "open" and now < self.expires_at

    def unit_price(self) -> int:
        price = self.offer.schedule.tiers[0].unit_price
        for tier in self.offer.schedule.tiers:
            if len(self.members) >= tier.participants:
                price = tier.unit_price
        return price

    def units(self, variant_id: UUID) -> int:
        return sum(member.quantity for member in self.members.values() if member.variant_id == variant_id)


@dataclass(slots=True)
class ModelDeal:
    """A deal, its merchant's will (draft, published, paused, ended) and the stock it began with, by variant."""

    id: UUID
    merchant_id: UUID
    offer: Offer
    stock: dict[UUID, int]
    will: str = "draft"
    crowd_group_id: UUID | None = None

    def status(self, now: datetime) -> str:
        starts_at, ends_at = self.offer.starts_at, self.offer.ends_at
        if self.will == "draft":
            return "draft"
        if self.will == "ended" or (ends_at and not now < ends_at):
            return "ended"
        if self.will == "paused":
            return "paused"
        return "scheduled" if starts_at and now < starts_at else "live"


@dataclass(slots=True)
class ModelInvite:
    """A link into a group; `joins` counts those it brought and who did not leave again."""

    deal_id: UUID
    group_id: UUID
    sharer_id: UUID
    channel: str
    parent_code: str | None
    joins: int = 0
    is_revoked: bool = False


@dataclass(slots=True)
class Model:
    """All of it."""

    deals: dict[UUID, ModelDeal] = field(default_factory=dict)
    groups: dict[UUID, ModelGroup] = field(default_factory=dict)
    invites: dict[str, ModelInvite] = field(default_factory=dict)

    def counting_groups(self, deal_id: UUID) -> list[ModelGroup]:
        """Groups of a deal whose units are taken: open or succeeded."""
        return [group for group in self.groups.values() if group.deal_id == deal_id and group.counts]

    def sold(self, deal_id: UUID, variant_id: UUID) -> int:
        """Units of a variant that are taken."""
        return sum(group.units(variant_id) for group in self.counting_groups(deal_id))

    def units_held(self, deal_id: UUID, shopper_id: UUID) -> int:
        """Units of a deal that a shopper holds."""
        groups = self.counting_groups(deal_id)
        return sum(group.members[shopper_id].quantity for group in groups if shopper_id in group.members)
