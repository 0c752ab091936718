"""Links by their codes, each kept for a moment, and which codes are known to be links at all."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.group import Invite
from infra.reading.documents import list_document
from infra.reading.fetching import fetch_json
from infra.reading.group_listing import profile_of
from infra.reading.invites import InviteView, invite_view
from infra.reading.names import Profile, name_now
from infra.recent import Recent
from infra.tables import invites, participants
from infra.tables_identity import accounts

KEPT_S: Final = 0.8
LINKS_MAX: Final = 20_000
GOOD_CODES_MAX: Final = 100_000


class Link(NamedTuple):
    """A link, and which language its sharer speaks, where that is known."""

    invite: InviteView
    locale: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _LinkRow(Invite):
    display_name: str | None
    profile: Profile | None
    locale: str | None


class _Links(msgspec.Struct, frozen=True):
    rows: list[_LinkRow] | None


_decode = msgspec.json.Decoder(_Links).decode


class Links:
    """Reads links; `has_been_good` says without looking whether a code has led somewhere."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._links = Recent(self._fetch, kept_s=KEPT_S, keys_max=LINKS_MAX)
        self._good: OrderedDict[str, None] = OrderedDict()

    async def get(self, code: str, age_s_max: float = KEPT_S) -> Link | None:
        """The link of a code, at most so old; None for one of nobody's, or revoked. Raises `Unavailable`."""
        return await self._links.get(code, age_s_max)

    def has_been_good(self, code: str) -> bool:
        """Whether this process has seen it lead somewhere."""
        return code in self._good

    async def _fetch(self, codes: list[str]) -> Mapping[str, Link]:
        rows = _decode(await fetch_json(self._engine, _OF_CODES, {"codes": codes})).rows or ()
        for code in codes:  # one that has been revoked is as unknown as any
            self._good.pop(code, None)
        for row in rows:
            self._good[row.code] = None
        while len(self._good) > GOOD_CODES_MAX:
            self._good.popitem(last=False)
        return {row.code: Link(invite_view(row, name_now(row.profile, row.display_name)), row.locale) for row in rows}


def _links() -> Select[tuple[str]]:
    sharers_place = and_(
        participants.c.deal_id == invites.c.deal_id,
        participants.c.shopper_id == invites.c.sharer_id,
        participants.c.group_id == invites.c.group_id,
    )
    whose, parent = accounts.alias("sharer"), invites.alias("parent")
    parent_that_leads = and_(parent.c.code == invites.c.parent_code, parent.c.revoked_at.is_(None))
    of_the_link = (parent.c.code.label(one.name) if one is invites.c.parent_code else one for one in invites.c)
    return list_document(
        select(*of_the_link, participants.c.display_name, profile_of(invites.c.sharer_id), whose.c.locale)
        .outerjoin_from(invites, participants, sharers_place)
        .outerjoin(parent, parent_that_leads)
        .outerjoin(whose, whose.c.id == invites.c.sharer_id)
        .where(
            invites.c.code == func.any(bindparam("codes", type_=ARRAY(invites.c.code.type))),
            invites.c.revoked_at.is_(None),
        )
        .subquery("link")
    )


_OF_CODES: Final = _links()
