"""What a link leads to: a group with its deal, and whose link it is."""

from typing import Final

import msgspec

from domain.pricing.schedule import Tier
from domain.sharing.situation import Situation, situation_of
from infra.reading.deals import DealView
from infra.reading.groups import ParticipantView
from infra.reading.invites import InviteView
from infra.views import GroupView

FACES_MAX: Final = 12


class Landing(msgspec.Struct, frozen=True, kw_only=True):
    """A group as the page shows it; `invite` is the link it was reached by, none where it was looked for itself.

    `people` are the first `FACES_MAX` participants; `merchant_name` is None for a merchant who never applied.
    """

    deal: DealView
    group: GroupView
    people: list[ParticipantView]
    invite: InviteView | None = None
    merchant_name: str | None = None


def situation_on(deal: DealView, group: GroupView) -> Situation:
    """How a group stands."""
    coming = group.next_tier
    return situation_of(
        title=deal.title,
        currency=group.currency,
        status=group.status,
        participants=group.participants,
        reserved=group.awaiting_payment,
        seats_left=group.seats_left,
        unit_price=group.unit_price,
        solo_price=group.solo_price,
        ceiling_price=group.ceiling_price,
        next_at=coming.participants if coming else None,
        next_unit_price=coming.unit_price if coming else None,
        expires_at=group.expires_at,
        group_size_max=deal.group_size_max,
        stock_left=deal.units_left,
    )


def tiers_of(landing: Landing) -> tuple[Tier, ...]:
    """The group's tiers; none where its deal was given others since it opened."""
    group, tiers = landing.group, landing.deal.tiers
    now = [tier.unit_price for tier in tiers if tier.participants <= group.participants] or [group.ceiling_price]
    to_come = (group.next_tier.participants, group.next_tier.unit_price) if group.next_tier else None
    is_to_come_known = to_come is None or to_come in {(tier.participants, tier.unit_price) for tier in tiers}
    is_same = tiers[0].unit_price == group.ceiling_price and now[-1] == group.unit_price and is_to_come_known
    return tiers if is_same else ()
