"""What a link leads to: a group with its deal, and whose link it is."""

from typing import Final

import msgspec

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
