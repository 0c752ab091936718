"""What a link leads to: a group with its deal, and whose link it is."""

from typing import Final

import msgspec

from domain.groupbuy.deal import Terms
from domain.sharing.situation import Situation, situation_of
from infra.reading.deals import DealView
from infra.reading.groups import ParticipantView
from infra.reading.invites import InviteView
from infra.views import GroupView

FACES_MAX: Final = 12


class Landing(msgspec.Struct, frozen=True, kw_only=True):
    """A group as the page shows it; `invite` is the link it was reached by, none where it was looked for itself.

    `terms` are the group's own: its deal may have been edited since. `people` are the first `FACES_MAX` participants;
    `merchant_name` is None for a merchant who never applied.
    """

    deal: DealView
    group: GroupView
    terms: Terms
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
        stock_left=deal.units_left,
    )
