"""What a link leads to: a group with its deal, and whose link it is."""

import asyncio
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.group_views import GroupViews
from infra.reading.deals import DealView, get_deal
from infra.reading.groups import ParticipantView, list_participants
from infra.reading.invites import InviteView, get_invite
from infra.views import GroupView

FACES_MAX = 12


class Landing(msgspec.Struct, frozen=True, kw_only=True):
    """A group as the page shows it; `invite` is the link it was reached by, none where it was looked for itself.

    `people` are the first `FACES_MAX` participants; `merchant_name` is None for a merchant who never applied.
    """

    deal: DealView
    group: GroupView
    people: list[ParticipantView]
    invite: InviteView | None = None
    merchant_name: str | None = None


async def landing_of_code(engine: AsyncEngine, groups: GroupViews, code: str) -> Landing | None:
    """Where a link leads; None for a code of nobody's. Raises `Unavailable`."""
    invite = await get_invite(engine, code)
    return None if invite is None else await landing_of_group(engine, groups, invite.group_id, invite)


async def landing_of_group(
    engine: AsyncEngine, groups: GroupViews, group_id: UUID, invite: InviteView | None = None
) -> Landing | None:
    """A group's own page; None for no such group. Raises `Unavailable`."""
    group = await groups.get(group_id)
    if group is None:
        return None
    deal, people = await asyncio.gather(get_deal(engine, group.deal_id), list_participants(engine, group_id, FACES_MAX))
    return None if deal is None else Landing(deal=deal, group=group, people=people.items, invite=invite)
